//! The two commands that a private Redis gets from its owner.

use std::{io, path::Path};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

/// Whether Redis takes commands. While it loads its data it answers `-LOADING`.
pub(super) async fn is_ready(socket: &Path) -> bool {
    match send(socket, b"PING\r\n").await {
        Ok(answer) => !answer.is_empty() && !answer.starts_with(b"-LOADING"),
        Err(_) => false,
    }
}

/// Asks Redis to exit; it closes the connection without an answer.
pub(super) async fn shutdown(socket: &Path) -> io::Result<()> {
    send(socket, b"SHUTDOWN\r\n").await.map(drop)
}

/// Sends one command and reads the beginning of the answer.
async fn send(socket: &Path, command: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(command).await?;
    let mut answer = vec![0; 64];
    let length = stream.read(&mut answer).await?;
    answer.truncate(length);
    Ok(answer)
}
