//! All parts together, on free ports, for end-to-end tests.

mod configuration;

use std::{io, path::PathBuf};

use serde_json::Value;
use sluicegate_bridge::RedisServer;
use tempfile::TempDir;

use crate::{
    backends::{BackendOptions, Backends, BackendsError},
    bridge::BridgeServer,
    dev_vars::{ADMIN_TOKEN, REST_TOKEN, Secrets, write_privately},
    network::Network,
    origin::Origin,
    worker::{Worker, WorkerError, WorkerOptions},
};
pub use configuration::ConfigurationError;

/// How a test's stack differs from that of `make dev`.
#[derive(Clone, Debug)]
pub struct Options {
    /// The repository; wrangler is in its `node_modules`.
    pub root: PathBuf,
    /// The wrangler configuration (TOML) from which the Worker's is derived.
    pub config: PathBuf,
    /// Replaces the variable `SLUICEGATE`; a string stays a string, so that a test can try invalid JSON.
    pub sluicegate: Option<Value>,
    /// More fields of the wrangler configuration, such as bindings; each replaces the field of the file.
    pub configuration: Vec<(String, Value)>,
    /// Variables of the Worker that override all others, also the addresses and tokens of the parts.
    pub vars: Vec<(String, String)>,
    /// Environment variables of wrangler.
    pub environment: Vec<(String, String)>,
    /// More arguments for `redis-server`.
    pub redis_arguments: Vec<String>,
}

impl Default for Options {
    /// Uses the repository this crate was built in, and its `wrangler.toml`.
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

/// A running redis-server, bridge, origin and Worker, each on a free port of 127.0.0.1.
///
/// The Worker reaches the bridge through [`Stack::network`], so that a test can make Redis slow. A test's own requests
/// to [`Stack::bridge`] go there directly. Each part can be stopped and restarted.
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
    // Fields are dropped in this order: the Worker first, so that it does not see the others end.
    /// The Worker, in workerd.
    pub worker: Worker,
    /// The network between the Worker and the bridge.
    pub network: Network,
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
    /// Fails if a part cannot be started; the error names it.
    pub async fn start(options: Options) -> Result<Self, StackError> {
        let secrets = Secrets::random()?;
        let backends = BackendOptions { redis_arguments: options.redis_arguments, ..BackendOptions::default() };
        let Backends { bridge, origin, redis } = Backends::start(&secrets.rest_token, &backends).await?;
        let network = Network::start(bridge.address()).await?;

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

    /// Stops all parts and waits until they have ended.
    pub async fn stop(mut self) {
        self.worker.stop().await;
        Backends { bridge: self.bridge, origin: self.origin, redis: self.redis }.stop().await;
    }
}

/// Returns the Worker's variables that hold the addresses of the other parts.
#[must_use]
pub fn addresses(origin: &str, rest: &str) -> Vec<(String, String)> {
    vec![("ORIGIN".to_owned(), origin.to_owned()), ("UPSTASH_REDIS_REST_URL".to_owned(), rest.to_owned())]
}

/// A part that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// Redis, the bridge or the origin.
    #[error(transparent)]
    Backends(#[from] BackendsError),
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
