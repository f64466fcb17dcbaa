//! The command line, as clap reads it.

mod check;
mod keys;
mod tenants;
mod usage;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use check::Check;
pub(crate) use keys::Keys;
pub(crate) use tenants::{Assignment, Create, LimitOverride, List, Tenants, Update};
pub(crate) use usage::{Refund, Usage};

/// Check a sluicegate configuration, manage the tenants of a running Worker, and find out what is wrong with it
#[derive(Debug, Parser)]
#[command(name = "sluicegate", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[arg(long, help = URL_HELP, global = true, env = "SLUICEGATE_URL", value_name = "URL")]
    pub(crate) url: Option<String>,

    /// Print JSON for programs: what the API answered, in place of a table
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a wrangler configuration before it is deployed; needs no network
    Validate(Validate),
    /// List, create, show, change and delete tenants
    #[command(subcommand)]
    Tenants(Tenants),
    /// List, create and revoke the API keys of a tenant
    #[command(subcommand)]
    Keys(Keys),
    /// Show what a tenant has used: each limit, today, and the days before
    Usage(Usage),
    /// Ask for a verdict, as a request would; exits with 1 if it is refused
    Check(Check),
    /// Give a tenant a fresh start: forget what all its limits have counted
    Reset {
        /// The tenant's id
        tenant: String,
    },
    /// Give units back that a tenant was charged
    Refund(Refund),
    /// Find out what is wrong with a deployment: each check, and what to do about it
    Doctor,
    /// Print a script that completes this program's arguments in a shell
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// The configuration: TOML, or JSON with comments
    #[arg(default_value = "wrangler.toml")]
    pub(crate) file: PathBuf,

    /// Check only this environment, the section `[env.NAME]`; "" is the top level of the file
    /// [default: the top level and every environment]
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,
}

const URL_HELP: &str = "Where the Worker is, for example https://api.example.com";

const AFTER_HELP: &str = "\
Environment:
  SLUICEGATE_URL          the same as --url
  SLUICEGATE_ADMIN_TOKEN  the Worker's admin token. There is no argument for it: other users of
                          the machine could read it

Exit codes:
  0  fine
  1  the answer is no: a problem was found, the Worker refused, or a check is over its limit
  2  the command line is wrong, or the URL or the token is missing
  3  no answer: the Worker cannot be reached, or what answers there is not sluicegate

A tenant in three commands:
  sluicegate tenants create acme --plan pro
  sluicegate keys create acme
  sluicegate usage acme";

const COMPLETIONS_HELP: &str = "\
For example:
  sluicegate completions bash > ~/.local/share/bash-completion/completions/sluicegate
  sluicegate completions zsh > ~/.zfunc/_sluicegate
  sluicegate completions fish > ~/.config/fish/completions/sluicegate.fish";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_is_consistent() {
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
