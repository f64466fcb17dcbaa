//! The REST bridge in this process.

use std::{io, net::SocketAddr};

use sluicegate_bridge::{Backend, Bridge, BridgeError};
use tokio::task::JoinHandle;

use crate::host::Host;

/// A bridge that runs until it is stopped or dropped, and can be started again at the same address.
#[derive(Debug)]
pub struct BridgeServer {
    address: SocketAddr,
    token: String,
    redis_url: String,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    host: Host,
    serving: JoinHandle<Result<(), BridgeError>>,
}

impl BridgeServer {
    /// Starts a bridge on 127.0.0.1 at `port`, 0 for a free one, in front of the Redis at `redis_url`.
    ///
    /// # Errors
    ///
    /// The port cannot be opened, the token is empty, or Redis cannot be reached.
    pub async fn start(
        port: u16,
        token: impl Into<String>,
        redis_url: impl Into<String>,
    ) -> Result<Self, BridgeServerError> {
        let (token, redis_url) = (token.into(), redis_url.into());
        let (running, address) = serve(SocketAddr::from(([127, 0, 0, 1], port)), &token, &redis_url).await?;
        Ok(Self { address, token, redis_url, running: Some(running) })
    }

    /// Where it listens, also while it is stopped.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Closes the port and every connection at once.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.host.stop().await;
        }
    }

    /// Starts again at the same address, stopping first if needed; its metrics begin at zero.
    ///
    /// # Errors
    ///
    /// As [`BridgeServer::start`].
    pub async fn restart(&mut self) -> Result<(), BridgeServerError> {
        self.stop().await;
        let (running, _) = serve(self.address, &self.token, &self.redis_url).await?;
        self.running = Some(running);
        Ok(())
    }

    /// Waits until it ends by itself and says why; for ever once it is stopped.
    pub async fn wait(&mut self) -> BridgeServerError {
        match &mut self.running {
            Some(running) => match (&mut running.serving).await {
                Ok(Ok(())) => BridgeServerError::Host(io::ErrorKind::ConnectionAborted.into()),
                Ok(Err(error)) => BridgeServerError::Bridge(error),
                Err(error) => BridgeServerError::Host(io::Error::other(error)),
            },
            None => std::future::pending().await,
        }
    }
}

/// The bridge could not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum BridgeServerError {
    /// The bridge said why.
    #[error("bridge failed")]
    Bridge(#[from] BridgeError),
    /// The system refused a thread, or the bridge's task was lost.
    #[error("bridge cannot run")]
    Host(#[from] io::Error),
}

async fn serve(address: SocketAddr, token: &str, redis_url: &str) -> Result<(Running, SocketAddr), BridgeServerError> {
    let host = Host::start("bridge")?;
    let bridge = Bridge::bind(address, token.to_owned(), Backend::Redis(redis_url.to_owned()));
    // Bound on the host's threads, because its connections to Redis live where they were made.
    let bridge = host.run(bridge).await??;
    let address = bridge.address();
    let serving = host.spawn(bridge.run(std::future::pending()))?;
    Ok((Running { host, serving }, address))
}
