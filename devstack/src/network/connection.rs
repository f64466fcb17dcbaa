//! One connection through a network.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Mutex,
    time::timeout,
};

use super::{
    fault::Fault,
    message::{HeadScanner, is_complete},
    state::{Conditions, State},
};

/// Relays `client` to `server` until both have ended, the connection is cut, or a fault resets it.
pub(super) async fn relay(client: TcpStream, server: SocketAddr, state: Arc<State>) {
    // Subscribes before connecting, so that no cut is missed.
    let mut conditions = state.conditions();
    let Conditions { fault, cuts } = conditions.borrow_and_update().clone();
    if fault == Fault::Refuse {
        return;
    }
    // If the server is down, the client sees its connection close.
    let Ok(server) = TcpStream::connect(server).await else { return };
    // No delay other than the requested one.
    if client.set_nodelay(true).is_err() || server.set_nodelay(true).is_err() {
        return;
    }
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let connection = Connection { state: &state, client: Mutex::new(client_write), answering: AtomicBool::new(true) };
    let both =
        async { tokio::try_join!(connection.requests(client_read, server_write), connection.responses(server_read)) };
    tokio::select! {
        // Each direction has already shut down its writing side.
        _ = both => {}
        _ = conditions.wait_for(|conditions| conditions.cuts != cuts) => {}
    }
    // Dropping it would end the connection in order, also when it is to be reset.
    connection.client.into_inner().forget();
}

struct Connection<'a> {
    state: &'a State,
    client: Mutex<OwnedWriteHalf>,
    /// Whether the last bytes were a response's, so that the next ones from the client begin a request.
    answering: AtomicBool,
}

impl Connection<'_> {
    /// Relays requests, keeps them, or answers them, as the fault says.
    async fn requests(&self, mut client: OwnedReadHalf, mut server: OwnedWriteHalf) -> io::Result<()> {
        let mut conditions = self.state.conditions();
        let mut piece = vec![0; PIECE];
        let mut pending = Vec::new();
        loop {
            tokio::select! {
                length = client.read(&mut piece) => match length? {
                    0 => return server.shutdown().await,
                    length => {
                        if self.answering.swap(false, Ordering::SeqCst) {
                            self.state.requests.fetch_add(1, Ordering::SeqCst);
                        }
                        pending.extend_from_slice(piece.get(..length).unwrap_or_default());
                    }
                },
                changed = conditions.changed() => changed.map_err(io::Error::other)?,
            }
            let fault = conditions.borrow_and_update().fault.clone();
            match fault {
                Fault::HoldRequests => {}
                Fault::Answer(answer) => {
                    if is_complete(&pending) {
                        pending.clear();
                        self.answering.store(true, Ordering::SeqCst);
                        self.client.lock().await.write_all(&answer.bytes()).await?;
                    }
                }
                _ => {
                    server.write_all(&pending).await?;
                    pending.clear();
                }
            }
        }
    }

    /// Relays responses as the fault says.
    async fn responses(&self, mut server: OwnedReadHalf) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        let mut scanner = HeadScanner::default();
        loop {
            let length = server.read(&mut piece).await?;
            if length == 0 {
                return self.client.lock().await.shutdown().await;
            }
            if !self.answering.swap(true, Ordering::SeqCst) {
                scanner = HeadScanner::default();
            }
            scanner = self.deliver(piece.get(..length).unwrap_or_default(), scanner).await?;
        }
    }

    /// Sends a piece of a response to the client. Fails if the fault is to reset the connection.
    async fn deliver(&self, piece: &[u8], scanner: HeadScanner) -> io::Result<HeadScanner> {
        let (head, after) = scanner.head_in(piece);
        let middle = head + (piece.len() - head).div_ceil(2);
        let mut conditions = self.state.conditions();
        let (mut sent, mut delayed) = (0, false);
        while sent < piece.len() {
            let fault = conditions.borrow_and_update().fault.clone();
            let (end, pause) = match fault {
                Fault::Delay(delay) if !delayed => (sent, Some(delay)),
                Fault::HoldResponses => (sent, None),
                Fault::HoldBody => (head, None),
                Fault::HoldHalfBody | Fault::Reset => (middle, None),
                Fault::Drip(interval) => (sent + 1, Some(interval)),
                Fault::None | Fault::HoldRequests | Fault::Refuse | Fault::Answer(_) | Fault::Delay(_) => {
                    (piece.len(), None)
                }
            };
            if end > sent {
                self.client.lock().await.write_all(piece.get(sent..end).unwrap_or_default()).await?;
                sent = end;
            }
            if sent == piece.len() {
                break;
            }
            match pause {
                Some(pause) => delayed = timeout(pause, conditions.changed()).await.is_err(),
                None if fault == Fault::Reset => return self.reset().await,
                None => {
                    let _held_back = self.state.hold_back();
                    conditions.changed().await.map_err(io::Error::other)?;
                }
            }
        }
        Ok(after)
    }

    /// Makes the end of the connection a reset.
    async fn reset(&self) -> io::Result<HeadScanner> {
        self.client.lock().await.as_ref().set_zero_linger()?;
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

/// Bytes read at once; a response of the bridge is one piece.
const PIECE: usize = 64 * 1024;
