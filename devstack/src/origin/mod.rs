//! The demo origin: an HTTP server whose every path shows or does one thing a proxy can get wrong.
//!
//! | path | answer |
//! | --- | --- |
//! | `/status/CODE` | that status |
//! | `/slow/MS` | the echo, after MS milliseconds |
//! | `/stream?n=&every=&gate=&tokens=` | `n` pieces of text, one at a time |
//! | `/broken?n=&every=&gate=&tokens=` | the same, but then the connection breaks off |
//! | `/sse?n=&every=&gate=` | `n` server-sent events, one at a time |
//! | `/ws` | a WebSocket that sends back what it gets; the text `close CODE REASON` makes it close |
//! | `/bytes/N` | N bytes of [`pattern`] |
//! | `/upload` | how many body bytes came, and whether they were [`pattern`] |
//! | `/cookies` | three `Set-Cookie` headers |
//! | `/redirect/CODE?to=` | a redirect |
//! | `/gzip` | a compressed body |
//! | `/headers?Name=value&…` | an answer with those headers |
//! | `/late/GATE?Name=value&…` | the same, once that gate lets one through |
//! | anything else | the echo: the request as JSON |
//!
//! The echo is `{"method", "target", "version", "headers": [[name, value], …], "body": {"length", "sha1", "text"}}`:
//! `target` is the request target byte for byte, `text` is null for a body above 64 KiB or not UTF-8, and the headers
//! keep their order and repetitions but not the case of their names.
//!
//! `every` is in milliseconds, and `tokens=N` adds the header `X-Tokens-Used: N`. With `gate=NAME` a piece is sent only when the test calls [`Origin::release`], so that
//! piecewise delivery is proved without a clock. Every answer carries `X-Origin-Request: N`, the count of requests
//! that have reached the origin.

mod answers;
mod echo;
mod pieces;
mod socket;
mod state;
mod volume;

use std::{io, net::SocketAddr, sync::Arc};

use axum::{Router, middleware, routing::any, serve::ListenerExt};
use tokio::net::TcpListener;

use crate::host::Host;
use state::State;
pub use volume::pattern;

/// A demo origin that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Origin {
    address: SocketAddr,
    state: Arc<State>,
    host: Option<Host>,
}

impl Origin {
    /// Starts an origin on 127.0.0.1 at `port`; 0 takes a free one.
    ///
    /// # Errors
    ///
    /// The port cannot be opened.
    pub async fn start(port: u16) -> Result<Self, OriginError> {
        let state = Arc::new(State::default());
        let (host, address) = serve(SocketAddr::from(([127, 0, 0, 1], port)), Arc::clone(&state)).await?;
        Ok(Self { address, state, host: Some(host) })
    }

    /// Where it listens, also while it is stopped.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests have reached it since [`Origin::start`], whatever their path.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.state.requests()
    }

    /// How many requests have reached it with exactly this path, without the query.
    #[must_use]
    pub fn requests_to(&self, path: &str) -> u64 {
        self.state.requests_to(path)
    }

    /// How many streamed bodies (`/stream`, `/broken`, `/sse`, `/bytes`) it is sending at this moment.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.state.open_streams()
    }

    /// How many body bytes it has handed to the network for `/stream`, `/broken`, `/sse` and `/bytes`.
    #[must_use]
    pub fn bytes_streamed(&self) -> u64 {
        self.state.bytes_streamed()
    }

    /// Lets one more piece through the gate `name`, now or when a stream comes to it.
    pub fn release(&self, name: &str) {
        self.state.gate(name).add_permits(1);
    }

    /// Closes the port and every connection at once; counts stay.
    pub async fn stop(&mut self) {
        if let Some(host) = self.host.take() {
            host.stop().await;
        }
    }

    /// Starts again at the same address, stopping first if needed.
    ///
    /// # Errors
    ///
    /// Somebody else has opened the port in the meantime.
    pub async fn restart(&mut self) -> Result<(), OriginError> {
        self.stop().await;
        let (host, _) = serve(self.address, Arc::clone(&self.state)).await?;
        self.host = Some(host);
        Ok(())
    }
}

/// The demo origin could not listen.
#[derive(Debug, thiserror::Error)]
#[error("demo origin cannot listen at {address}")]
pub struct OriginError {
    /// The address that was asked for.
    pub address: SocketAddr,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

async fn serve(address: SocketAddr, state: Arc<State>) -> Result<(Host, SocketAddr), OriginError> {
    let bound = async {
        let host = Host::start("origin")?;
        let listener = host.run(TcpListener::bind(address)).await??;
        let address = listener.local_addr()?;
        let listener = listener.tap_io(|stream| {
            // Each piece goes out when it is written; without it a piece could only be late.
            drop(stream.set_nodelay(true));
        });
        host.spawn(async move { axum::serve(listener, router(state)).await })?;
        Ok((host, address))
    };
    bound.await.map_err(|source| OriginError { address, source })
}

fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/status/{code}", any(answers::status))
        .route("/redirect/{code}", any(answers::redirect))
        .route("/cookies", any(answers::cookies))
        .route("/headers", any(answers::headers))
        .route("/gzip", any(answers::gzip))
        .route("/slow/{ms}", any(echo::slow))
        .route("/late/{gate}", any(answers::late))
        .route("/stream", any(pieces::stream))
        .route("/broken", any(pieces::broken))
        .route("/sse", any(pieces::events))
        .route("/ws", any(socket::echo))
        .route("/bytes/{count}", any(volume::bytes))
        .route("/upload", any(volume::upload))
        .fallback(echo::echo)
        .layer(middleware::from_fn_with_state(Arc::clone(&state), state::count))
        .with_state(state)
}
