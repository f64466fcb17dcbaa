//! The command line.

mod check;
mod config;
mod explain;
mod keys;
mod subjects;
#[cfg(target_arch = "wasm32")]
mod task;
mod tenants;
mod usage;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use check::Check;
pub(crate) use config::{Config, Namespace};
pub(crate) use explain::Explain;
pub(crate) use keys::Keys;
pub(crate) use subjects::Subjects;
#[cfg(target_arch = "wasm32")]
pub use task::Task;
pub(crate) use tenants::{Assignment, Create, LimitOverride, List, Tenants, Update};
pub(crate) use usage::{Refund, Usage};

/// Validate a sluicegate configuration, manage the tenants of a running Worker, and diagnose it
#[derive(Debug, Parser)]
#[command(name = "sluicegate", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[arg(long, help = URL_HELP, global = true, env = URL, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[cfg(target_arch = "wasm32")]
    #[command(flatten)]
    Task(Task),
    /// Validate a wrangler configuration, or a configuration alone, before you deploy it; needs no network
    Validate(Validate),
    /// Put a configuration into KV, print it, compare it; needs wrangler
    #[command(subcommand)]
    Config(Config),
    /// List, create, show, update and delete tenants
    #[command(subcommand)]
    Tenants(Tenants),
    /// List, create and revoke the API keys of a tenant
    #[command(subcommand)]
    Keys(Keys),
    /// Show which tenants used most today, and which are near a limit
    Overview,
    /// Show the usage of a tenant: each limit, today, and previous days
    Usage(Usage),
    /// Check limits as a request would, and charge it; exits with 1 if they deny it
    Check(Check),
    /// Explain what would happen to a request: its route, caller, limits, cost and origin; charges nothing
    Explain(Explain),
    /// Reset all limits of a tenant to their full quota
    Reset {
        /// The tenant's id
        tenant: String,

        #[command(flatten)]
        subjects: Subjects,
    },
    /// Give back units that a tenant was charged
    Refund(Refund),
    /// Diagnose a deployment: the Worker, its Redis, and a remedy for each problem
    Doctor,
    /// Print a shell completion script
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// The wrangler configuration or sluicegate's alone: TOML, or JSON with comments
    #[arg(default_value = "wrangler.toml")]
    pub(crate) file: PathBuf,

    /// Check only this environment, the section `[env.NAME]`; "" is the top level of the file
    /// [default: the top level and every environment]
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,

    /// If it is valid, write the module here that the Worker imports: the file that `SLUICEGATE_FILE` names, or null.
    /// `make deploy` does this
    #[arg(long, value_name = "FILE", requires = "env")]
    pub(crate) bundle: Option<PathBuf>,
}

/// The variable of the environment that is the same as `--url`.
pub(crate) const URL: &str = "SLUICEGATE_URL";

const URL_HELP: &str = "The address of the Worker, for example https://api.example.com";

const AFTER_HELP: &str = "\
Environment:
  SLUICEGATE_URL          the same as --url
  SLUICEGATE_ADMIN_TOKEN  the Worker's admin token. There is no flag for it, because other users
                          of the machine could read it

Exit codes:
  0  success
  1  a problem was found, the Worker refused the request, or a check was denied
  2  the command line is invalid, or the URL or the token is missing
  3  the Worker is unreachable, or the response is not from sluicegate

A tenant in three commands:
  sluicegate tenants create acme --plan pro
  sluicegate keys create acme
  sluicegate usage acme";

const COMPLETIONS_HELP: &str = "\
Examples:
  sluicegate completions bash > ~/.local/share/bash-completion/completions/sluicegate
  sluicegate completions zsh > ~/.zfunc/_sluicegate
  sluicegate completions fish > ~/.config/fish/completions/sluicegate.fish";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn no_argument_takes_the_token() {
        fn arguments(command: &clap::Command) -> Vec<String> {
            let own = command.get_arguments().map(|argument| argument.get_id().to_string());
            own.chain(command.get_subcommands().flat_map(arguments)).collect()
        }
        let arguments = arguments(&Options::command());
        assert!(arguments.contains(&"url".to_owned()), "{arguments:?}");
        assert!(!arguments.iter().any(|name| name.contains("token")), "{arguments:?}");
    }
}
