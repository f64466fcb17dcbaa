//! The errors of starting and running a bridge.

use std::{io, net::SocketAddr};

use redis::RedisError;

/// An error that prevents a bridge from starting, or stops it.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// Another process listens on the address.
    #[error("address in use: {0} (stop what listens there, or choose another port)")]
    AddressInUse(SocketAddr),
    /// The bridge cannot listen on the address for another reason.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The token is empty.
    #[error("the token is empty (every request needs one)")]
    NoToken,
    /// The Redis URL is invalid or not supported. The message contains no password.
    #[error("bad redis url: {url}: {reason}")]
    BadUrl {
        /// The URL without user and password.
        url: String,
        /// The problem with the URL.
        reason: String,
    },
    /// Redis did not reply when the bridge started.
    #[error("redis is unreachable: {url}: {reason} (start it, or give another address)")]
    RedisUnreachable {
        /// The URL without user and password.
        url: String,
        /// The error of the connection.
        reason: String,
    },
    /// The HTTP server failed.
    #[error("the bridge stopped: {0}")]
    Serve(io::Error),
}

impl BridgeError {
    pub(crate) fn bad_url(url: &str, error: &RedisError) -> Self {
        Self::BadUrl { url: without_password(url), reason: error.to_string() }
    }

    pub(crate) fn unreachable(url: &str, reason: String) -> Self {
        Self::RedisUnreachable { url: without_password(url), reason }
    }

    pub(crate) fn encrypted(url: &str) -> Self {
        let reason = "encrypted connections are not supported (run the bridge next to redis)".to_owned();
        Self::BadUrl { url: without_password(url), reason }
    }
}

/// Hides user and password, and drops the query, of each URL in a comma-separated list.
fn without_password(urls: &str) -> String {
    let hide = |url: &str| {
        let url = url.split('?').next().unwrap_or_default();
        match (url.split_once("://"), url.rfind('@')) {
            (Some((scheme, _)), Some(at)) => format!("{scheme}://…{}", url.get(at..).unwrap_or_default()),
            _ => url.to_owned(),
        }
    };
    urls.split(',').map(hide).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_contain_no_password() {
        assert_eq!(without_password("redis://user:p@ss@host:1/2"), "redis://…@host:1/2");
        assert_eq!(without_password("redis://:secret@a,redis://b"), "redis://…@a,redis://b");
        assert_eq!(without_password("redis+unix:///a.sock?pass=secret"), "redis+unix:///a.sock");
        assert_eq!(without_password("nonsense"), "nonsense");
    }
}
