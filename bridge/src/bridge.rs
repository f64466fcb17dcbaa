//! The HTTP server.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::serve::ListenerExt;
use tokio::{net::TcpListener, sync::watch, time::sleep};

use crate::{
    auth::Token,
    backend::{Backend, Store},
    bridge_error::BridgeError,
    metrics::Metrics,
    rest::router,
    script_rewriter::ScriptRewriter,
    service::Service,
};

/// A bridge that listens, with Redis behind it.
pub struct Bridge {
    listener: TcpListener,
    address: SocketAddr,
    service: Arc<Service>,
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
        let service = Service { token, store, scripts: ScriptRewriter::default(), metrics: Metrics::new() };
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

const GRACE: Duration = Duration::from_secs(5);
