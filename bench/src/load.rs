//! The load: each connection sends the next request as soon as it has the response.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hyper::StatusCode;
use tokio::{task::JoinSet, time::Instant};

use crate::{
    http::{self, Connection, HttpError},
    traffic::{CLIENTS, Traffic, limiter_time},
};

/// Connections to one Worker.
#[derive(Debug)]
pub struct Load {
    clients: Vec<Client>,
}

/// The responses to a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Responses {
    /// From the first request sent to the last response complete.
    pub elapsed: Duration,
    /// One per request, unordered.
    pub answers: Vec<Answer>,
}

/// What was observed of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// From request sent to response complete.
    pub latency: Duration,
    /// Whether the limiter let it pass.
    pub admitted: bool,
    /// The time of the limiter, if the Worker reports it.
    pub limiter: Option<Duration>,
}

/// A load that got a wrong response.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The connection failed.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The status of a response is wrong.
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
    /// Opens `connections` to the Worker at `address`.
    ///
    /// # Errors
    ///
    /// Fails if the Worker does not accept them.
    pub async fn open(address: SocketAddr, connections: usize, traffic: &Traffic) -> Result<Self, LoadError> {
        let traffic = Arc::new(traffic.clone());
        let mut clients = Vec::with_capacity(connections);
        for number in 0..connections {
            let connection = Connection::open(address).await?;
            // Spread over all addresses, so that no two connections use the same one at the same time.
            let turn = number * CLIENTS / connections;
            clients.push(Client { connection, traffic: Arc::clone(&traffic), turn });
        }
        Ok(Self { clients })
    }

    /// Keeps all connections busy until `until`, then waits for the outstanding responses. Each connection sends at least
    /// one request.
    ///
    /// # Errors
    ///
    /// Fails with the first wrong response.
    pub async fn run(&mut self, until: Instant) -> Result<Responses, LoadError> {
        let started = Instant::now();
        let mut tasks: JoinSet<_> = self.clients.drain(..).map(|client| client.run(until)).collect();
        let mut answers = Vec::new();
        while let Some(outcome) = tasks.join_next().await {
            let (client, latest) = outcome??;
            self.clients.push(client);
            answers.extend(latest);
        }
        Ok(Responses { elapsed: started.elapsed(), answers })
    }
}

#[derive(Debug)]
struct Client {
    connection: Connection,
    traffic: Arc<Traffic>,
    turn: usize,
}

impl Client {
    async fn run(mut self, until: Instant) -> Result<(Self, Vec<Answer>), LoadError> {
        let mut answers = Vec::new();
        while answers.is_empty() || Instant::now() < until {
            answers.push(self.request().await?);
        }
        Ok((self, answers))
    }

    async fn request(&mut self) -> Result<Answer, LoadError> {
        let sent = Instant::now();
        let response = self.connection.send(self.traffic.request(self.turn)?).await?;
        self.turn += 1;
        let status = response.status();
        let Some(admitted) = self.traffic.admitted(status) else {
            return Err(LoadError::Status { status, body: http::text(response.into_body()).await? });
        };
        if admitted && !self.traffic.is_checked(response.headers()) {
            return Err(LoadError::Unchecked);
        }
        let limiter = limiter_time(response.headers());
        http::drain(response.into_body()).await?;
        Ok(Answer { latency: sent.elapsed(), admitted, limiter })
    }
}
