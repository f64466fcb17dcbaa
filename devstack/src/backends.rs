//! Everything a Worker talks to.

use sluicegate_bridge::{RedisServer, StartError};

use crate::{
    bridge::{BridgeServer, BridgeServerError},
    origin::{Origin, OriginError},
};

/// A private Redis, the bridge in front of it and the demo origin; each ends with the value.
#[derive(Debug)]
pub struct Backends {
    // Fields are dropped in this order: the bridge before its Redis.
    /// The REST bridge.
    pub bridge: BridgeServer,
    /// The demo origin.
    pub origin: Origin,
    /// The private Redis.
    pub redis: RedisServer,
}

/// How to start [`Backends`]. The default takes free ports.
#[derive(Clone, Debug, Default)]
pub struct BackendOptions {
    /// The port of the bridge on 127.0.0.1; 0 takes a free one.
    pub rest_port: u16,
    /// The port of the origin on 127.0.0.1; 0 takes a free one.
    pub origin_port: u16,
    /// More arguments for `redis-server`.
    pub redis_arguments: Vec<String>,
}

impl Backends {
    /// Starts all three and waits until they are ready. Clients of the bridge send `token`.
    ///
    /// # Errors
    ///
    /// Fails if one of them cannot be started.
    pub async fn start(token: &str, options: &BackendOptions) -> Result<Self, BackendsError> {
        let redis = RedisServer::start_with(&options.redis_arguments).await?;
        let bridge = BridgeServer::start(options.rest_port, token, redis.url()).await?;
        let origin = Origin::start(options.origin_port).await?;
        Ok(Self { bridge, origin, redis })
    }

    /// Stops all three and waits until they have ended.
    pub async fn stop(&mut self) {
        self.bridge.stop().await;
        self.origin.stop().await;
        self.redis.stop().await;
    }
}

/// One of the [`Backends`] could not be started.
#[derive(Debug, thiserror::Error)]
pub enum BackendsError {
    /// `redis-server`.
    #[error("redis-server failed")]
    Redis(#[from] StartError),
    /// The bridge.
    #[error(transparent)]
    Bridge(#[from] BridgeServerError),
    /// The demo origin.
    #[error(transparent)]
    Origin(#[from] OriginError),
}
