//! The command line `sluicegate`: validates a configuration, manages tenants, diagnoses a deployment.
//!
//! [`run`] is the whole program but its standard streams. It runs natively, as the program `sluicegate`, and as
//! WebAssembly in Node.js, as `npx sluicegate`.

mod address;
mod client;
mod commands;
mod configuration;
mod doctor;
mod failure;
mod host;
mod options;
mod output;
mod problem;
mod report;
mod span;
mod table;
mod validate;

use std::ffi::OsString;

use clap::{CommandFactory, Parser};
use sluicegate::config::environment::ADMIN_TOKEN;

use crate::client::Client;
use crate::failure::Failure;
use crate::options::{Command, Options, URL};
use crate::report::Report;

#[cfg(target_arch = "wasm32")]
pub use crate::options::Task;
pub use crate::output::Output;

/// Runs the command line; the first argument is the name of the program.
pub async fn run(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Output {
    let options = match Options::try_parse_from(arguments) {
        Ok(options) => options,
        Err(error) => return Output::of_parser(&error),
    };
    #[cfg(target_arch = "wasm32")]
    if let Command::Task(task) = options.command {
        return Output { task: Some(task), ..Output::default() };
    }

    // In Node.js, clap sees no environment.
    let options = Options { url: options.url.or_else(|| host::variable(URL)), ..options };
    match execute(&options).await {
        Ok(report) => report.output(options.json),
        Err(failure) => failure.output(options.json),
    }
}

async fn execute(options: &Options) -> Result<Report, Failure> {
    let client = || Client::new(options.url.as_deref(), &token());
    match &options.command {
        #[cfg(target_arch = "wasm32")]
        Command::Task(_) => Ok(Report::empty()),
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
    host::variable(ADMIN_TOKEN).unwrap_or_default()
}

/// The name of the program.
const NAME: &str = "sluicegate";
