//! Measures the Worker side by side with others, which share one Redis, one bridge and one origin.
//!
//! The program prints a table. It has no thresholds.

mod cold_start;
mod machine;
mod outcome;
mod report;
mod run;
mod run_error;
mod sample;
mod windows;

use std::{fs, io, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use sluicegate_bench::{
    scenario::Scenario,
    stage::{Stage, StageError},
    tools::{BUILT, Tools, ToolsError},
};
use sluicegate_bridge::stop_signal;

use crate::{
    machine::Machine,
    report::{Report, Table},
    run::Plan,
    run_error::RunError,
};

/// Measures the Worker side by side with others
#[derive(Debug, Parser)]
#[command(name = "sluicegate-bench", version)]
struct Options {
    /// Duration of one measurement, in seconds
    #[arg(long, env = "BENCH_SECONDS", default_value_t = 2.0, value_parser = seconds)]
    seconds: f64,
    /// Number of measurements of each kind
    #[arg(long, env = "BENCH_ROUNDS", default_value_t = 5, value_parser = rounds)]
    rounds: usize,
    /// The scenarios to run, such as a,b
    #[arg(long, env = "BENCH_SCENARIOS", default_value = "a,b,c,d,e,f", value_name = "LIST")]
    scenarios: String,
    /// Also write the numbers of each round to FILE as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The repository, after `make build`
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    root: PathBuf,
}

// One thread generates the whole load; the bridge and the origin have threads of their own.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = async {
        let stopped = stop_signal().map_err(BenchError::Signals)?;
        tokio::select! {
            () = stopped => Err(BenchError::Interrupted),
            outcome = bench(&options) => outcome,
        }
    };
    match outcome.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sluicegate-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the benchmark. Everything it starts ends when the future is dropped.
async fn bench(options: &Options) -> Result<(), BenchError> {
    let tools = Tools::find(&options.root, BUILT)?;
    let machine = Machine::here();
    let plan = Plan { each: Duration::from_secs_f64(options.seconds), rounds: options.rounds };
    let mut tables = Vec::new();
    for scenario in Scenario::named(&options.scenarios).map_err(BenchError::Scenarios)? {
        let mut stage = Stage::start(&tools, &scenario, false).await?;
        let outcome = run::run(&scenario, &mut stage, plan).await;
        stage.stop().await;
        tables.push(Table::new(&scenario, outcome?));
    }
    let report = Report { machine, seconds: options.seconds, rounds: options.rounds, scenarios: tables };
    println!("{report}");
    if let Some(path) = &options.json {
        let written =
            serde_json::to_vec_pretty(&report).map_err(io::Error::from).and_then(|json| fs::write(path, json));
        written.map_err(|source| BenchError::Json { path: path.clone(), source })?;
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error("{0}")]
    Scenarios(String),
    #[error(transparent)]
    Tools(#[from] ToolsError),
    #[error(transparent)]
    Stage(#[from] StageError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("{}: cannot be written: {source}", path.display())]
    Json { path: PathBuf, source: io::Error },
    #[error("signals cannot be received: {0}")]
    Signals(io::Error),
    #[error("interrupted")]
    Interrupted,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| NOT_SECONDS.to_owned())?;
    if (0.01..=600.0).contains(&seconds) { Ok(seconds) } else { Err(NOT_SECONDS.to_owned()) }
}

fn rounds(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(rounds @ 1..=1000) => Ok(rounds),
        _ => Err("expected 1 to 1000".to_owned()),
    }
}

const NOT_SECONDS: &str = "expected 0.01 to 600";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert_eq!(seconds("0.05"), Ok(0.05));
        for text in ["0", "-1", "NaN", "inf", "2s"] {
            assert_eq!(seconds(text), Err("expected 0.01 to 600".to_owned()), "{text}");
        }
        assert_eq!((rounds("5"), rounds("0")), (Ok(5), Err("expected 1 to 1000".to_owned())));
    }
}
