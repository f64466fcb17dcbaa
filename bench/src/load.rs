//! The load: each connection asks again as soon as it is answered.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use hyper::StatusCode;
use tokio::{task::JoinSet, time::Instant};

use crate::http::{self, Connection, HttpError};

/// Connections to one Worker.
#[derive(Debug)]
pub(crate) struct Load {
    clients: Vec<Client>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    /// From the first request sent to the last answer complete.
    pub(crate) elapsed: Duration,
    /// From request sent to answer complete, one for each request, in no order.
    pub(crate) latencies: Vec<Duration>,
}

/// A load that did not get what it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The connection failed.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// An answer that is not 200.
    #[error("answered {status} instead of 200: {body}")]
    Status {
        /// The answer's status.
        status: StatusCode,
        /// The answer's body.
        body: String,
    },
    /// An answer of a limiter without its headers.
    #[error("answered without a RateLimit header: the request was not judged")]
    Unjudged,
    /// The task of a connection is gone.
    #[error("a connection's task was lost: {0}")]
    Lost(#[from] tokio::task::JoinError),
}

impl Load {
    /// Opens `connections` to the Worker at `address`; `judged` says whether its answers must show a limit.
    pub(crate) async fn open(address: SocketAddr, connections: usize, judged: bool) -> Result<Self, LoadError> {
        let mut clients = Vec::with_capacity(connections);
        for number in 0..connections {
            let connection = Connection::open(address).await?;
            // Spread over all subjects, so that no two connections walk side by side.
            clients.push(Client { connection, judged, turn: number * SUBJECTS / connections });
        }
        Ok(Self { clients })
    }

    /// Keeps all connections busy for this long, then waits for the answers that are due.
    ///
    /// # Errors
    ///
    /// The first answer that is not as it should be.
    pub(crate) async fn run(&mut self, during: Duration) -> Result<Answered, LoadError> {
        let started = Instant::now();
        let mut tasks: JoinSet<_> = self.clients.drain(..).map(|client| client.run(started + during)).collect();
        let mut latencies = Vec::new();
        while let Some(outcome) = tasks.join_next().await {
            let (client, answered) = outcome??;
            self.clients.push(client);
            latencies.extend(answered);
        }
        Ok(Answered { elapsed: started.elapsed(), latencies })
    }
}

#[derive(Debug)]
struct Client {
    connection: Connection,
    judged: bool,
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
            self.ask().await?;
            latencies.push(sent.elapsed());
        }
    }

    async fn ask(&mut self) -> Result<(), LoadError> {
        let response = self.connection.get(PATH, Some(subject(self.turn))).await?;
        self.turn += 1;
        let status = response.status();
        if status != StatusCode::OK {
            return Err(LoadError::Status { status, body: http::text(response.into_body()).await? });
        }
        if self.judged && !response.headers().contains_key("ratelimit") {
            return Err(LoadError::Unjudged);
        }
        Ok(http::drain(response.into_body()).await?)
    }
}

/// The address of a client, one of [`SUBJECTS`] in the network for benchmarks (RFC 2544, appendix C.2.2).
fn subject(turn: usize) -> IpAddr {
    let [.., high, low] = (turn % SUBJECTS).to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(198, 18, high, low))
}

/// How many clients take turns.
pub(crate) const SUBJECTS: usize = 1000;

/// The demo origin's shortest answer.
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
