//! A network that injects faults between a client and an HTTP server.

mod connection;
mod fault;
mod message;
mod port;
mod state;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::Ordering},
};

use tokio::net::TcpListener;

use crate::{endpoint::endpoint, server::Server};
pub use fault::{Answer, Fault};
use state::State;

/// A TCP proxy in front of an HTTP server. It has one [`Fault`] at a time.
///
/// A client that pipelines its requests is not supported.
#[derive(Debug)]
pub struct Network {
    server: Server<()>,
    state: Arc<State>,
}

endpoint!(Network, server.address);

impl Network {
    /// Starts a proxy to `server` on a free port of 127.0.0.1, without any fault.
    ///
    /// # Errors
    ///
    /// Fails if no port can be opened.
    pub async fn start(server: SocketAddr) -> io::Result<Self> {
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let bind = async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            Ok::<_, io::Error>((listener.local_addr()?, port::serve(listener, server, shared)))
        };
        Ok(Self { server: Server::start("network", bind).await?, state })
    }

    /// Replaces the fault, also for responses that are on their way. Waits until the port is closed or open again.
    pub async fn inject(&self, fault: Fault) {
        let open = fault != Fault::Refuse;
        self.state.set(fault);
        self.state.port_is(open).await;
    }

    /// Ends the fault and sends what was held back.
    pub async fn heal(&self) {
        self.inject(Fault::None).await;
    }

    /// Breaks every open connection, also in the middle of an exchange; new ones are accepted.
    ///
    /// If a broken connection was kept alive from an earlier request, workerd retries a `GET` on a new connection. It
    /// does not retry a `POST`.
    pub fn cut(&self) {
        self.state.cut();
    }

    /// Returns the number of connections on which a response waits for the end of the fault.
    #[must_use]
    pub fn held_back(&self) -> usize {
        self.state.held_back.load(Ordering::SeqCst)
    }

    /// Returns the number of accepted connections.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Returns the number of requests that have arrived, whether or not they have reached the server.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }
}
