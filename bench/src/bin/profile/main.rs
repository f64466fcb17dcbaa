//! Prints where the Worker spends its CPU time: microseconds per request by function, from workerd's inspector.

mod cpu_profile;
mod inspector;

use std::{io, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use sluicegate_bench::{
    contender::Contender,
    load::{Load, LoadError},
    scenario::Scenario,
    stage::{Stage, StageError},
    tools::{BUILT, Tools, ToolsError},
};
use sluicegate_bridge::stop_signal;
use tokio::time::{Instant, sleep_until};

use crate::{
    cpu_profile::CpuProfile,
    inspector::{Inspector, InspectorError},
};

/// Prints where the Worker spends its CPU time, by function
#[derive(Debug, Parser)]
#[command(name = "profile", version)]
struct Options {
    /// Duration of the profile, in seconds
    #[arg(long, env = "PROFILE_SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// The scenario of the benchmark that is profiled
    #[arg(long, env = "PROFILE_SCENARIO", default_value = "a", value_name = "LETTER")]
    scenario: String,
    /// The repository, after `make build`
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    root: PathBuf,
    /// The folder of the Worker in the repository
    #[arg(long, default_value = BUILT, value_name = "FOLDER")]
    worker: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = async {
        let stopped = stop_signal().map_err(ProfileError::Signals)?;
        tokio::select! {
            () = stopped => Err(ProfileError::Interrupted),
            outcome = profile(&options) => outcome,
        }
    };
    match outcome.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("profile: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn profile(options: &Options) -> Result<(), ProfileError> {
    let scenarios = Scenario::named(&options.scenario).map_err(ProfileError::Scenario)?;
    let tools = Tools::find(&options.root, &options.worker)?;
    for scenario in scenarios {
        let alone = Scenario { contenders: &[Contender::Sluicegate], ..scenario };
        let stage = Stage::start(&tools, &alone, true).await?;
        let profile = of_stage(&stage, Duration::from_secs(options.seconds)).await;
        stage.stop().await;
        println!("{}: {}\n\n{}", scenario.letter, scenario.title, profile?);
    }
    Ok(())
}

/// Profiles the Worker of a stage for `during`, while all connections are busy.
async fn of_stage(stage: &Stage, during: Duration) -> Result<CpuProfile, ProfileError> {
    let [(_, worker, traffic)] = stage.workers.as_slice() else { return Err(ProfileError::NoWorker) };
    let address = worker.inspector().ok_or(ProfileError::NoWorker)?;
    let mut load = Load::open(worker.address(), CONNECTIONS, traffic).await?;
    // V8 optimizes hot code; that is not part of the profile.
    load.run(Instant::now() + during / WARM_UP).await?;
    let end = Instant::now() + during;
    let profile = async {
        let mut inspector = Inspector::open(address).await?;
        inspector.start_profile().await?;
        sleep_until(end).await;
        Ok::<_, ProfileError>(inspector.stop_profile().await?)
    };
    // An isolate without requests does not serve its inspector, so the load goes on until the profile is there.
    let mut requests = 0;
    let busy = async {
        loop {
            requests += load.run(Instant::now() + SLICE).await?.answers.len();
        }
    };
    let profile = tokio::select! {
        profile = profile => profile?,
        failed = busy => return failed,
    };
    Ok(CpuProfile::new(&profile, requests))
}

#[derive(Debug, thiserror::Error)]
enum ProfileError {
    #[error("{0}")]
    Scenario(String),
    #[error("the scenario has no running Worker (choose another one than the cold start)")]
    NoWorker,
    #[error(transparent)]
    Tools(#[from] ToolsError),
    #[error(transparent)]
    Stage(#[from] StageError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Inspector(#[from] InspectorError),
    #[error("signals cannot be received: {0}")]
    Signals(io::Error),
    #[error("interrupted")]
    Interrupted,
}

const CONNECTIONS: usize = 8;
const WARM_UP: u32 = 4;
const SLICE: Duration = Duration::from_millis(20);
