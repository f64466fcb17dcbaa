//! The load: each connection sends the next request as soon as it has the response.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use hyper::StatusCode;
use sluicegate_bench::http::{self, Connection, HttpError};
use tokio::{task::JoinSet, time::Instant};

/// Connections to one Worker.
#[derive(Debug)]
pub(crate) struct Load {
    clients: Vec<Client>,
}

/// The responses to a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Responses {
    /// From the first request sent to the last response complete.
    pub(crate) elapsed: Duration,
    /// From request sent to response complete, one per request, unordered.
    pub(crate) latencies: Vec<Duration>,
}

/// A load that got a wrong response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The connection failed.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The status of a response is not 200.
    #[error("expected status 200, found {status}: {body}")]
    Status {
        /// The status.
        status: StatusCode,
        /// The body.
        body: String,
    },
    /// A response of a limiter has no `RateLimit` header.
    #[error("the response has no RateLimit header: the request was not checked")]
    Unchecked,
    /// The task of a connection panicked.
    #[error("a connection's task was lost: {0}")]
    Lost(#[from] tokio::task::JoinError),
}

impl Load {
    /// Opens `connections` to the Worker at `address`. If `limited`, its responses must have a `RateLimit` header.
    pub(crate) async fn open(address: SocketAddr, connections: usize, limited: bool) -> Result<Self, LoadError> {
        let mut clients = Vec::with_capacity(connections);
        for number in 0..connections {
            let connection = Connection::open(address).await?;
            // Spread over all subjects, so that no two connections use the same one at the same time.
            clients.push(Client { connection, limited, turn: number * SUBJECTS / connections });
        }
        Ok(Self { clients })
    }

    /// Keeps all connections busy for `during`, then waits for the outstanding responses.
    ///
    /// # Errors
    ///
    /// Fails with the first wrong response.
    pub(crate) async fn run(&mut self, during: Duration) -> Result<Responses, LoadError> {
        let started = Instant::now();
        let mut tasks: JoinSet<_> = self.clients.drain(..).map(|client| client.run(started + during)).collect();
        let mut latencies = Vec::new();
        while let Some(outcome) = tasks.join_next().await {
            let (client, latest) = outcome??;
            self.clients.push(client);
            latencies.extend(latest);
        }
        Ok(Responses { elapsed: started.elapsed(), latencies })
    }
}

#[derive(Debug)]
struct Client {
    connection: Connection,
    limited: bool,
    turn: usize,
}

impl Client {
    async fn run(mut self, until: Instant) -> Result<(Self, Vec<Duration>), LoadError> {
        let mut latencies = Vec::new();
        loop {
            let sent = Instant::now();
            if sent >= until && !latencies.is_empty() {
                return Ok((self, latencies));
            }
            self.request().await?;
            latencies.push(sent.elapsed());
        }
    }

    async fn request(&mut self) -> Result<(), LoadError> {
        let response = self.connection.get(PATH, Some(subject(self.turn))).await?;
        self.turn += 1;
        let status = response.status();
        if status != StatusCode::OK {
            return Err(LoadError::Status { status, body: http::text(response.into_body()).await? });
        }
        if self.limited && !response.headers().contains_key("ratelimit") {
            return Err(LoadError::Unchecked);
        }
        Ok(http::drain(response.into_body()).await?)
    }
}

/// Returns a client address, one of [`SUBJECTS`] in the network for benchmarks (RFC 2544, appendix C.2.2).
fn subject(turn: usize) -> IpAddr {
    let [.., high, low] = (turn % SUBJECTS).to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(198, 18, high, low))
}

/// The number of client addresses that take turns.
pub(crate) const SUBJECTS: usize = 1000;

/// The path of the demo origin's shortest response.
const PATH: &str = "/status/200";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn subjects_take_turns() {
        let subjects: HashSet<_> = (0..3 * SUBJECTS).map(subject).collect();
        assert_eq!(subjects.len(), SUBJECTS);
        assert_eq!(subject(SUBJECTS + 258), IpAddr::from([198, 18, 1, 2]));
    }
}
