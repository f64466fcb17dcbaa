//! Connections on which a response can break the rules of HTTP.

use std::{
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// What a response asks of its connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire(Arc<Requests>);

#[derive(Debug, Default)]
struct Requests {
    reset: AtomicBool,
    surplus: AtomicUsize,
}

impl Wire {
    /// Makes the end of the connection a reset.
    pub(super) fn reset_at_end(&self) {
        self.0.reset.store(true, Ordering::SeqCst);
    }

    /// Sends `count` more bytes after what is being sent.
    pub(super) fn add_surplus(&self, count: usize) {
        self.0.surplus.store(count, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, Listener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.io().wire.clone()
    }
}

/// A port whose connections have a [`Wire`].
pub(super) struct Listener(pub(super) TcpListener);

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.0).await;
        // Each piece is sent when it is written. An error only means that a piece may be late.
        drop(stream.set_nodelay(true));
        (Connection { stream, wire: Wire::default() }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// A connection from a client.
pub(super) struct Connection {
    stream: TcpStream,
    wire: Wire,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.wire.0.reset.load(Ordering::SeqCst) {
            // An error means that the connection has been reset already.
            drop(self.stream.set_zero_linger());
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context, buffer: &mut ReadBuf) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context,
        parts: &[IoSlice],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        let surplus = self.wire.0.surplus.swap(0, Ordering::SeqCst);
        if surplus > 0 {
            // They fit into the buffer of the socket, because the response is short.
            drop(self.stream.try_write(&vec![b'+'; surplus]));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        if self.wire.0.reset.load(Ordering::SeqCst) {
            // Shutting it down would end it in order.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
