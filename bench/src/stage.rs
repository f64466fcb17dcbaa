//! The processes of a scenario: one Redis, one bridge, one origin, and one workerd per contender.

use std::{io, path::PathBuf};

use serde_json::json;
use sluicegate::redis::script::{CHECK, Dialect};
use sluicegate_devstack::{
    Backends, Fault, Network,
    backends::{BackendOptions, BackendsError},
    causes::with_causes,
    dev_vars::Secrets,
    workerd::{Binding, Config, Workerd, WorkerdError},
};

use crate::{
    contender::Contender,
    counters::{Counters, CountersError},
    scenario::{Caller, Measure, Scenario},
    tenant::{self, TenantError},
    tools::{Tools, ToolsError},
    traffic::Traffic,
    variables::{self, CheckError},
};

/// All processes, ready. They end with the value, also if this process is killed.
pub struct Stage {
    // Fields are dropped in this order: the Workers first.
    /// The Workers that run, each with its traffic. A cold start has none.
    pub workers: Vec<(Contender, Workerd, Traffic)>,
    /// The counters of the processes that all Workers share.
    pub counters: Counters,
    /// The configurations of all contenders.
    pub configs: Vec<(Contender, Config)>,
    program: PathBuf,
    /// Delays the responses of the bridge.
    network: Option<Network>,
    backends: Backends,
}

/// A process could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
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
    /// The tenant.
    #[error("the tenant cannot be created: {0}")]
    Tenant(#[from] TenantError),
    /// The random tokens, or the network.
    #[error("the benchmark cannot be set up: {0}")]
    Io(#[from] io::Error),
}

impl Stage {
    /// Starts all processes of a scenario and waits until they are ready. With `inspector`, each workerd serves its
    /// inspector.
    ///
    /// # Errors
    ///
    /// Fails if one of them cannot be started.
    pub async fn start(tools: &Tools, scenario: &Scenario, inspector: bool) -> Result<Self, StageError> {
        let Secrets { rest_token, admin_token } = Secrets::random()?;
        let backends = Backends::start(&rest_token, &BackendOptions::default()).await?;
        let Backends { bridge, origin, redis } = &backends;
        // The floor sends EVALSHA only.
        load_script(&redis.url()).map_err(StageError::Script)?;
        let counters = Counters::open(&redis.url(), bridge.address()).await?;
        let network = if scenario.delay.is_zero() {
            None
        } else {
            let network = Network::start(bridge.address()).await?;
            network.inject(Fault::Delay(scenario.delay)).await;
            Some(network)
        };
        let bindings = vec![
            Binding { name: "ORIGIN", value: json!(origin.url()) },
            Binding {
                name: "UPSTASH_REDIS_REST_URL",
                value: json!(network.as_ref().map_or_else(|| bridge.url(), Network::url)),
            },
            Binding { name: "UPSTASH_REDIS_REST_TOKEN", value: json!(rest_token) },
            Binding { name: "SLUICEGATE_ADMIN_TOKEN", value: json!(admin_token) },
            Binding { name: "CHECK", value: variables::check(scenario).await? },
            Binding { name: "UPSTASH", value: variables::upstash(scenario) },
        ];
        let mut configs = Vec::new();
        for &contender in scenario.contenders {
            let (modules, mut bindings) = (tools.modules(contender).await?, bindings.clone());
            bindings.push(Binding { name: "SLUICEGATE", value: variables::configuration(scenario, contender) });
            configs.push((
                contender,
                Config { modules, bindings, compatibility: tools.compatibility.clone(), zone: None, inspector },
            ));
        }
        let program = tools.workerd.clone();
        let mut stage = Self { workers: Vec::new(), counters, configs, program, network, backends };
        if scenario.measure != Measure::ColdStart {
            stage.start_workers(scenario, &admin_token).await?;
        }
        Ok(stage)
    }

    async fn start_workers(&mut self, scenario: &Scenario, admin_token: &str) -> Result<(), StageError> {
        let mut key = None;
        let mut started = Vec::new();
        for (contender, config) in &self.configs {
            let worker = self.start_worker(*contender, config).await?;
            if scenario.caller == Caller::Tenant && *contender == Contender::Sluicegate {
                key = Some(tenant::create(worker.address(), admin_token).await?);
            }
            started.push((*contender, worker));
        }
        // All contenders get the same requests.
        let with_traffic = |(contender, worker)| (contender, worker, Traffic::new(scenario, contender, key.clone()));
        self.workers = started.into_iter().map(with_traffic).collect();
        Ok(())
    }

    /// Starts a new process of a contender.
    ///
    /// # Errors
    ///
    /// Fails if workerd does not serve.
    pub async fn start_worker(&self, contender: Contender, config: &Config) -> Result<Workerd, StageError> {
        Workerd::start(&self.program, config).await.map_err(|source| StageError::Workerd { contender, source })
    }

    /// Stops all processes and waits until they have ended.
    pub async fn stop(mut self) {
        for (_, worker, _) in self.workers.drain(..) {
            worker.stop().await;
        }
        drop(self.network.take());
        self.backends.stop().await;
    }
}

fn load_script(redis_url: &str) -> redis::RedisResult<()> {
    let mut connection = redis::Client::open(redis_url)?.get_connection()?;
    let source = &CHECK.in_dialect(Dialect::Plain).source;
    redis::cmd("SCRIPT").arg("LOAD").arg(source.as_ref()).exec(&mut connection)
}
