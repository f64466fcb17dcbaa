//! Why a bridge cannot start or stopped.

use std::{io, net::SocketAddr};

use redis::RedisError;

/// Why a bridge cannot start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// The address is taken.
    #[error("address in use: {0} (end what listens there, or choose another port)")]
    AddressInUse(SocketAddr),
    /// The address cannot be listened at for another reason.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The token is empty.
    #[error("the token is empty (every request needs one)")]
    NoToken,
    /// A Redis URL that is not one, or cannot be served. Passwords are left out.
    #[error("bad redis url: {url}: {reason}")]
    BadUrl {
        /// The URL without user and password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Redis did not answer when the bridge started.
    #[error("redis is unreachable: {url}: {reason} (start it, or give another address)")]
    RedisUnreachable {
        /// The URL without user and password.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The server stopped by itself.
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
        let reason = "encrypted connections are not supported (run the bridge beside redis)".to_owned();
        Self::BadUrl { url: without_password(url), reason }
    }
}

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
    fn a_url_is_shown_without_its_password() {
        assert_eq!(without_password("redis://user:p@ss@host:1/2"), "redis://…@host:1/2");
        assert_eq!(without_password("redis://:secret@a,redis://b"), "redis://…@a,redis://b");
        assert_eq!(without_password("redis+unix:///a.sock?pass=secret"), "redis+unix:///a.sock");
        assert_eq!(without_password("nonsense"), "nonsense");
    }
}
