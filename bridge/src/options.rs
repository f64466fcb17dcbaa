//! The command-line options.

use std::{fs, io, net::SocketAddr, path::PathBuf};

use clap::{ArgGroup, Parser, Subcommand};
use sluicegate_bridge::Backend;

/// Upstash's REST protocol in front of any Redis, Redis Cluster or Valkey.
#[derive(Parser)]
#[command(version, subcommand_negates_reqs = true)]
#[command(group(ArgGroup::new("backend").required(true).args(["redis", "redis_cluster", "embedded"])))]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// The address to listen on; port 0 takes any free port.
    #[arg(long, value_name = "ADDRESS:PORT", env = "SLUICEGATE_BRIDGE_LISTEN", global = true)]
    #[arg(default_value = "127.0.0.1:8079")]
    pub(crate) listen: SocketAddr,

    /// One Redis or Valkey: `redis://[user:password@]host[:port][/db]` or `redis+unix:///path`. Prefer the variable
    /// if the URL contains a password.
    #[arg(long, value_name = "URL", env = "SLUICEGATE_BRIDGE_REDIS", hide_env_values = true)]
    redis: Option<String>,

    /// A Redis Cluster, given by the URLs of one or more of its nodes.
    #[arg(long, value_name = "URL,URL", value_delimiter = ',')]
    #[arg(env = "SLUICEGATE_BRIDGE_REDIS_CLUSTER", hide_env_values = true)]
    redis_cluster: Vec<String>,

    /// Start a private redis-server without persistence and stop it with the bridge. Set
    /// `SLUICEGATE_REDIS_SERVER` to use another program than the one on the PATH.
    #[arg(long)]
    pub(crate) embedded: bool,

    /// The token that clients must send. Prefer the variable or a file: other users of this machine can read a
    /// command line.
    #[arg(long, env = "SLUICEGATE_BRIDGE_TOKEN", hide_env_values = true)]
    token: Option<String>,

    /// A file that contains the token, such as a secret of systemd or Docker.
    #[arg(long, value_name = "PATH", env = "SLUICEGATE_BRIDGE_TOKEN_FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
}

/// What the program does instead of serving.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Ask the bridge that listens on the address whether it and its Redis are healthy, and exit with 0 if so.
    Health,
}

impl Options {
    /// Returns the token, or `None` if it is missing or empty. A file may end with a line break.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read.
    pub(crate) fn token(&self) -> Result<Option<String>, TokenFileError> {
        let token = match &self.token_file {
            Some(path) => {
                let text = fs::read_to_string(path);
                let text = text.map_err(|source| TokenFileError { path: path.clone(), source })?;
                Some(text.trim_end_matches(['\r', '\n']).to_owned())
            }
            None => self.token.clone(),
        };
        Ok(token.filter(|token| !token.is_empty()))
    }

    /// Returns the Redis given by `--redis` or `--redis-cluster`. Not meaningful with `--embedded`.
    pub(crate) fn backend(&self) -> Backend {
        match &self.redis {
            Some(url) => Backend::Redis(url.clone()),
            None => Backend::Cluster(self.redis_cluster.clone()),
        }
    }
}

/// The file with the token cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the token file: {}: {source} (check --token-file or SLUICEGATE_BRIDGE_TOKEN_FILE)", path.display())]
pub(crate) struct TokenFileError {
    path: PathBuf,
    source: io::Error,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(std::iter::once("sluicegate-bridge").chain(line.split_whitespace()))
    }

    #[test]
    fn the_options_are_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn exactly_one_backend_is_required() {
        assert!(parse("").is_err());
        assert!(parse("--embedded --redis redis://a").is_err());
        assert!(parse("--redis-cluster redis://a --redis redis://a").is_err());
        assert!(parse("--embedded").unwrap().embedded);
        assert_eq!(parse("--redis redis://a").unwrap().backend(), Backend::Redis("redis://a".into()));
        let cluster = Backend::Cluster(vec!["redis://a".into(), "redis://b".into()]);
        assert_eq!(parse("--redis-cluster redis://a,redis://b").unwrap().backend(), cluster);
    }

    #[test]
    fn listens_on_loopback_by_default() {
        assert!(parse("--embedded").unwrap().listen.ip().is_loopback());
        assert_eq!(parse("--embedded --listen [::]:1").unwrap().listen.to_string(), "[::]:1");
    }

    #[test]
    fn health_needs_an_address_only() {
        for line in ["health --listen [::]:1", "--listen [::]:1 health"] {
            let options = parse(line).unwrap();
            assert!(matches!(options.command, Some(Command::Health)), "{line}");
            assert_eq!(options.listen.to_string(), "[::]:1", "{line}");
        }
    }

    #[test]
    fn an_empty_token_counts_as_missing() {
        assert_eq!(parse("--embedded --token=").unwrap().token().unwrap(), None);
        assert_eq!(parse("--embedded --token=t").unwrap().token().unwrap().as_deref(), Some("t"));
    }

    #[test]
    fn a_token_file_may_end_with_a_line_break() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let options = parse(&format!("--embedded --token-file {}", file.path().display())).unwrap();
        for (text, token) in
            [("t", Some("t")), (" t u\n", Some(" t u")), ("t\r\n", Some("t")), ("\n", None), ("", None)]
        {
            fs::write(file.path(), text).unwrap();
            assert_eq!(options.token().unwrap().as_deref(), token, "{text:?}");
        }
        assert!(parse("--embedded --token t --token-file f").is_err());
    }
}
