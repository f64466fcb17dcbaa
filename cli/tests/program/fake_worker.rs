//! A fake Worker with recorded responses, which records the requests it receives.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::run::{Ended, end, program};

/// A request and its response.
pub(crate) struct Exchange {
    call: &'static str,
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

/// A request that was received.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReceivedCall {
    /// Method, path and query.
    pub(crate) call: String,
    pub(crate) authorization: Option<String>,
    pub(crate) if_match: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Value,
}

/// A server that sends the recorded responses in order. Stops when dropped.
pub(crate) struct FakeWorker {
    pub(crate) url: String,
    state: Arc<Mutex<Tape>>,
    task: JoinHandle<()>,
}

struct Tape {
    exchanges: VecDeque<Exchange>,
    calls: Vec<ReceivedCall>,
}

impl Exchange {
    /// `call` is the method and the path after `/_sluicegate`.
    pub(crate) fn new(call: &'static str, status: u16, body: impl Into<Value>) -> Self {
        let body = body.into();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Exchange { call, status, headers: Vec::new(), body }
    }

    pub(crate) fn problem(call: &'static str, status: u16, name: &str, title: &str) -> Self {
        let kind = format!("urn:sluicegate:problem:{name}");
        Exchange::new(call, status, json!({ "type": kind, "title": title, "status": status }))
    }

    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Replaces the body with a text that is not JSON.
    pub(crate) fn text(self, body: &str) -> Self {
        Exchange { body: body.to_owned(), ..self }
    }
}

impl FakeWorker {
    pub(crate) async fn start(exchanges: impl IntoIterator<Item = Exchange>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let tape = Tape { exchanges: exchanges.into_iter().collect(), calls: Vec::new() };
        let state = Arc::new(Mutex::new(tape));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        FakeWorker { url, state, task }
    }

    /// Runs the program against this Worker, with its token.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = program(arguments);
        command.env("SLUICEGATE_URL", &self.url).env("SLUICEGATE_ADMIN_TOKEN", TOKEN);
        end(command).await
    }

    /// Returns all requests. Panics if a recorded response was not requested.
    pub(crate) fn calls(&self) -> Vec<ReceivedCall> {
        let tape = self.state.lock().unwrap();
        let left: Vec<_> = tape.exchanges.iter().map(|exchange| exchange.call).collect();
        assert!(left.is_empty(), "not requested: {left:?}");
        tape.calls.clone()
    }

    /// Returns the only request.
    pub(crate) fn call(&self) -> ReceivedCall {
        let [call] = <[ReceivedCall; 1]>::try_from(self.calls()).unwrap();
        assert_eq!(call.authorization.as_deref(), Some("Bearer the-admin-token"));
        call
    }
}

impl Drop for FakeWorker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(state): State<Arc<Mutex<Tape>>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, 1 << 20).await.unwrap();
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let target = parts.uri.path_and_query().unwrap().as_str();
    let call = format!("{} {}", parts.method, target.strip_prefix("/_sluicegate").unwrap_or(target));
    let mut tape = state.lock().unwrap();
    tape.calls.push(ReceivedCall {
        call: call.clone(),
        authorization: header("authorization"),
        if_match: header("if-match"),
        content_type: header("content-type"),
        body: if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() },
    });
    let exchange = tape.exchanges.pop_front().filter(|exchange| exchange.call == call);
    let exchange = exchange.unwrap_or_else(|| {
        let problem = format!("unexpected request: {call}");
        Exchange::new("", 418, json!({ "title": problem }))
    });
    let mut response = Response::builder().status(StatusCode::from_u16(exchange.status).unwrap());
    for (name, value) in exchange.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(exchange.body)).unwrap()
}

const TOKEN: &str = "the-admin-token";
