//! A slow network on the way to a server.

use std::{
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

use crate::host::Host;

/// A TCP proxy whose answers can be delayed or held back.
///
/// Requests always pass at once: what is slow, to the client, is the server.
#[derive(Debug)]
pub struct Throttle {
    address: SocketAddr,
    network: Arc<Network>,
    _host: Host,
}

/// What all connections of one throttle share.
#[derive(Debug, Default)]
struct Network {
    flow: watch::Sender<Flow>,
    held_back: AtomicUsize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    delay: Duration,
    held: bool,
    /// Counts the calls of [`Throttle::cut`].
    cuts: u64,
}

impl Throttle {
    /// Starts a proxy to `server` on a free port of 127.0.0.1, without any delay.
    ///
    /// # Errors
    ///
    /// No port can be opened.
    pub async fn start(server: SocketAddr) -> io::Result<Self> {
        let host = Host::start("throttle")?;
        let listener = host.run(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).await??;
        let address = listener.local_addr()?;
        let network = Arc::new(Network::default());
        host.spawn(accept(listener, server, Arc::clone(&network)))?;
        Ok(Self { address, network, _host: host })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Delays each piece of an answer that arrives from now on by `delay`.
    pub fn set_delay(&self, delay: Duration) {
        self.network.flow.send_modify(|flow| flow.delay = delay);
    }

    /// Lets no answer through until [`Throttle::release`]; connections stay open.
    pub fn hold(&self) {
        self.network.flow.send_modify(|flow| flow.held = true);
    }

    /// Ends [`Throttle::hold`]: what was held back goes out at once.
    pub fn release(&self) {
        self.network.flow.send_modify(|flow| flow.held = false);
    }

    /// How many connections have an answer waiting for [`Throttle::release`].
    #[must_use]
    pub fn held_back(&self) -> usize {
        self.network.held_back.load(Ordering::SeqCst)
    }

    /// Breaks every open connection in the middle of whatever it does; new ones are accepted.
    ///
    /// workerd then sends a `GET` again on a new connection, if the broken one was kept open from an earlier request,
    /// and does not send a `POST` again.
    pub fn cut(&self) {
        self.network.flow.send_modify(|flow| flow.cuts += 1);
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, network: Arc<Network>) {
    loop {
        // An error here is the client's: it went away before it was accepted.
        if let Ok((client, _)) = listener.accept().await {
            tokio::spawn(connect(client, server, Arc::clone(&network)));
        }
    }
}

async fn connect(client: TcpStream, server: SocketAddr, network: Arc<Network>) {
    // Subscribed before the server is reached, so that no cut is missed.
    let mut flow = network.flow.subscribe();
    let cuts = flow.borrow_and_update().cuts;
    // A server that is down is, to the client, a connection that closes.
    let Ok(server) = TcpStream::connect(server).await else { return };
    // Small answers must not wait for an acknowledgement: only the delay that was asked for counts.
    if client.set_nodelay(true).is_err() || server.set_nodelay(true).is_err() {
        return;
    }
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let both =
        async { tokio::join!(requests(client_read, server_write), answers(server_read, client_write, &network)) };
    tokio::select! {
        // Each direction has said to the other side how it ended.
        _ = both => {}
        _ = flow.wait_for(|flow| flow.cuts != cuts) => {}
    }
}

async fn requests(mut client: OwnedReadHalf, mut server: OwnedWriteHalf) -> io::Result<()> {
    tokio::io::copy(&mut client, &mut server).await?;
    server.shutdown().await
}

async fn answers(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, network: &Network) -> io::Result<()> {
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
    /// Waits until answers may pass; how long this one takes then.
    async fn released(&self) -> io::Result<Duration> {
        let _waiting = Waiting::new(&self.held_back);
        let mut flow = self.flow.subscribe();
        let flow = flow.wait_for(|flow| !flow.held).await.map_err(io::Error::other)?;
        Ok(flow.delay)
    }
}

/// Counts itself for as long as it lives, also when a connection is cut.
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

/// Bytes read at once; an answer of the bridge is one piece.
const PIECE: usize = 64 * 1024;
