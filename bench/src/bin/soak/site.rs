//! The parts of a run.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};

use serde_json::json;
use sluicegate_bridge::{RedisServer, StartError};
use sluicegate_devstack::{
    Backends, BridgeServer, Network, Origin,
    backends::{BackendOptions, BackendsError},
    bridge::BridgeServerError,
    causes::with_causes,
    dev_vars::Secrets,
    origin::OriginError,
    workerd::{Binding, Compatibility, Config, NotBuilt, Workerd, WorkerdError, built_worker},
};

use crate::{api::ApiError, client::Target, configuration::configuration};

/// All parts, ready. They end with the value, also if this process is killed.
pub(crate) struct Site {
    // Fields are dropped in this order: the Worker first.
    pub(crate) workerd: Workerd,
    pub(crate) network: Network,
    pub(crate) bridge: BridgeServer,
    pub(crate) origin: Origin,
    pub(crate) redis: RedisServer,
    pub(crate) rest_token: String,
    pub(crate) target: Arc<Target>,
}

/// A part failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SiteError {
    /// It did not start.
    #[error("{}", with_causes(.0))]
    Backends(#[from] BackendsError),
    /// The bridge did not restart.
    #[error("{}", with_causes(.0))]
    Bridge(#[from] BridgeServerError),
    /// The origin did not restart.
    #[error("{}", with_causes(.0))]
    Origin(#[from] OriginError),
    /// Redis did not restart.
    #[error("{}", with_causes(.0))]
    RedisServer(#[from] StartError),
    /// Redis refused a command.
    #[error("redis failed: {0}")]
    Redis(#[from] redis::RedisError),
    /// The Worker.
    #[error(transparent)]
    Workerd(#[from] WorkerdError),
    /// The modules of the Worker.
    #[error(transparent)]
    NotBuilt(#[from] NotBuilt),
    /// The API of the Worker.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A file, a process or the network.
    #[error("{}: {source}", what.display())]
    Io {
        /// The file, or what else failed.
        what: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl SiteError {
    pub(crate) fn io(what: impl AsRef<Path>, error: impl Into<io::Error>) -> Self {
        Self::Io { what: what.as_ref().to_owned(), source: error.into() }
    }
}

impl Site {
    /// Starts all parts of the repository at `root`, and creates the tenants.
    pub(crate) async fn start(root: &Path) -> Result<Self, SiteError> {
        let root = root.canonicalize().map_err(|error| SiteError::io(root, error))?;
        let modules = built_worker(&root)?;
        let wrangler = root.join("wrangler.toml");
        let compatibility = Compatibility::read(&wrangler).map_err(|error| SiteError::io(&wrangler, error))?;
        let Secrets { rest_token, admin_token } =
            Secrets::random().map_err(|error| SiteError::io("random numbers", error))?;
        // A restart of Redis keeps its data.
        let persistent = ["--appendonly", "yes", "--appendfsync", "everysec"].map(str::to_owned).into();
        let options = BackendOptions { redis_arguments: persistent, ..BackendOptions::default() };
        let Backends { bridge, origin, redis } = Backends::start(&rest_token, &options).await?;
        let network = Network::start(bridge.address()).await.map_err(|error| SiteError::io("network", error))?;
        let bindings = [
            ("ORIGIN", json!(origin.url())),
            ("UPSTASH_REDIS_REST_URL", json!(network.url())),
            ("UPSTASH_REDIS_REST_TOKEN", json!(rest_token)),
            ("SLUICEGATE_ADMIN_TOKEN", json!(admin_token)),
            ("SLUICEGATE", configuration()),
        ];
        let bindings = bindings.map(|(name, value)| Binding { name, value }).into();
        let config = Config { modules, bindings, compatibility, zone: None, inspector: false };
        let workerd = Workerd::start(&root.join("node_modules/.bin/workerd"), &config).await?;
        let target = Target { worker: workerd.address(), admin_token, keys: RwLock::default() };
        target.create_tenants().await?;
        Ok(Self { workerd, network, bridge, origin, redis, rest_token, target: Arc::new(target) })
    }

    /// Runs a command of Redis.
    pub(crate) fn redis<T: redis::FromRedisValue>(&self, words: &[&str]) -> Result<T, SiteError> {
        let mut connection = redis::Client::open(self.redis.url())?.get_connection()?;
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        Ok(command.query(&mut connection)?)
    }

    /// Returns the number of leases in Redis that count.
    pub(crate) fn leases(&self) -> Result<u64, SiteError> {
        let (seconds, micros): (u64, u64) = self.redis(&["TIME"])?;
        let now = (seconds * 1000 + micros / 1000).to_string();
        let keys: Vec<String> = self.redis(&["KEYS", "sg:*:inflight:*"])?;
        keys.iter().map(|key| self.redis::<u64>(&["ZCOUNT", key, &now, "+inf"])).sum()
    }

    /// Stops all parts and waits until they have ended.
    pub(crate) async fn stop(mut self) {
        self.workerd.stop().await;
        self.bridge.stop().await;
        self.origin.stop().await;
        self.redis.stop().await;
    }
}
