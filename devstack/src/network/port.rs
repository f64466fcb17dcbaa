//! The port of a network, which can be closed for a while.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::net::{TcpListener, TcpSocket};

use super::{connection, fault::Fault, state::State};

/// Relays connections to `server`. While the fault is [`Fault::Refuse`], the port is closed.
pub(super) async fn serve(mut listener: TcpListener, server: SocketAddr, state: Arc<State>) {
    let mut conditions = state.conditions();
    loop {
        tokio::select! {
            () = accept(&listener, server, &state) => {}
            _ = conditions.wait_for(|conditions| conditions.fault == Fault::Refuse) => {}
        }
        // From here on, only a system without sockets or memory fails.
        let Ok(address) = listener.local_addr() else { return };
        drop(listener);
        let reserved = loop {
            match reserve(address) {
                Ok(reserved) => break reserved,
                // A process that this one is starting has a copy of the socket until it executes its program.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => tokio::time::sleep(RETRY_INTERVAL).await,
                Err(_) => return,
            }
        };
        state.set_port(false);
        if conditions.wait_for(|conditions| conditions.fault != Fault::Refuse).await.is_err() {
            return;
        }
        let Ok(opened) = reserved.listen(BACKLOG) else { return };
        listener = opened;
        state.set_port(true);
    }
}

async fn accept(listener: &TcpListener, server: SocketAddr, state: &Arc<State>) {
    loop {
        // An error means that the client has disconnected before it was accepted.
        if let Ok((client, _)) = listener.accept().await {
            state.connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(connection::relay(client, server, Arc::clone(state)));
        }
    }
}

/// Binds a socket without listening: the system refuses connections, and gives the port to nobody else.
fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

const BACKLOG: u32 = 1024;
const RETRY_INTERVAL: Duration = Duration::from_millis(1);
