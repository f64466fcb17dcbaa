//! Starts everything `make dev` serves, says where, and ends all of it on Ctrl-C, on SIGTERM, or when a part dies.

mod relay;

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
    process::{ExitCode, ExitStatus},
    time::Duration,
};

use clap::Parser;
use sluicegate_bridge::{RedisServer, StartError, stop_signal};
use sluicegate_devstack::{
    BridgeServer, Origin, Worker,
    bridge::BridgeServerError,
    dev_vars::{DevVarsError, Secrets},
    origin::OriginError,
    ports::{self, Port, PortError},
    stack,
    worker::{WorkerDeath, WorkerError, WorkerOptions},
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
    /// The repository: its tools are installed, and its secrets are kept there in .dev.vars
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    root: PathBuf,
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
    let told = stop_signal().map_err(DevError::Signals)?;
    ports::check(&[
        Port { setting: "PORT", number: settings.port },
        Port { setting: "REST_PORT", number: settings.rest_port },
        Port { setting: "ORIGIN_PORT", number: settings.origin_port },
    ])?;
    tokio::select! {
        // First, because Ctrl-C may reach a part as well: that is no death to report.
        biased;
        () = told => Ok(()),
        outcome = serve(settings) => outcome,
    }
}

/// Starts the parts and serves until one of them dies. All of them end when the future is dropped.
async fn serve(settings: &Settings) -> Result<(), DevError> {
    let root = settings.root.canonicalize().map_err(|source| DevError::NoRoot(settings.root.clone(), source))?;
    let dev_vars = root.join(".dev.vars");
    let secrets = Secrets::keep(&dev_vars)?;

    let mut redis = RedisServer::start().await?;
    println!("redis   {}", redis.url());
    let mut bridge = BridgeServer::start(settings.rest_port, secrets.rest_token, redis.url()).await?;
    println!("bridge  {}", bridge.url());
    let origin = Origin::start(settings.origin_port).await?;
    println!("origin  {}", origin.url());

    let worker = worker_options(settings, &root, dev_vars, stack::addresses(&origin.url(), &bridge.url()));
    let death = async {
        tokio::select! {
            status = redis.wait() => match status {
                Ok(status) => DevError::RedisDied(status),
                Err(source) => DevError::RedisLost(source),
            },
            error = bridge.wait() => DevError::Bridge(error),
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
    // wrangler runs at the root; a path the user gave is relative to where the user is.
    let config = std::path::absolute(&config).unwrap_or(config);
    WorkerOptions {
        port: settings.port,
        vars,
        // Named even where wrangler would find it, so that a configuration elsewhere means the same secrets.
        env_file: Some(dev_vars),
        patience: BUILD_WITHIN,
        ..WorkerOptions::new(root, config)
    }
}

/// Why the program ends with a failure; the part at fault comes first.
#[derive(Debug, thiserror::Error)]
enum DevError {
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("{}: not a folder (set --root to the repository)", .0.display())]
    NoRoot(PathBuf, #[source] io::Error),
    #[error(transparent)]
    DevVars(#[from] DevVarsError),
    #[error("signals cannot be received")]
    Signals(#[source] io::Error),
    #[error("redis-server failed")]
    Redis(#[from] StartError),
    #[error(transparent)]
    Bridge(#[from] BridgeServerError),
    #[error(transparent)]
    Origin(#[from] OriginError),
    #[error("worker failed")]
    Worker(#[from] WorkerError),
    #[error("redis-server died: {0}")]
    RedisDied(ExitStatus),
    #[error("redis-server is lost")]
    RedisLost(#[source] io::Error),
    #[error("worker died")]
    WorkerDied(#[source] WorkerDeath),
}

fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// A first release build takes minutes on a small machine, and what it prints is shown meanwhile.
const BUILD_WITHIN: Duration = Duration::from_mins(30);
