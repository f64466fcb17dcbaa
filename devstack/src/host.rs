//! The threads of one server.

use std::{future::Future, io, time::Duration};

use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

/// Threads that run one server and nothing else.
///
/// Stopping them closes every socket of the server at once, including those upgraded to a WebSocket. A test that blocks
/// its own thread does not slow the server down.
#[derive(Debug)]
pub(crate) struct Host {
    /// `None` only while the value is dropped.
    runtime: Option<Runtime>,
}

impl Host {
    /// Starts the threads, named `name`.
    ///
    /// # Errors
    ///
    /// Fails if the system has no thread left.
    pub(crate) fn start(name: &str) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name(name).enable_all().build()?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// Runs `task` on the host's threads and waits for its value.
    ///
    /// # Errors
    ///
    /// Fails if the task panicked.
    pub(crate) async fn run<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
        self.spawn(task)?.await.map_err(io::Error::other)
    }

    /// Runs `task` on the host's threads until it ends or the host is stopped.
    ///
    /// # Errors
    ///
    /// Fails if the host is stopped.
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
            // Waiting for a runtime would block a thread that runs other tasks.
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

/// Tasks end at their next await; only a task that never awaits reaches this bound.
const STOP_WITHIN: Duration = Duration::from_secs(5);
