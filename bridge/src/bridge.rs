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
    traces::Traces,
};

/// A bridge that listens for HTTP and is connected to Redis.
pub struct Bridge {
    listener: TcpListener,
    address: SocketAddr,
    service: Service,
}

impl Bridge {
    /// Listens on `address` (port 0 takes any free port) and connects to Redis.
    ///
    /// # Errors
    ///
    /// Fails if the address is in use or not available, the token is empty, the URL is invalid, or Redis does
    /// not reply.
    pub async fn bind(address: SocketAddr, token: impl Into<String>, backend: Backend) -> Result<Self, BridgeError> {
        let token = Token::new(token.into()).ok_or(BridgeError::NoToken)?;
        let listen = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => BridgeError::AddressInUse(address),
            _ => BridgeError::Listen { address, source },
        };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let store = Store::open(backend).await?;
        let (scripts, metrics) = (ScriptRewriter::default(), Metrics::new());
        let service = Service { token, store, scripts, metrics, traces: None };
        Ok(Self { listener, address, service })
    }

    /// Sends a trace of each request.
    #[must_use]
    pub fn with_traces(mut self, traces: Traces) -> Self {
        self.service.traces = Some(traces);
        self
    }

    /// Returns the address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves requests until `shutdown` resolves, then waits up to 5 s for open requests to finish, and up to 5 s more for
    /// the last traces to be sent.
    ///
    /// # Errors
    ///
    /// Fails if the listening socket fails.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), BridgeError> {
        let (stop, mut stopped) = watch::channel(false);
        let signal = async move {
            shutdown.await;
            stop.send_replace(true);
        };
        let listener = self.listener.tap_io(|stream| {
            // An error only costs speed: the kernel may delay the end of a response.
            let _ = stream.set_nodelay(true);
        });
        let traces = self.service.traces.clone();
        let serve = axum::serve(listener, router(Arc::new(self.service))).with_graceful_shutdown(signal);
        let grace = async move {
            // An error means that the sender was dropped, which happens only after the signal.
            let _ = stopped.wait_for(|stopped| *stopped).await;
            sleep(SHUTDOWN_TIMEOUT).await;
        };
        let outcome = tokio::select! {
            outcome = serve.into_future() => outcome.map_err(BridgeError::Serve),
            () = grace => Ok(()),
        };
        if let Some(traces) = traces {
            traces.flush().await;
        }
        outcome
    }
}

const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
