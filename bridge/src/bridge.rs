//! The HTTP server.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::serve::ListenerExt;
use redis::RedisError;
use tokio::{net::TcpListener, sync::watch, time::sleep};

use crate::{
    auth::Token,
    backend::{Backend, Store},
    metrics::Metrics,
    rest::{Service, router},
    scripts::KeyLocking,
};

/// A bridge that listens, with Redis behind it.
pub struct Bridge {
    listener: TcpListener,
    address: SocketAddr,
    service: Arc<Service>,
}

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

impl Bridge {
    /// Listens at `address` (port 0: any free port) and connects to Redis.
    ///
    /// # Errors
    ///
    /// The address is in use or not ours, the token is empty, the URL is bad, or Redis does not answer.
    pub async fn bind(address: SocketAddr, token: impl Into<String>, backend: Backend) -> Result<Self, BridgeError> {
        let token = Token::new(token.into()).ok_or(BridgeError::NoToken)?;
        let listen = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => BridgeError::AddressInUse(address),
            _ => BridgeError::Listen { address, source },
        };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let store = Store::open(backend).await?;
        let service = Service { token, store, scripts: KeyLocking::default(), metrics: Metrics::new() };
        Ok(Self { listener, address, service: Arc::new(service) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` resolves, then lets open requests end, for 5 s at most.
    ///
    /// # Errors
    ///
    /// The listening socket failed.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), BridgeError> {
        let (stop, mut stopped) = watch::channel(false);
        let signal = async move {
            shutdown.await;
            stop.send_replace(true);
        };
        let listener = self.listener.tap_io(|stream| {
            // Without it the kernel may hold back the end of an answer; nothing is wrong but the speed.
            let _ = stream.set_nodelay(true);
        });
        let serve = axum::serve(listener, router(self.service)).with_graceful_shutdown(signal);
        let grace = async move {
            // An error means that the signal's sender is gone, which is after the signal as well.
            let _ = stopped.wait_for(|stopped| *stopped).await;
            sleep(GRACE).await;
        };
        tokio::select! {
            outcome = serve.into_future() => outcome.map_err(BridgeError::Serve),
            () = grace => Ok(()),
        }
    }
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

const GRACE: Duration = Duration::from_secs(5);

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
