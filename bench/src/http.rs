//! A persistent HTTP/1.1 connection with as little overhead as possible.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
    header::HOST,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinHandle};

/// A connection; closed when dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    driver: JoinHandle<()>,
    host: String,
}

/// A connection that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The server does not accept a connection.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// The address of the server.
        address: SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
    /// The request is invalid.
    #[error("bad request: {0}")]
    Request(#[from] hyper::http::Error),
    /// The connection broke, or the server does not speak HTTP.
    #[error("connection failed: {0}")]
    Broken(#[from] hyper::Error),
}

impl Connection {
    /// Connects to a server.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, HttpError> {
        let connect = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        let stream = connect.await.map_err(|source| HttpError::Connect { address, source })?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(async move {
            // The pending request returns the error as well.
            let _ = connection.await;
        });
        Ok(Self { sender, driver, host: address.to_string() })
    }

    /// Sends a `GET` for `path`; `client` is the address that Cloudflare would report.
    pub(crate) async fn get(&mut self, path: &str, client: Option<IpAddr>) -> Result<Response<Incoming>, HttpError> {
        self.sender.ready().await?;
        let mut request = Request::get(path).header(HOST, &self.host);
        if let Some(client) = client {
            request = request.header("cf-connecting-ip", client.to_string());
        }
        Ok(self.sender.send_request(request.body(Empty::new())?).await?)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Reads a body to its end and discards it.
pub(crate) async fn drain(mut body: Incoming) -> Result<(), HttpError> {
    while let Some(frame) = body.frame().await {
        frame?;
    }
    Ok(())
}

/// Returns a body as text; bytes that are not UTF-8 become U+FFFD.
pub(crate) async fn text(body: Incoming) -> Result<String, HttpError> {
    Ok(String::from_utf8_lossy(&body.collect().await?.to_bytes()).into_owned())
}
