//! `sluicegate`: validates a configuration, manages tenants, diagnoses a deployment.

mod address;
mod client;
mod commands;
mod configuration;
mod doctor;
mod failure;
mod options;
mod problem;
mod report;
mod span;
mod table;
mod validate;

use std::process::ExitCode;
use std::{env, io};

use clap::{CommandFactory, Parser};
use sluicegate::config::environment::ADMIN_TOKEN;

use crate::client::Client;
use crate::failure::Failure;
use crate::options::{Command, Options};
use crate::report::Report;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = run(&options).await;
    let (printed, code) = match &outcome {
        Ok(report) => (report.print(options.json), if report.success { ExitCode::SUCCESS } else { ExitCode::from(1) }),
        Err(failure) => (failure.print(options.json), failure.exit_code()),
    };
    match printed {
        Ok(()) => code,
        // The reader of the output has closed the pipe: `sluicegate … | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => code,
        Err(_) => ExitCode::from(3),
    }
}

async fn run(options: &Options) -> Result<Report, Failure> {
    let client = || Client::new(options.url.as_deref(), &token());
    match &options.command {
        Command::Validate(validate) => validate::run(validate),
        Command::Config(config) => configuration::run(config).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Options::command(), NAME, &mut script);
            Ok(Report { text: String::from_utf8_lossy(&script).trim_end().to_owned(), ..Report::empty() })
        }
        Command::Doctor => doctor::run(options.url.as_deref(), &token()).await,
        Command::Tenants(tenants) => commands::tenants::run(&client()?, tenants).await,
        Command::Keys(keys) => commands::keys::run(&client()?, keys).await,
        Command::Overview => commands::overview::run(&client()?).await,
        Command::Usage(usage) => commands::usage::run(&client()?, usage).await,
        Command::Check(check) => commands::check::run(&client()?, check).await,
        Command::Explain(explain) => match &explain.config {
            Some(file) => commands::explain::offline(explain, file),
            None => commands::explain::online(&client()?, explain).await,
        },
        Command::Reset { tenant, subjects } => commands::charges::reset(&client()?, tenant, subjects).await,
        Command::Refund(refund) => commands::charges::refund(&client()?, refund).await,
    }
}

/// Returns the admin token, or an empty string. Only the environment may hold it: every user of a machine can read
/// the arguments of its processes.
fn token() -> String {
    env::var(ADMIN_TOKEN).unwrap_or_default()
}

/// The name of the program.
const NAME: &str = "sluicegate";
