//! The command line.

use std::net::SocketAddr;

use clap::{ArgGroup, Parser};
use sluicegate_bridge::Backend;

/// Upstash's REST protocol in front of any Redis, Redis Cluster or Valkey.
#[derive(Parser)]
#[command(version, group(ArgGroup::new("backend").required(true).args(["redis", "redis_cluster", "embedded"])))]
pub(crate) struct Options {
    /// Where to listen; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8079")]
    pub(crate) listen: SocketAddr,

    /// One Redis or Valkey: `redis://[user:password@]host[:port][/db]` or `redis+unix:///path`.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,

    /// A Redis Cluster, by one or more of its nodes.
    #[arg(long, value_name = "URL,URL", value_delimiter = ',')]
    redis_cluster: Vec<String>,

    /// Start a private redis-server that keeps nothing, and end it with the bridge. `SLUICEGATE_REDIS_SERVER` names
    /// another program than the one on the PATH.
    #[arg(long)]
    pub(crate) embedded: bool,

    /// The secret that clients must send. Other users of this machine can read a command line: prefer the variable.
    #[arg(long, env = "SLUICEGATE_BRIDGE_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl Options {
    /// None if there is none or it is empty.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref().filter(|token| !token.is_empty())
    }

    /// The Redis that was named; for `--embedded` its owner knows it.
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
    fn the_command_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn exactly_one_backend() {
        assert!(parse("").is_err());
        assert!(parse("--embedded --redis redis://a").is_err());
        assert!(parse("--redis-cluster redis://a --redis redis://a").is_err());
        assert!(parse("--embedded").unwrap().embedded);
        assert_eq!(parse("--redis redis://a").unwrap().backend(), Backend::Redis("redis://a".into()));
        let cluster = Backend::Cluster(vec!["redis://a".into(), "redis://b".into()]);
        assert_eq!(parse("--redis-cluster redis://a,redis://b").unwrap().backend(), cluster);
    }

    #[test]
    fn listens_on_loopback_unless_told_otherwise() {
        assert!(parse("--embedded").unwrap().listen.ip().is_loopback());
        assert_eq!(parse("--embedded --listen [::]:1").unwrap().listen.to_string(), "[::]:1");
    }

    #[test]
    fn an_empty_token_is_none() {
        assert_eq!(parse("--embedded --token=").unwrap().token(), None);
        assert_eq!(parse("--embedded --token=t").unwrap().token(), Some("t"));
    }
}
