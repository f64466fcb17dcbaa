//! Asks a running bridge for its health, where no other HTTP client is: in a container.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Sends `GET /health` to the bridge that listens on an address, and returns the body of the response.
///
/// # Errors
///
/// Fails if there is no response within [`TIMEOUT`], or its status is not 200.
pub(crate) async fn check(listen: SocketAddr) -> Result<String, HealthError> {
    let address = reachable(listen);
    let response = timeout(TIMEOUT, get_health(address)).await.unwrap_or_else(|elapsed| Err(elapsed.into()));
    let response = response.map_err(|source| HealthError::NoResponse { address, source })?;
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((&response, ""));
    match head.split(' ').nth(1) {
        Some("200") => Ok(body.to_owned()),
        Some(status) => Err(HealthError::Unhealthy { status: status.to_owned(), body: body.to_owned() }),
        None => Err(HealthError::NotHttp(address)),
    }
}

async fn get_health(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut response = Vec::new();
    stream.take(MAX_RESPONSE_BYTES).read_to_end(&mut response).await?;
    Ok(String::from_utf8_lossy(&response).into_owned())
}

/// Returns the address at which a program that listens on all addresses can be reached from its own machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The bridge is not healthy, or what listens there is no bridge.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HealthError {
    #[error("no response from {address}: {source} (start the bridge, or give the address with --listen)")]
    NoResponse { address: SocketAddr, source: io::Error },
    #[error("the bridge is not healthy: status {status}: {body}")]
    Unhealthy { status: String, body: String },
    #[error("no bridge: {0} does not speak HTTP (give the address of the bridge with --listen)")]
    NotHttp(SocketAddr),
}

/// Longer than the bridge waits for its Redis.
const TIMEOUT: Duration = Duration::from_secs(8);
const MAX_RESPONSE_BYTES: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Returns what `check` says about a server that sends this response and closes the connection.
    async fn check_response(response: &'static [u8]) -> Result<String, HealthError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let read = stream.read(&mut request).await.unwrap();
            assert!(request[..read].starts_with(b"GET /health HTTP/1.1\r\n"));
            stream.write_all(response).await.unwrap();
        };
        tokio::join!(check(address), serve).0
    }

    #[tokio::test]
    async fn only_status_200_is_healthy() {
        assert_eq!(check_response(b"HTTP/1.1 200 OK\r\na: b\r\n\r\nfine").await.unwrap(), "fine");
        for (response, error) in [
            (&b"HTTP/1.1 503 Service Unavailable\r\n\r\ndown"[..], "the bridge is not healthy: status 503: down"),
            (b"HTTP/1.1 204 No Content\r\n\r\n", "status 204"),
            (b"-ERR", "does not speak HTTP"),
            (b"", "does not speak HTTP"),
        ] {
            let found = check_response(response).await.unwrap_err().to_string();
            assert!(found.contains(error), "{found}");
        }
    }

    #[test]
    fn all_addresses_are_reached_by_loopback() {
        for (listen, address) in [
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:1", "[::1]:1"),
            ("192.0.2.1:1", "192.0.2.1:1"),
            ("[2001:db8::1]:1", "[2001:db8::1]:1"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), address.parse().unwrap());
        }
    }
}
