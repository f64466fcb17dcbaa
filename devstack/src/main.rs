//! Starts the parts of `make dev`, prints their addresses, and stops them on Ctrl-C, on SIGTERM, or when one dies.

mod relay;

use std::{
    env, io,
    path::{Path, PathBuf},
    process::{ExitCode, ExitStatus},
    time::Duration,
};

use clap::Parser;
use sluicegate_bridge::stop_signal;
use sluicegate_devstack::{
    Backends, Worker,
    backends::{BackendOptions, BackendsError},
    bridge::BridgeServerError,
    causes::with_causes,
    dev_vars::{DevVarsError, Secrets},
    ports::{self, Port, PortError},
    stack,
    worker::{WorkerDeath, WorkerError, WorkerOptions},
    zone::has_zone_routes,
};

/// Starts redis-server, the REST bridge, a demo origin and the Worker on 127.0.0.1.
#[derive(Debug, Parser)]
#[command(name = "sluicegate-devstack", version)]
struct Settings {
    /// Port of the Worker
    #[arg(long, env = "PORT", default_value_t = 8787)]
    port: u16,
    /// Port of the REST bridge
    #[arg(long, env = "REST_PORT", default_value_t = 8079)]
    rest_port: u16,
    /// Port of the demo origin
    #[arg(long, env = "ORIGIN_PORT", default_value_t = 9000)]
    origin_port: u16,
    /// wrangler's configuration file [default: wrangler.toml at the root]
    #[arg(long, env = "CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder in which wrangler runs; the secrets are in its .dev.vars
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    root: PathBuf,
    /// The program wrangler [default: the installed one]
    #[arg(long, value_name = "FILE")]
    wrangler: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Settings::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: &Settings) -> Result<(), DevError> {
    let stopped = stop_signal().map_err(DevError::Signals)?;
    ports::check(&[
        Port { setting: "PORT", number: settings.port },
        Port { setting: "REST_PORT", number: settings.rest_port },
        Port { setting: "ORIGIN_PORT", number: settings.origin_port },
    ])?;
    tokio::select! {
        // First: Ctrl-C may also end a part, which is not an error.
        biased;
        () = stopped => Ok(()),
        outcome = serve(settings) => outcome,
    }
}

/// Starts the parts and waits until one of them dies. All of them end when the future is dropped.
async fn serve(settings: &Settings) -> Result<(), DevError> {
    let root = settings.root.canonicalize().map_err(|source| DevError::NoRoot(settings.root.clone(), source))?;
    let dev_vars = root.join(".dev.vars");
    let secrets = Secrets::keep(&dev_vars)?;

    let options = BackendOptions {
        rest_port: settings.rest_port,
        origin_port: settings.origin_port,
        ..BackendOptions::default()
    };
    let Backends { mut bridge, origin, mut redis } = Backends::start(&secrets.rest_token, &options).await?;
    println!("redis   {}", redis.url());
    println!("bridge  {}", bridge.url());
    println!("origin  {}", origin.url());

    let mut worker = worker_options(settings, &root, dev_vars, stack::addresses(&origin.url(), &bridge.url()));
    worker.upstream = has_zone_routes(&worker.config).then(|| origin.address());
    let death = async {
        tokio::select! {
            status = redis.wait() => match status {
                Ok(status) => DevError::RedisDied(status),
                Err(source) => DevError::RedisLost(source),
            },
            error = bridge.wait() => DevError::BridgeDied(error),
        }
    };
    tokio::pin!(death);
    let starting = Worker::start_and_show(worker, |log| drop(tokio::spawn(relay::relay(log.follow()))));
    let mut worker = tokio::select! {
        worker = starting => worker?,
        error = &mut death => return Err(error),
    };
    println!("worker  {}", worker.url());
    println!("ready {}", worker.url());
    Err(tokio::select! {
        death = worker.wait() => DevError::WorkerDied(death),
        error = death => error,
    })
}

fn worker_options(settings: &Settings, root: &Path, dev_vars: PathBuf, vars: Vec<(String, String)>) -> WorkerOptions {
    let config = settings.config.clone().unwrap_or_else(|| root.join("wrangler.toml"));
    // wrangler runs in the root; a path given by the user is relative to the user's folder.
    let config = std::path::absolute(&config).unwrap_or(config);
    WorkerOptions {
        port: settings.port,
        vars,
        wrangler: settings.wrangler.clone(),
        // Named explicitly, so that a configuration in another folder uses the same secrets.
        env_file: Some(dev_vars),
        // Where wrangler finds the Workers that run on this machine, for service bindings to them.
        environment: env::var(REGISTRY).map(|path| vec![(REGISTRY.to_owned(), path)]).unwrap_or_default(),
        patience: BUILD_WITHIN,
        ..WorkerOptions::new(root, config)
    }
}

/// Why the program fails; the message starts with the part at fault.
#[derive(Debug, thiserror::Error)]
enum DevError {
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("{}: not a folder (set --root to another one)", .0.display())]
    NoRoot(PathBuf, #[source] io::Error),
    #[error(transparent)]
    DevVars(#[from] DevVarsError),
    #[error("signals cannot be received")]
    Signals(#[source] io::Error),
    #[error(transparent)]
    Backends(#[from] BackendsError),
    #[error(transparent)]
    BridgeDied(BridgeServerError),
    #[error("worker failed")]
    Worker(#[from] WorkerError),
    #[error("redis-server died: {0}")]
    RedisDied(ExitStatus),
    #[error("redis-server is lost")]
    RedisLost(#[source] io::Error),
    #[error("worker died")]
    WorkerDied(#[source] WorkerDeath),
}

/// The folder in which the Workers of this machine find each other.
const REGISTRY: &str = "WRANGLER_REGISTRY_PATH";

/// A first release build takes minutes on a small machine.
const BUILD_WITHIN: Duration = Duration::from_mins(30);
