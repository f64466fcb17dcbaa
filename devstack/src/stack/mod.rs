//! All parts together, on free ports, for end-to-end tests.

mod configuration;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
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
    /// More secrets of the Worker; unlike variables, no log of wrangler has them.
    pub secrets: Vec<(String, String)>,
    /// Environment variables of wrangler.
    pub environment: Vec<(String, String)>,
    /// The origin that replaces `ORIGIN`; by default the demo origin's URL.
    pub origin: OriginKind,
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
            secrets: Vec::new(),
            environment: Vec::new(),
            origin: OriginKind::Path(""),
            redis_arguments: Vec::new(),
        }
    }
}

/// How the Worker reaches the demo origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginKind {
    /// By its URL, with this path.
    Path(&'static str),
    /// Through a second Worker, behind the service binding [`SECOND_WORKER`].
    Service,
    /// By the URL of the client's request, as on a zone. So the host in this URL is the origin's.
    Zone,
}

/// The name of the service binding to the second Worker.
pub const SECOND_WORKER: &str = "SECOND";

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
        let mut derived = configuration::derive(&options.config, options.sluicegate, options.configuration)?;
        let second = matches!(options.origin, OriginKind::Service);
        let more = if second { vec![second_worker(folder.path(), &mut derived, &origin.url())?] } else { Vec::new() };
        write_privately(&config, &derived.to_string())?;
        let env_file = folder.path().join(".dev.vars");
        let Secrets { rest_token, admin_token } = &secrets;
        let mut lines = format!("{REST_TOKEN}={rest_token}\n{ADMIN_TOKEN}={admin_token}\n");
        for (name, value) in &options.secrets {
            lines.extend([name, "=", value, "\n"]);
        }
        write_privately(&env_file, &lines)?;

        let (upstream, origin_variable) = match options.origin {
            OriginKind::Path(path) => (None, format!("{}{path}", origin.url())),
            OriginKind::Service => (None, format!("service:{SECOND_WORKER}")),
            OriginKind::Zone => (Some(origin.address()), "zone".to_owned()),
        };
        let mut vars = addresses(&origin_variable, &network.url());
        vars.extend(options.vars);
        let mut environment = vec![("WRANGLER_CI_DISABLE_CONFIG_WATCHING".to_owned(), "true".to_owned())];
        environment.extend(options.environment);
        let worker = WorkerOptions {
            vars,
            environment,
            env_file: Some(env_file),
            more,
            upstream,
            ..WorkerOptions::new(options.root, config)
        };
        let worker = Worker::start(worker).await?;
        Ok(Self { worker, network, bridge, origin, redis, secrets, _folder: folder })
    }

    /// Stops all parts and waits until they have ended.
    pub async fn stop(mut self) {
        self.worker.stop().await;
        Backends { bridge: self.bridge, origin: self.origin, redis: self.redis }.stop().await;
    }
}

/// Writes a Worker that passes requests to `upstream`, binds it to the Worker with the configuration `first`, and returns the
/// path of its configuration.
fn second_worker(folder: &Path, first: &mut Value, upstream: &str) -> io::Result<PathBuf> {
    let folder = folder.join("second");
    fs::create_dir(&folder)?;
    fs::write(folder.join("index.js"), include_str!("second_worker.js"))?;
    let name = "second";
    let config = json!({
        "name": name,
        "main": "index.js",
        "compatibility_date": first.get("compatibility_date"),
        "vars": { "UPSTREAM": upstream },
    });
    if let Value::Object(first) = first {
        first.insert("services".to_owned(), json!([{ "binding": SECOND_WORKER, "service": name }]));
    }
    let path = folder.join("wrangler.json");
    fs::write(&path, config.to_string())?;
    Ok(path)
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
