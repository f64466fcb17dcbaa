//! The REST bridge, run in this process.

use std::{future::Future, io, net::SocketAddr};

use sluicegate_bridge::{Backend, Bridge, BridgeError};

use crate::{endpoint::endpoint, server::Server};

/// A bridge that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct BridgeServer {
    server: Server<Result<(), BridgeError>>,
    token: String,
    redis_url: String,
}

endpoint!(BridgeServer, server.address);

impl BridgeServer {
    /// Starts a bridge on 127.0.0.1 at `port`, 0 for a free one, in front of the Redis at `redis_url`.
    ///
    /// # Errors
    ///
    /// Fails if the port cannot be opened, the token is empty, or Redis cannot be reached.
    pub async fn start(
        port: u16,
        token: impl Into<String>,
        redis_url: impl Into<String>,
    ) -> Result<Self, BridgeServerError> {
        let (token, redis_url) = (token.into(), redis_url.into());
        let bind = bind(SocketAddr::from(([127, 0, 0, 1], port)), token.clone(), redis_url.clone());
        Ok(Self { server: Server::start("bridge", bind).await?, token, redis_url })
    }

    /// Closes the port and all connections at once.
    pub async fn stop(&mut self) {
        self.server.stop().await;
    }

    /// Stops it if it runs and starts it again at the same address; its metrics start at zero.
    ///
    /// # Errors
    ///
    /// Fails as [`BridgeServer::start`] does.
    pub async fn restart(&mut self) -> Result<(), BridgeServerError> {
        self.server.restart(bind(self.address(), self.token.clone(), self.redis_url.clone())).await
    }

    /// Waits until it ends by itself and returns why; forever if it is stopped.
    pub async fn wait(&mut self) -> BridgeServerError {
        match self.server.wait().await {
            Ok(Ok(())) => BridgeServerError::Host(io::ErrorKind::ConnectionAborted.into()),
            Ok(Err(error)) => BridgeServerError::Bridge(error),
            Err(error) => BridgeServerError::Host(error),
        }
    }
}

/// The bridge could not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum BridgeServerError {
    /// The bridge failed.
    #[error("bridge failed")]
    Bridge(#[from] BridgeError),
    /// The bridge has no threads, or its task panicked.
    #[error("bridge cannot run")]
    Host(#[from] io::Error),
}

async fn bind(
    address: SocketAddr,
    token: String,
    redis_url: String,
) -> Result<(SocketAddr, impl Future<Output = Result<(), BridgeError>>), BridgeServerError> {
    let bridge = Bridge::bind(address, token, Backend::Redis(redis_url)).await?;
    Ok((bridge.address(), bridge.run(std::future::pending())))
}
