//! A slow network in front of a server.

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

use crate::{endpoint::endpoint, server::Server};

/// A TCP proxy that can delay or hold back responses.
///
/// Requests pass at once: to the client, it is the server that is slow.
#[derive(Debug)]
pub struct Throttle {
    server: Server<()>,
    network: Arc<Network>,
}

endpoint!(Throttle, server.address);

/// The state that all connections of one throttle share.
#[derive(Debug, Default)]
struct Network {
    flow: watch::Sender<Flow>,
    held_back: AtomicUsize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    delay: Duration,
    held: bool,
    /// The number of calls of [`Throttle::cut`].
    cuts: u64,
}

impl Throttle {
    /// Starts a proxy to `server` on a free port of 127.0.0.1, without any delay.
    ///
    /// # Errors
    ///
    /// Fails if no port can be opened.
    pub async fn start(server: SocketAddr) -> io::Result<Self> {
        let network = Arc::new(Network::default());
        let server = Server::start("throttle", bind(server, Arc::clone(&network))).await?;
        Ok(Self { server, network })
    }

    /// Delays each piece of a response that arrives from now on by `delay`.
    pub fn set_delay(&self, delay: Duration) {
        self.network.flow.send_modify(|flow| flow.delay = delay);
    }

    /// Holds all responses back until [`Throttle::release`]; connections stay open.
    pub fn hold(&self) {
        self.network.flow.send_modify(|flow| flow.held = true);
    }

    /// Ends [`Throttle::hold`] and sends what was held back.
    pub fn release(&self) {
        self.network.flow.send_modify(|flow| flow.held = false);
    }

    /// Returns the number of connections with a response that waits for [`Throttle::release`].
    #[must_use]
    pub fn held_back(&self) -> usize {
        self.network.held_back.load(Ordering::SeqCst)
    }

    /// Breaks every open connection, also in the middle of an exchange; new ones are accepted.
    ///
    /// If a broken connection was kept alive from an earlier request, workerd retries a `GET` on a new connection. It
    /// does not retry a `POST`.
    pub fn cut(&self) {
        self.network.flow.send_modify(|flow| flow.cuts += 1);
    }
}

async fn bind(server: SocketAddr, network: Arc<Network>) -> io::Result<(SocketAddr, impl Future<Output = ()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    Ok((listener.local_addr()?, accept(listener, server, network)))
}

async fn accept(listener: TcpListener, server: SocketAddr, network: Arc<Network>) {
    loop {
        // An error means that the client has disconnected before it was accepted.
        if let Ok((client, _)) = listener.accept().await {
            tokio::spawn(connect(client, server, Arc::clone(&network)));
        }
    }
}

async fn connect(client: TcpStream, server: SocketAddr, network: Arc<Network>) {
    // Subscribes before connecting, so that no cut is missed.
    let mut flow = network.flow.subscribe();
    let cuts = flow.borrow_and_update().cuts;
    // If the server is down, the client sees its connection close.
    let Ok(server) = TcpStream::connect(server).await else { return };
    // No delay other than the requested one.
    if client.set_nodelay(true).is_err() || server.set_nodelay(true).is_err() {
        return;
    }
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let both =
        async { tokio::join!(requests(client_read, server_write), responses(server_read, client_write, &network)) };
    tokio::select! {
        // Each direction has already shut down its writing side.
        _ = both => {}
        _ = flow.wait_for(|flow| flow.cuts != cuts) => {}
    }
}

async fn requests(mut client: OwnedReadHalf, mut server: OwnedWriteHalf) -> io::Result<()> {
    tokio::io::copy(&mut client, &mut server).await?;
    server.shutdown().await
}

async fn responses(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, network: &Network) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let length = server.read(&mut piece).await?;
        if length == 0 {
            return client.shutdown().await;
        }
        let delay = network.released().await?;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        client.write_all(piece.get(..length).unwrap_or_default()).await?;
    }
}

impl Network {
    /// Waits until responses may pass and returns the delay of this one.
    async fn released(&self) -> io::Result<Duration> {
        let _waiting = Waiting::new(&self.held_back);
        let mut flow = self.flow.subscribe();
        let flow = flow.wait_for(|flow| !flow.held).await.map_err(io::Error::other)?;
        Ok(flow.delay)
    }
}

/// Counts one waiting response until it is dropped, also when its connection is cut.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Bytes read at once; a response of the bridge is one piece.
const PIECE: usize = 64 * 1024;
