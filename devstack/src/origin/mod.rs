//! The demo origin: an HTTP server that does, on each path, one thing a proxy can get wrong.
//!
//! | path | response |
//! | --- | --- |
//! | `/status/CODE` | that status |
//! | `/slow/MS` | the echo, after MS milliseconds |
//! | `/stream?n=&every=&gate=&tokens=` | `n` pieces of text, one at a time |
//! | `/broken?n=&every=&gate=&tokens=` | the same, then the connection breaks |
//! | `/reset?after=N&tokens=` | N bytes, then the connection is reset; with `after=0` before the head of the response |
//! | `/length?declared=N&sent=M&tokens=` | M bytes after `Content-Length: N` |
//! | `/sse?n=&every=&gate=` | `n` server-sent events, one at a time |
//! | `/ws` | a WebSocket that echoes messages; the text `close CODE REASON` makes it close |
//! | `/bytes/N` | N bytes of [`pattern`] |
//! | `/upload` | how many body bytes arrived, and whether they were [`pattern`] |
//! | `/cookies` | three `Set-Cookie` headers |
//! | `/redirect/CODE?to=` | a redirect |
//! | `/gzip` | a compressed body |
//! | `/served/NAME?piece=&gate=&chunked=&broken=&gzip=&status=` | the body that the test provides by [`Origin::serve`] |
//! | `/headers?Name=value&…` | a response with those headers |
//! | `/late/GATE?Name=value&…` | the same, once that gate lets it through |
//! | anything else | the echo: the request as JSON |
//!
//! The echo is `{"method", "target", "version", "headers": [[name, value], …], "body": {"length", "sha1", "text"}}`:
//! `target` is the request target byte for byte, `text` is null for a body above 64 KiB or not UTF-8, and the headers
//! keep their order and repetitions but not the case of their names.
//!
//! `every` is in milliseconds, and `tokens=N` adds the header `X-Tokens-Used: N`. With `gate=NAME` a piece is sent only
//! when the test calls [`Origin::release`], so a test of piecewise delivery needs no clock. Every response carries
//! `X-Origin-Request: N`, the number of requests that have arrived so far.

mod echo;
mod pieces;
mod responses;
mod served;
mod socket;
mod state;
mod violations;
mod volume;
mod wire;

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use axum::{Router, middleware, routing::any};
use tokio::net::TcpListener;

use crate::{endpoint::endpoint, server::Server};
use state::{Served, State};
pub use volume::pattern;

/// A demo origin that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Origin {
    server: Server<()>,
    state: Arc<State>,
}

endpoint!(Origin, server.address);

impl Origin {
    /// Starts an origin on 127.0.0.1 at `port`; 0 takes a free one.
    ///
    /// # Errors
    ///
    /// Fails if the port cannot be opened.
    pub async fn start(port: u16) -> Result<Self, OriginError> {
        let state = Arc::new(State::default());
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let started = Server::start("origin", bind(address, Arc::clone(&state))).await;
        let server = started.map_err(|source| OriginError { address, source })?;
        Ok(Self { server, state })
    }

    /// Returns the number of requests that have arrived since [`Origin::start`], whatever their path.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.state.requests()
    }

    /// Returns the number of requests that have arrived with exactly this path, without the query.
    #[must_use]
    pub fn requests_to(&self, path: &str) -> u64 {
        self.state.requests_to(path)
    }

    /// Returns the number of streamed bodies (`/stream`, `/broken`, `/reset`, `/length`, `/sse`, `/served`, `/bytes`)
    /// being sent now.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.state.open_streams()
    }

    /// Returns the number of body bytes of these handed to the network.
    #[must_use]
    pub fn bytes_streamed(&self) -> u64 {
        self.state.bytes_streamed()
    }

    /// Sends this body to requests for `/served/NAME` from now on.
    pub fn serve(&self, name: &str, content_type: &str, body: Vec<u8>) {
        self.state.serve(name, Served { content_type: content_type.to_owned(), body: body.into() });
    }

    /// Lets one more piece through the gate `name`, now or when a stream arrives there.
    pub fn release(&self, name: &str) {
        self.state.gate(name).add_permits(1);
    }

    /// Closes the port and all connections at once; the counts stay.
    pub async fn stop(&mut self) {
        self.server.stop().await;
    }

    /// Stops it if it runs and starts it again at the same address.
    ///
    /// # Errors
    ///
    /// Fails if another process has opened the port in the meantime.
    pub async fn restart(&mut self) -> Result<(), OriginError> {
        let address = self.address();
        let restarted = self.server.restart(bind(address, Arc::clone(&self.state))).await;
        restarted.map_err(|source| OriginError { address, source })
    }
}

/// The demo origin could not listen.
#[derive(Debug, thiserror::Error)]
#[error("demo origin cannot listen at {address}")]
pub struct OriginError {
    /// The requested address.
    pub address: SocketAddr,
    /// The system's error.
    #[source]
    pub source: io::Error,
}

async fn bind(address: SocketAddr, state: Arc<State>) -> io::Result<(SocketAddr, impl Future<Output = ()>)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((address, async move {
        // Never returns: errors of accept are retried.
        drop(
            axum::serve(wire::Listener(listener), router(state).into_make_service_with_connect_info::<wire::Wire>())
                .await,
        );
    }))
}

fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/status/{code}", any(responses::status))
        .route("/redirect/{code}", any(responses::redirect))
        .route("/cookies", any(responses::cookies))
        .route("/headers", any(responses::headers))
        .route("/gzip", any(responses::gzip))
        .route("/slow/{ms}", any(echo::slow))
        .route("/late/{gate}", any(responses::late))
        .route("/served/{name}", any(served::serve))
        .route("/stream", any(pieces::stream))
        .route("/broken", any(pieces::broken))
        .route("/reset", any(violations::reset))
        .route("/length", any(violations::length))
        .route("/sse", any(pieces::events))
        .route("/ws", any(socket::echo))
        .route("/bytes/{count}", any(volume::bytes))
        .route("/upload", any(volume::upload))
        .fallback(echo::echo)
        .layer(middleware::from_fn_with_state(Arc::clone(&state), state::count))
        .with_state(state)
}
