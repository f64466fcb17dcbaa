//! A Redis whose replies are part of the input.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde::Deserialize;
use serde_json::Value;
use sluicegate::redis::{RedisError, Response, Transport};

use crate::input::Lines;

/// A transport that gives each line of the input as a reply, in order, and fails when none is left.
///
/// A line is a status, a space and the body: `200 {"result":1}`. Any other line is a failure without a reply.
pub(crate) struct FakeRedis<'a> {
    lines: RefCell<Lines<'a>>,
    calls: Cell<usize>,
    last: RefCell<Option<Response>>,
}

impl<'a> FakeRedis<'a> {
    pub(crate) fn new(replies: Lines<'a>) -> Self {
        FakeRedis { lines: RefCell::new(replies), calls: Cell::new(0), last: RefCell::new(None) }
    }

    /// Returns the number of commands that were sent.
    pub(crate) fn calls(&self) -> usize {
        self.calls.get()
    }

    /// Returns the result of the last reply, if the reply is JSON and has one.
    pub(crate) fn last_result(&self) -> Option<Value> {
        result(&self.last.borrow().as_ref()?.body)
    }
}

impl Transport for FakeRedis<'_> {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        assert_is_command(&body);
        self.calls.set(self.calls.get() + 1);
        let line = self.lines.borrow_mut().bytes();
        let mut parts = line.splitn(2, |byte| *byte == b' ');
        let status = parts.next().and_then(|status| str::from_utf8(status).ok()?.parse().ok());
        let response = status.map(|status| Response { status, body: parts.next().unwrap_or_default().to_vec() });
        self.last.borrow_mut().clone_from(&response);
        match (response, line) {
            (Some(response), _) => Ok(response),
            (None, b"timeout") => Err(RedisError::Timeout),
            (None, _) => Err(RedisError::Unreachable { reason: "no reply".to_owned() }),
        }
    }
}

/// Returns the member `result` of an object, if there is one. Other members may be anything, such as the number 1e999,
/// which a [`Value`] cannot hold.
pub(crate) fn result(body: &[u8]) -> Option<Value> {
    #[derive(Deserialize)]
    struct Body {
        result: Value,
    }
    // Serde would also take an array for a struct.
    let is_object = body.trim_ascii_start().starts_with(b"{");
    serde_json::from_slice(body).ok().filter(|_| is_object).map(|Body { result }| result)
}

/// Asserts that a body is a command: an array of texts and whole numbers.
fn assert_is_command(body: &str) {
    let words: Vec<Value> = serde_json::from_str(body).expect("a command is a JSON array");
    assert!(words.first().is_some_and(Value::is_string), "{body}");
    assert!(words.iter().all(|word| word.is_string() || word.is_u64()), "{body}");
}

/// Runs a future that never waits.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits although every reply is there"),
    }
}
