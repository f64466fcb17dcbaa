//! A server of this process on threads of its own.

use std::{future::Future, io, time::Duration};

use tokio::{
    runtime::{Builder, Runtime},
    task::{JoinError, JoinHandle},
};

/// Threads that run one server and nothing else.
///
/// Stopping them closes every socket of the server at once, also one that was handed to a WebSocket; and a test that
/// keeps its own thread busy does not slow the server down.
#[derive(Debug)]
pub(crate) struct Host {
    runtime: Option<Runtime>,
}

impl Host {
    /// Starts the threads; `name` is what a debugger shows.
    ///
    /// # Errors
    ///
    /// The system refused a thread.
    pub(crate) fn start(name: &str) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name(name).enable_all().build()?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// Runs `task` on the host's threads and waits for its value.
    ///
    /// # Errors
    ///
    /// The task panicked, or the host is stopped.
    pub(crate) async fn run<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
        let handle = self.spawn(task)?;
        handle.await.map_err(|error: JoinError| io::Error::other(error))
    }

    /// Runs `task` on the host's threads until it ends or the host is stopped.
    ///
    /// # Errors
    ///
    /// The host is stopped.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<JoinHandle<T>> {
        let runtime = self.runtime.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        Ok(runtime.spawn(task))
    }

    /// Ends every task and returns once their sockets are closed.
    pub(crate) async fn stop(mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A runtime must not be waited for on a thread that runs tasks itself.
            let ended = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(STOP_WITHIN));
            drop(ended.await);
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Tasks end at their next await; only a task that never awaits could reach this bound.
const STOP_WITHIN: Duration = Duration::from_secs(5);
