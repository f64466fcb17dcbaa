//! Replies that Redis never sends.

use sluicegate::redis::cas::{self, Expiry};
use sluicegate::redis::lock::{FencingToken, Write};
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{RedisError, Response, Transport};

use crate::lock;
use crate::runtime::ManualRuntime;

/// A transport with the same reply to every request.
#[derive(Debug)]
struct FixedReply(&'static str);

impl Transport for FixedReply {
    async fn post(&self, _: String) -> Result<Response, RedisError> {
        Ok(Response { status: 200, body: format!(r#"{{"result":{}}}"#, self.0).into() })
    }
}

fn is_shape_error<T: std::fmt::Debug>(result: &Result<T, RedisError>) -> bool {
    matches!(result, Err(RedisError::Shape { .. }))
}

#[tokio::test]
async fn impossible_replies_are_never_a_lock() {
    for reply in ["1", "null", "[]", "[1,1]", "[1,0,0]", "[1,-1,0]", "[1,1,5]", "[2,1,0]", "[0,1,5]", "[1,1,0,0]"] {
        let lock = lock(FixedReply(reply), ManualRuntime::stopped(), 60_000);
        assert!(is_shape_error(&lock.try_acquire("a").await), "{reply}");
    }
}

#[tokio::test]
async fn impossible_replies_are_never_a_write_or_swap() {
    for newest in [0, 4, 5, 6] {
        let reply = format!("[0,{newest}]");
        let lock = lock(FixedReply(reply.clone().leak()), ManualRuntime::stopped(), 60_000);
        let write = lock.write(FencingToken::new(5), "n", "x", Expiry::Never).await.unwrap();
        assert_eq!(write, Write::Stale { newest: FencingToken::new(newest) });
        assert!(is_shape_error(&cas::delete(&FixedReply(reply.leak()), Dialect::Plain, "k", "x").await));
    }
    for reply in ["1", "null", "[]", "[1]", "[1,4]", "[1,6]", "[2,5]", r#"[1,"a"]"#, "[2,null]"] {
        let lock = lock(FixedReply(reply), ManualRuntime::stopped(), 60_000);
        assert!(is_shape_error(&lock.write(FencingToken::new(5), "n", "x", Expiry::Never).await), "{reply}");
        assert!(is_shape_error(&cas::delete(&FixedReply(reply), Dialect::Plain, "k", "x").await), "{reply}");
    }
}
