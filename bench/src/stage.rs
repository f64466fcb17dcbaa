//! All that runs during the measurements: one Redis, one bridge, one origin, and a workerd for each contender.

use std::{fs, io};

use serde_json::json;
use sluicegate::redis::script::{CHECK, Dialect};
use sluicegate_bridge::{Guard, RedisServer, StartError};
use sluicegate_devstack::bridge::BridgeServerError;
use sluicegate_devstack::dev_vars::Secrets;
use sluicegate_devstack::origin::OriginError;
use sluicegate_devstack::{BridgeServer, Origin};
use tempfile::TempDir;

use crate::config::{self, Binding};
use crate::contender::Contender;
use crate::counters::{Counters, CountersError};
use crate::limit::{self, CheckError};
use crate::tools::{Tools, ToolsError};
use crate::workerd::{CONFIG, Workerd, WorkerdError};

/// Everything, ready. Ends with the value, also when this process is killed.
pub(crate) struct Stage {
    // Fields are dropped in this order: the Workers first, their folder last.
    workers: Vec<(Contender, Workerd)>,
    counters: Counters,
    bridge: BridgeServer,
    origin: Origin,
    redis: RedisServer,
    _guard: Guard,
    _folder: TempDir,
}

/// A part that could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StageError {
    /// `redis-server`.
    #[error(transparent)]
    Redis(#[from] StartError),
    /// `lua/check.lua` is not a script to this Redis.
    #[error("check.lua cannot be loaded: {0}")]
    Script(redis::RedisError),
    /// The bridge.
    #[error("bridge: {0}")]
    Bridge(#[from] BridgeServerError),
    /// The demo origin.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// The counters.
    #[error(transparent)]
    Counters(#[from] CountersError),
    /// The modules of a Worker.
    #[error(transparent)]
    Tools(#[from] ToolsError),
    /// A Worker.
    #[error("{}: {source}", contender.name())]
    Workerd {
        /// Which.
        contender: Contender,
        /// Why.
        source: WorkerdError,
    },
    /// What the floor has to send.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The temporary folder, or a token.
    #[error("temporary files cannot be made: {0}")]
    Io(#[from] io::Error),
}

impl Stage {
    /// Starts all parts and waits until each is ready.
    pub(crate) async fn start(tools: &Tools) -> Result<Self, StageError> {
        let token = Secrets::random()?.rest_token;
        let redis = RedisServer::start().await?;
        // The floor sends EVALSHA only.
        load_script(&redis.url()).map_err(StageError::Script)?;
        let bridge = BridgeServer::start(0, token.as_str(), redis.url()).await?;
        let origin = Origin::start(0).await?;
        let counters = Counters::open(&redis.url(), bridge.address()).await?;

        let folder = tempfile::Builder::new().prefix("sluicegate-bench-").tempdir()?;
        let mut guard = Guard::new(folder.path())?;
        let bindings = [
            Binding { name: "ORIGIN", value: json!(origin.url()) },
            Binding { name: "UPSTASH_REDIS_REST_URL", value: json!(bridge.url()) },
            Binding { name: "UPSTASH_REDIS_REST_TOKEN", value: json!(token) },
            Binding { name: "SLUICEGATE", value: limit::configuration() },
            Binding { name: "CHECK", value: limit::check().await? },
        ];
        let mut workers = Vec::new();
        for contender in Contender::ALL {
            let folder = folder.path().join(contender.name());
            fs::create_dir(&folder)?;
            let modules = tools.modules(contender, &folder).await?;
            fs::write(folder.join(CONFIG), config::text(modules, &tools.compatibility, &bindings))?;
            let started = Workerd::start(&tools.workerd, &folder, &mut guard).await;
            workers.push((contender, started.map_err(|source| StageError::Workerd { contender, source })?));
        }
        Ok(Self { workers, counters, bridge, origin, redis, _guard: guard, _folder: folder })
    }

    /// The Workers, and the counters they share.
    pub(crate) fn parts(&mut self) -> (&[(Contender, Workerd)], &mut Counters) {
        (&self.workers, &mut self.counters)
    }

    /// Ends all parts and waits until they have ended.
    pub(crate) async fn stop(mut self) {
        for (_, worker) in self.workers.drain(..) {
            worker.stop().await;
        }
        self.bridge.stop().await;
        self.origin.stop().await;
        self.redis.stop().await;
    }
}

fn load_script(redis_url: &str) -> redis::RedisResult<()> {
    let mut connection = redis::Client::open(redis_url)?.get_connection()?;
    let source = &CHECK.in_dialect(Dialect::Plain).source;
    redis::cmd("SCRIPT").arg("LOAD").arg(source.as_ref()).exec(&mut connection)
}
