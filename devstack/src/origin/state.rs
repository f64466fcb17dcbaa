//! The state of the origin: counts of requests, and the gates at which streams wait.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use axum::{
    extract::{Request, State as Shared},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use tokio::sync::Semaphore;

/// The state that all requests of one origin share; it survives a restart.
#[derive(Debug, Default)]
pub(super) struct State {
    requests: AtomicU64,
    paths: Mutex<HashMap<String, u64>>,
    gates: Mutex<HashMap<String, Arc<Semaphore>>>,
    served: Mutex<HashMap<String, Served>>,
    open_streams: AtomicUsize,
    bytes_streamed: AtomicU64,
}

/// A body that a test provides.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) content_type: String,
    pub(super) body: Bytes,
}

impl State {
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    pub(super) fn requests_to(&self, path: &str) -> u64 {
        lock(&self.paths).get(path).copied().unwrap_or(0)
    }

    pub(super) fn open_streams(&self) -> usize {
        self.open_streams.load(Ordering::SeqCst)
    }

    pub(super) fn bytes_streamed(&self) -> u64 {
        self.bytes_streamed.load(Ordering::SeqCst)
    }

    /// Returns the gate `name`; it starts closed.
    pub(super) fn gate(&self, name: &str) -> Arc<Semaphore> {
        let mut gates = lock(&self.gates);
        Arc::clone(gates.entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(0))))
    }

    pub(super) fn serve(&self, name: &str, served: Served) {
        lock(&self.served).insert(name.to_owned(), served);
    }

    pub(super) fn served(&self, name: &str) -> Option<Served> {
        lock(&self.served).get(name).cloned()
    }

    /// Waits for one release of the gate `name`.
    pub(super) async fn pass(&self, name: &str) {
        let gate = self.gate(name);
        // Gates are never closed, so this does not fail.
        if let Ok(permit) = gate.acquire().await {
            permit.forget();
        }
    }

    fn record(&self, path: &str) -> u64 {
        let mut paths = lock(&self.paths);
        if let Some(count) = paths.get_mut(path) {
            *count += 1;
        } else if paths.len() < PATHS_COUNTED {
            paths.insert(path.to_owned(), 1);
        }
        self.requests.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// Counts a request when it arrives, and numbers its response.
pub(super) async fn count(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let number = state.record(request.uri().path());
    let mut response = next.run(request).await;
    response.headers_mut().insert(X_ORIGIN_REQUEST, HeaderValue::from(number));
    response
}

/// Counts a streamed body until it is dropped, which also happens when the client disconnects.
pub(super) struct OpenStream(Arc<State>);

impl OpenStream {
    pub(super) fn new(state: Arc<State>) -> Self {
        state.open_streams.fetch_add(1, Ordering::SeqCst);
        Self(state)
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.0.bytes_streamed.fetch_add(bytes as u64, Ordering::SeqCst);
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.open_streams.fetch_sub(1, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No panic can leave the values under these locks in an inconsistent state.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const X_ORIGIN_REQUEST: HeaderName = HeaderName::from_static("x-origin-request");

/// The number of paths counted separately; a client that requests new paths for days must not fill the memory.
const PATHS_COUNTED: usize = 10_000;
