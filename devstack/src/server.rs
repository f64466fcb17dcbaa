//! A server that runs in this process, on threads of its own.

use std::{future::Future, io, net::SocketAddr};

use tokio::task::JoinHandle;

use crate::host::Host;

/// A server that keeps its address across restarts; `T` is what it returns when it ends by itself.
#[derive(Debug)]
pub(crate) struct Server<T> {
    name: &'static str,
    pub(crate) address: SocketAddr,
    running: Option<Running<T>>,
}

#[derive(Debug)]
struct Running<T> {
    host: Host,
    serving: JoinHandle<T>,
}

impl<T: Send + 'static> Server<T> {
    /// Runs `bind`, which opens a port, and then the future it returns along with the address, which serves.
    ///
    /// # Errors
    ///
    /// Fails if `bind` fails or the system has no thread left.
    pub(crate) async fn start<S, E>(
        name: &'static str,
        bind: impl Future<Output = Result<(SocketAddr, S), E>> + Send + 'static,
    ) -> Result<Self, E>
    where
        S: Future<Output = T> + Send + 'static,
        E: From<io::Error> + Send + 'static,
    {
        let host = Host::start(name)?;
        // On the host's threads, because connections live where they were opened.
        let (address, serve) = host.run(bind).await??;
        let serving = host.spawn(serve)?;
        Ok(Self { name, address, running: Some(Running { host, serving }) })
    }

    /// Closes the port and all connections at once.
    pub(crate) async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.host.stop().await;
        }
    }

    /// Stops the server if it runs and starts it again; `bind` must open the same address.
    ///
    /// # Errors
    ///
    /// Fails as [`Server::start`] does; the server is stopped then.
    pub(crate) async fn restart<S, E>(
        &mut self,
        bind: impl Future<Output = Result<(SocketAddr, S), E>> + Send + 'static,
    ) -> Result<(), E>
    where
        S: Future<Output = T> + Send + 'static,
        E: From<io::Error> + Send + 'static,
    {
        self.stop().await;
        *self = Self::start(self.name, bind).await?;
        Ok(())
    }

    /// Waits until the server ends by itself; forever if it is stopped.
    ///
    /// # Errors
    ///
    /// Fails if its task panicked.
    pub(crate) async fn wait(&mut self) -> io::Result<T> {
        match &mut self.running {
            Some(running) => (&mut running.serving).await.map_err(io::Error::other),
            None => std::future::pending().await,
        }
    }
}
