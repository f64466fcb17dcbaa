//! One client: sends one request after another, and now and then leaves in the middle.

use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, body::Incoming};
use sluicegate_bench::http::{Connection, HttpError};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use crate::{
    exchange::{Exchange, Seen},
    kinds::{Caller, End, Kind},
    leave,
    random::Random,
    record::Record,
};

/// What clients need to know.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) worker: SocketAddr,
    pub(crate) admin_token: String,
    /// The API keys of the tenants.
    pub(crate) keys: RwLock<Vec<String>>,
}

/// A client.
pub(crate) struct Client {
    pub(crate) target: Arc<Target>,
    pub(crate) record: Arc<Record>,
    pub(crate) random: Random,
    pub(crate) connection: Option<Connection>,
}

impl Client {
    /// Sends requests until told to stop, at most one per `pace`.
    pub(crate) async fn run(mut self, pace: Duration, stopped: watch::Receiver<bool>) {
        let mut pace = interval(pace);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !*stopped.borrow() {
            pace.tick().await;
            let kind = Kind::choose(&mut self.random);
            let sent = Instant::now();
            let request = self.request(kind);
            let seen = match kind.end {
                End::Leave(moment) => leave::leave(&self.target, request, moment, &mut self.random).await,
                End::Whole | End::Cut => Some(self.exchange(request).await),
            };
            match seen {
                Some(seen) => self.record.add(Exchange { kind, sent, ended: Instant::now(), seen }),
                None => self.record.add_left(),
            }
        }
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Seen {
        match timeout(PATIENCE, self.send(request)).await {
            Ok(Ok(seen)) => seen,
            Ok(Err(error)) => Seen::Nothing(error.to_string()),
            Err(_) => {
                self.connection = None;
                Seen::Nothing(format!("no whole response within {PATIENCE:?}"))
            }
        }
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Seen, HttpError> {
        if let Some(connection) = &mut self.connection {
            match connection.send(request.clone()).await {
                Ok(response) => return Ok(self.read(response).await),
                // The server has closed the connection after the last response.
                Err(HttpError::Broken(error)) if error.is_canceled() || error.is_closed() => {}
                Err(error) => {
                    self.connection = None;
                    return Err(error);
                }
            }
        }
        let connection = self.connection.insert(Connection::open(self.target.worker).await?);
        let response = connection.send(request).await?;
        Ok(self.read(response).await)
    }

    async fn read(&mut self, response: hyper::Response<Incoming>) -> Seen {
        let seen = read(response).await;
        if matches!(seen, Seen::Response { body: Err(_), .. }) {
            self.connection = None;
        }
        seen
    }

    fn request(&mut self, kind: &Kind) -> Request<Full<Bytes>> {
        let random = &mut self.random;
        let mut request = Request::builder().method(kind.method()).uri(kind.path);
        let address = match kind.caller {
            Caller::Flood => "192.0.2.200".to_owned(),
            Caller::Crowd => format!("2001:db8:0:{:x}::1", random.below(CROWD)),
            _ => format!("192.0.2.{}", 1 + random.below(ADDRESSES)),
        };
        request = request.header("cf-connecting-ip", address);
        if kind.caller == Caller::Tenant {
            let keys = self.target.keys.read().unwrap_or_else(PoisonError::into_inner);
            let chosen = usize::try_from(random.below(keys.len().max(1) as u64)).unwrap_or(0);
            request =
                request.header("authorization", format!("Bearer {}", keys.get(chosen).map_or("", String::as_str)));
        }
        if kind.caller == Caller::Admin {
            request = request.header("authorization", format!("Bearer {}", self.target.admin_token));
            request = request.header("content-type", "application/json");
        }
        let body = Bytes::from(kind.body.bytes(random));
        // Cannot fail: every header is visible ASCII, and every path is valid.
        request.body(Full::new(body)).unwrap_or_default()
    }
}

/// Reads a response to its end.
pub(crate) async fn read(response: hyper::Response<Incoming>) -> Seen {
    let (head, body) = response.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).map_err(|error| error.to_string());
    Seen::Response { status: head.status, headers: head.headers, body }
}

/// Longer than any response here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

const ADDRESSES: u64 = 12;
const CROWD: u64 = 2000;
