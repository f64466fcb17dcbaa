//! A persistent HTTP/1.1 connection with as little overhead as possible.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinHandle};

/// A connection; closed when dropped.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
    host: HeaderValue,
}

/// A connection that failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
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
    ///
    /// # Errors
    ///
    /// Fails if the server does not accept the connection.
    pub async fn open(address: SocketAddr) -> Result<Self, HttpError> {
        let connect = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        let stream = connect.await.map_err(|source| HttpError::Connect { address, source })?;
        Self::over(stream, address).await
    }

    /// Uses a stream that is connected to the server at `address`.
    ///
    /// # Errors
    ///
    /// Fails if the connection breaks.
    pub async fn over(stream: TcpStream, address: SocketAddr) -> Result<Self, HttpError> {
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(async move {
            // The pending request returns the error as well.
            let _ = connection.await;
        });
        let host = HeaderValue::try_from(address.to_string()).map_err(hyper::http::Error::from)?;
        Ok(Self { sender, driver, host })
    }

    /// Sends a `GET` for `path`; `client` is the address that Cloudflare would report.
    ///
    /// # Errors
    ///
    /// Fails if the request is invalid or the connection breaks before the head of the response.
    pub async fn get(&mut self, path: &str, client: Option<IpAddr>) -> Result<Response<Incoming>, HttpError> {
        let mut request = Request::get(path);
        if let Some(client) = client {
            request = request.header("cf-connecting-ip", client.to_string());
        }
        self.send(request.body(Full::default())?).await
    }

    /// Posts a document to the admin API at `path`, below `/_sluicegate/v1`. Returns the status and the body.
    ///
    /// # Errors
    ///
    /// Fails if the request is invalid or the connection breaks before the end of the response.
    pub async fn post_to_api(
        &mut self,
        admin_token: &str,
        path: &str,
        document: &Value,
    ) -> Result<(StatusCode, String), HttpError> {
        let request = Request::post(format!("/_sluicegate/v1{path}"))
            .header(AUTHORIZATION, format!("Bearer {admin_token}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(document.to_string()))?;
        let response = self.send(request).await?;
        Ok((response.status(), text(response.into_body()).await?))
    }

    /// Sends a request, to which this adds `Host`.
    ///
    /// # Errors
    ///
    /// Fails if the connection breaks before the head of the response.
    pub async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>, HttpError> {
        request.headers_mut().insert(HOST, self.host.clone());
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Reads a body to its end and discards it.
///
/// # Errors
///
/// Fails if the connection breaks before the end.
pub async fn drain(mut body: Incoming) -> Result<(), HttpError> {
    while let Some(frame) = body.frame().await {
        frame?;
    }
    Ok(())
}

/// Returns a body as text; bytes that are not UTF-8 become U+FFFD.
///
/// # Errors
///
/// Fails if the connection breaks before the end.
pub async fn text(body: Incoming) -> Result<String, HttpError> {
    Ok(String::from_utf8_lossy(&body.collect().await?.to_bytes()).into_owned())
}
