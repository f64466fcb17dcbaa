//! The two commands that a private Redis receives from its owner.

use std::{io, path::Path};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

/// Returns whether Redis accepts commands. While it loads its data it replies `-LOADING`.
pub(super) async fn is_ready(socket: &Path) -> bool {
    match send(socket, b"PING\r\n").await {
        Ok(reply) => !reply.is_empty() && !reply.starts_with(b"-LOADING"),
        Err(_) => false,
    }
}

/// Sends `SHUTDOWN`. Redis closes the connection without a reply.
pub(super) async fn shutdown(socket: &Path) -> io::Result<()> {
    send(socket, b"SHUTDOWN\r\n").await.map(drop)
}

/// Sends a command and returns the beginning of the reply.
async fn send(socket: &Path, command: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(command).await?;
    let mut reply = vec![0; 64];
    let length = stream.read(&mut reply).await?;
    reply.truncate(length);
    Ok(reply)
}
