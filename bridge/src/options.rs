//! The command-line options.

use std::net::SocketAddr;

use clap::{ArgGroup, Parser};
use sluicegate_bridge::Backend;

/// Upstash's REST protocol in front of any Redis, Redis Cluster or Valkey.
#[derive(Parser)]
#[command(version, group(ArgGroup::new("backend").required(true).args(["redis", "redis_cluster", "embedded"])))]
pub(crate) struct Options {
    /// The address to listen on; port 0 takes any free port.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8079")]
    pub(crate) listen: SocketAddr,

    /// One Redis or Valkey: `redis://[user:password@]host[:port][/db]` or `redis+unix:///path`.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,

    /// A Redis Cluster, given by the URLs of one or more of its nodes.
    #[arg(long, value_name = "URL,URL", value_delimiter = ',')]
    redis_cluster: Vec<String>,

    /// Start a private redis-server without persistence and stop it with the bridge. Set
    /// `SLUICEGATE_REDIS_SERVER` to use another program than the one on the PATH.
    #[arg(long)]
    pub(crate) embedded: bool,

    /// The token that clients must send. Prefer the variable: other users of this machine can read a command
    /// line.
    #[arg(long, env = "SLUICEGATE_BRIDGE_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl Options {
    /// Returns the token, or `None` if it is missing or empty.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref().filter(|token| !token.is_empty())
    }

    /// Returns the Redis given by `--redis` or `--redis-cluster`. Not meaningful with `--embedded`.
    pub(crate) fn backend(&self) -> Backend {
        match &self.redis {
            Some(url) => Backend::Redis(url.clone()),
            None => Backend::Cluster(self.redis_cluster.clone()),
        }
    }
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
    fn an_empty_token_counts_as_missing() {
        assert_eq!(parse("--embedded --token=").unwrap().token(), None);
        assert_eq!(parse("--embedded --token=t").unwrap().token(), Some("t"));
    }
}
