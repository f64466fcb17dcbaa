//! A server of public keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Notify};

use crate::tokens::{SigningKey, key_set};

/// A server of keys.
#[derive(Clone)]
pub(crate) struct KeyServer {
    pub(crate) url: String,
    state: Arc<KeyServerState>,
}

struct KeyServerState {
    /// The status and the body of the response.
    response: Mutex<(u16, String)>,
    requests: AtomicU64,
    /// Whether responses wait for `gate`.
    is_held: AtomicBool,
    gate: Notify,
}

impl KeyServer {
    pub(crate) async fn start(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let state = Arc::new(KeyServerState {
            response: Mutex::new((200, key_set(keys).to_string())),
            requests: AtomicU64::new(0),
            is_held: false.into(),
            gate: Notify::new(),
        });
        let router = Router::new().route("/jwks", get(respond)).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        KeyServer { url, state }
    }

    pub(crate) async fn respond_with(&self, status: u16, body: &str) {
        *self.state.response.lock().await = (status, body.to_owned());
    }

    pub(crate) fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn hold(&self) {
        self.state.is_held.store(true, Ordering::SeqCst);
    }

    pub(crate) fn release(&self) {
        self.state.is_held.store(false, Ordering::SeqCst);
        self.state.gate.notify_waiters();
    }
}

async fn respond(State(state): State<Arc<KeyServerState>>) -> (StatusCode, String) {
    state.requests.fetch_add(1, Ordering::SeqCst);
    let released = state.gate.notified();
    if state.is_held.load(Ordering::SeqCst) {
        released.await;
    }
    let (status, body) = state.response.lock().await.clone();
    (StatusCode::from_u16(status).unwrap(), body)
}
