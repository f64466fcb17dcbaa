//! The processes of a benchmark: one Redis, one bridge, one origin, and one workerd per contender.

use std::io;

use serde_json::json;
use sluicegate::redis::script::{CHECK, Dialect};
use sluicegate_devstack::{
    Backends,
    backends::{BackendOptions, BackendsError},
    causes::with_causes,
    dev_vars::Secrets,
    workerd::{Binding, Config, Workerd, WorkerdError},
};

use crate::{
    contender::Contender,
    counters::{Counters, CountersError},
    limit::{self, CheckError},
    tools::{Tools, ToolsError},
};

/// All processes, ready. They end with the value, also if this process is killed.
pub(crate) struct Stage {
    // Fields are dropped in this order: the Workers first.
    workers: Vec<(Contender, Workerd)>,
    counters: Counters,
    backends: Backends,
}

/// A process could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StageError {
    /// Redis, the bridge or the origin.
    #[error("{}", with_causes(.0))]
    Backends(#[from] BackendsError),
    /// Redis does not accept `lua/check.lua`.
    #[error("check.lua cannot be loaded: {0}")]
    Script(redis::RedisError),
    /// The counters.
    #[error(transparent)]
    Counters(#[from] CountersError),
    /// The modules of a Worker.
    #[error(transparent)]
    Tools(#[from] ToolsError),
    /// A Worker.
    #[error("{}: {source}", contender.name())]
    Workerd {
        /// The contender.
        contender: Contender,
        /// The error of workerd.
        source: WorkerdError,
    },
    /// The command of the floor.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The random token.
    #[error("no token can be generated: {0}")]
    Io(#[from] io::Error),
}

impl Stage {
    /// Starts all processes and waits until they are ready.
    pub(crate) async fn start(tools: &Tools) -> Result<Self, StageError> {
        let token = Secrets::random()?.rest_token;
        let backends = Backends::start(&token, &BackendOptions::default()).await?;
        let Backends { bridge, origin, redis } = &backends;
        // The floor sends EVALSHA only.
        load_script(&redis.url()).map_err(StageError::Script)?;
        let counters = Counters::open(&redis.url(), bridge.address()).await?;

        let bindings = vec![
            Binding { name: "ORIGIN", value: json!(origin.url()) },
            Binding { name: "UPSTASH_REDIS_REST_URL", value: json!(bridge.url()) },
            Binding { name: "UPSTASH_REDIS_REST_TOKEN", value: json!(token) },
            Binding { name: "SLUICEGATE", value: limit::configuration() },
            Binding { name: "CHECK", value: limit::check().await? },
        ];
        let mut workers = Vec::new();
        for contender in Contender::ALL {
            let config = Config {
                modules: tools.modules(contender).await?,
                bindings: bindings.clone(),
                compatibility: tools.compatibility.clone(),
                inspector: false,
            };
            let started = Workerd::start(&tools.workerd, &config).await;
            workers.push((contender, started.map_err(|source| StageError::Workerd { contender, source })?));
        }
        Ok(Self { workers, counters, backends })
    }

    /// Returns the Workers and the counters they share.
    pub(crate) fn parts(&mut self) -> (&[(Contender, Workerd)], &mut Counters) {
        (&self.workers, &mut self.counters)
    }

    /// Stops all processes and waits until they have ended.
    pub(crate) async fn stop(mut self) {
        for (_, worker) in self.workers.drain(..) {
            worker.stop().await;
        }
        self.backends.stop().await;
    }
}

fn load_script(redis_url: &str) -> redis::RedisResult<()> {
    let mut connection = redis::Client::open(redis_url)?.get_connection()?;
    let source = &CHECK.in_dialect(Dialect::Plain).source;
    redis::cmd("SCRIPT").arg("LOAD").arg(source.as_ref()).exec(&mut connection)
}
