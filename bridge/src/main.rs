//! `sluicegate-bridge`: Upstash's REST protocol in front of any Redis.

mod health;
mod options;

use std::{io, process::ExitCode};

use clap::Parser;
use sluicegate_bridge::{
    Backend, Bridge, BridgeError, RedisServer, StartError, Traces, TracesError, random_token, stop_signal,
};

use crate::{
    health::HealthError,
    options::{Command, Options, TokenFileError},
};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sluicegate-bridge: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Error> {
    match &options.command {
        Some(Command::Health) => {
            println!("{}", health::check(options.listen).await?);
            Ok(())
        }
        None => serve(options).await,
    }
}

async fn serve(options: Options) -> Result<(), Error> {
    let stop = stop_signal()?;
    let traces = Traces::from_environment()?;
    let mut embedded = if options.embedded { Some(RedisServer::start().await?) } else { None };
    let token = match options.token()? {
        Some(token) => token,
        None if options.embedded => {
            let token = random_token()?;
            println!("token {token}");
            token
        }
        None => return Err(Error::NoToken),
    };
    let backend = match &embedded {
        Some(redis) => Backend::Redis(redis.url()),
        None => options.backend(),
    };
    let mut bridge = Bridge::bind(options.listen, token, backend).await?;
    if let Some(traces) = traces {
        bridge = bridge.with_traces(traces);
    }
    println!("ready http://{}", bridge.address());
    let outcome = match &mut embedded {
        Some(redis) => tokio::select! {
            outcome = bridge.run(stop) => outcome.map_err(Error::from),
            _ = redis.wait() => Err(Error::RedisEnded),
        },
        None => bridge.run(stop).await.map_err(Error::from),
    };
    if let Some(redis) = &mut embedded {
        redis.stop().await;
    }
    outcome
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("no token (set SLUICEGATE_BRIDGE_TOKEN or give --token-file; --embedded generates one)")]
    NoToken,
    #[error("the embedded redis ended")]
    RedisEnded,
    #[error(transparent)]
    TokenFile(#[from] TokenFileError),
    #[error(transparent)]
    Health(#[from] HealthError),
    #[error(transparent)]
    Bridge(#[from] BridgeError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Traces(#[from] TracesError),
    #[error(transparent)]
    Io(#[from] io::Error),
}
