//! All parts together, on free ports, for an end-to-end test.

mod configuration;

use std::{io, path::PathBuf};

use serde_json::Value;
use sluicegate_bridge::{RedisServer, StartError};
use tempfile::TempDir;

use crate::{
    bridge::{BridgeServer, BridgeServerError},
    dev_vars::{ADMIN_TOKEN, REST_TOKEN, Secrets, write_privately},
    origin::{Origin, OriginError},
    throttle::Throttle,
    worker::{Worker, WorkerError, WorkerOptions},
};
pub use configuration::ConfigurationError;

/// What a test wants to be different from `make dev`.
#[derive(Clone, Debug)]
pub struct Options {
    /// The repository, whose `node_modules` has wrangler.
    pub root: PathBuf,
    /// The wrangler configuration (TOML) the Worker's own is derived from.
    pub config: PathBuf,
    /// Replaces the variable `SLUICEGATE` as a whole; a string stays a string, so that broken JSON can be tried.
    pub sluicegate: Option<Value>,
    /// More fields of the wrangler configuration, such as bindings; each replaces the file's own.
    pub configuration: Vec<(String, Value)>,
    /// Variables of the Worker that win over everything, also over the addresses and tokens of the parts.
    pub vars: Vec<(String, String)>,
    /// Environment variables of wrangler.
    pub environment: Vec<(String, String)>,
    /// More arguments for `redis-server`.
    pub redis_arguments: Vec<String>,
}

impl Default for Options {
    /// The repository this crate was built in, and its `wrangler.toml`.
    fn default() -> Self {
        let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let root = root.canonicalize().unwrap_or(root);
        Self {
            config: root.join("wrangler.toml"),
            root,
            sluicegate: None,
            configuration: Vec::new(),
            vars: Vec::new(),
            environment: Vec::new(),
            redis_arguments: Vec::new(),
        }
    }
}

/// redis-server, the bridge, the origin and the Worker, ready, each at a free port of 127.0.0.1.
///
/// The Worker reaches the bridge through [`Stack::network`], so that a test can make Redis slow; whatever a test asks
/// the bridge itself goes to it directly. Each part can be stopped and started again.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use sluicegate_devstack::{Options, Stack};
///
/// let stack = Stack::start(Options::default()).await?;
/// let reached = stack.origin.requests();
/// // … send a request to stack.worker.url() …
/// assert_eq!(stack.origin.requests(), reached + 1);
/// stack.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Stack {
    // Fields are dropped in this order: the Worker first, so that it does not see the others go.
    /// The Worker, in workerd.
    pub worker: Worker,
    /// The network between the Worker and the bridge.
    pub network: Throttle,
    /// The REST bridge.
    pub bridge: BridgeServer,
    /// The demo origin.
    pub origin: Origin,
    /// The private Redis.
    pub redis: RedisServer,
    /// The tokens of the bridge and of the Worker's admin API.
    pub secrets: Secrets,
    _folder: TempDir,
}

impl Stack {
    /// Starts all parts and waits until each is ready.
    ///
    /// # Errors
    ///
    /// The first part that could not be started, by name.
    pub async fn start(options: Options) -> Result<Self, StackError> {
        let secrets = Secrets::random()?;
        let redis = RedisServer::start_with(&options.redis_arguments).await?;
        let bridge = BridgeServer::start(0, secrets.rest_token.as_str(), redis.url()).await?;
        let network = Throttle::start(bridge.address()).await?;
        let origin = Origin::start(0).await?;

        let folder = tempfile::Builder::new().prefix("sluicegate-").tempdir()?;
        let config = folder.path().join("wrangler.json");
        let derived = configuration::derive(&options.config, options.sluicegate, options.configuration)?;
        write_privately(&config, &derived.to_string())?;
        let env_file = folder.path().join(".dev.vars");
        let Secrets { rest_token, admin_token } = &secrets;
        write_privately(&env_file, &format!("{REST_TOKEN}={rest_token}\n{ADMIN_TOKEN}={admin_token}\n"))?;

        let mut vars = addresses(&origin.url(), &network.url());
        vars.extend(options.vars);
        let mut environment = vec![("WRANGLER_CI_DISABLE_CONFIG_WATCHING".to_owned(), "true".to_owned())];
        environment.extend(options.environment);
        let worker =
            WorkerOptions { vars, environment, env_file: Some(env_file), ..WorkerOptions::new(options.root, config) };
        let worker = Worker::start(worker).await?;
        Ok(Self { worker, network, bridge, origin, redis, secrets, _folder: folder })
    }

    /// Ends all parts and waits until they have ended.
    pub async fn stop(mut self) {
        self.worker.stop().await;
        self.bridge.stop().await;
        self.origin.stop().await;
        self.redis.stop().await;
    }
}

/// The Worker's variables that say where the other parts are.
#[must_use]
pub fn addresses(origin: &str, rest: &str) -> Vec<(String, String)> {
    vec![("ORIGIN".to_owned(), origin.to_owned()), ("UPSTASH_REDIS_REST_URL".to_owned(), rest.to_owned())]
}

/// A part that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// `redis-server`.
    #[error("redis-server failed")]
    Redis(#[from] StartError),
    /// The bridge.
    #[error(transparent)]
    Bridge(#[from] BridgeServerError),
    /// The demo origin.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// The wrangler configuration.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The Worker.
    #[error("worker failed")]
    Worker(#[from] WorkerError),
    /// The folder of the configuration and the network to the bridge.
    #[error("stack cannot be set up")]
    Io(#[from] io::Error),
}
