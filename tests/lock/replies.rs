//! Answers that no Redis gives.

use sluicegate::redis::cas::{self, Expiry};
use sluicegate::redis::lock::{FencingToken, Write};
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{RedisError, Response, Transport};

use crate::lock;
use crate::runtime::Manual;

/// A server that says one thing to everything.
#[derive(Debug)]
struct Says(&'static str);

impl Transport for Says {
    async fn post(&self, _: String) -> Result<Response, RedisError> {
        Ok(Response { status: 200, body: format!(r#"{{"result":{}}}"#, self.0).into() })
    }
}

fn is_shape<T: std::fmt::Debug>(result: &Result<T, RedisError>) -> bool {
    matches!(result, Err(RedisError::Shape { .. }))
}

#[tokio::test]
async fn impossible_replies_are_never_a_lock() {
    for answer in ["1", "null", "[]", "[1,1]", "[1,0,0]", "[1,-1,0]", "[1,1,5]", "[2,1,0]", "[0,1,5]", "[1,1,0,0]"] {
        let lock = lock(Says(answer), Manual::still(), 60_000);
        assert!(is_shape(&lock.try_acquire("a").await), "{answer}");
    }
}

#[tokio::test]
async fn impossible_replies_are_never_a_write_or_swap() {
    for newest in [0, 4, 5, 6] {
        let answer = format!("[0,{newest}]");
        let lock = lock(Says(answer.clone().leak()), Manual::still(), 60_000);
        let write = lock.write(FencingToken::new(5), "n", "x", Expiry::Never).await.unwrap();
        assert_eq!(write, Write::Stale { newest: FencingToken::new(newest) });
        assert!(is_shape(&cas::delete(&Says(answer.leak()), Dialect::Plain, "k", "x").await));
    }
    for answer in ["1", "null", "[]", "[1]", "[1,4]", "[1,6]", "[2,5]", r#"[1,"a"]"#, "[2,null]"] {
        let lock = lock(Says(answer), Manual::still(), 60_000);
        assert!(is_shape(&lock.write(FencingToken::new(5), "n", "x", Expiry::Never).await), "{answer}");
        assert!(is_shape(&cas::delete(&Says(answer), Dialect::Plain, "k", "x").await), "{answer}");
    }
}
