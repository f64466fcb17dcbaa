//! A transport without HTTP: it hands each command to a redis-server on its private connection.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use redis::{RedisResult, Value};
use serde_json::json;
use sluicegate::redis::{RedisError, Response, Transport};

/// What runs the commands of a [`DirectTransport`].
pub(crate) trait RunCommand {
    /// Runs a command, its name first.
    fn run_command(&self, command: Vec<String>) -> RedisResult<Value>;
}

/// Sends commands straight to `R`. It never waits, so [`at_once`] can poll what uses it.
pub(crate) struct DirectTransport<R>(pub(crate) R);

impl<R: RunCommand> Transport for DirectTransport<R> {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        let words: Vec<serde_json::Value> = serde_json::from_str(&body).expect("a JSON array");
        let text = |word: &serde_json::Value| word.as_str().map_or_else(|| word.to_string(), str::to_owned);
        Ok(response(self.0.run_command(words.iter().map(text).collect())))
    }
}

/// The output of a future that never waits.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits"),
    }
}

/// The response of the REST protocol for a reply of Redis.
fn response(reply: RedisResult<Value>) -> Response {
    let (status, body) = match reply {
        Ok(value) => (200, json!({ "result": result(&value) })),
        // In Redis's own words: the client prints some error codes differently.
        Err(error) if error.to_string().contains("NoScript") => (400, json!({ "error": format!("NOSCRIPT {error}") })),
        Err(error) => (400, json!({ "error": format!("{} {error}", error.code().unwrap_or("ERR")) })),
    };
    Response { status, body: body.to_string().into_bytes() }
}

fn result(value: &Value) -> serde_json::Value {
    match value {
        Value::Int(number) => json!(number),
        Value::BulkString(bytes) => json!(String::from_utf8_lossy(bytes)),
        Value::SimpleString(text) => json!(text),
        Value::Okay => json!("OK"),
        Value::Nil => json!(null),
        Value::Array(values) => values.iter().map(result).collect(),
        other => panic!("no script returns this: {other:?}"),
    }
}
