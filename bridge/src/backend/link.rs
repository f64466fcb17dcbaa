//! The one connection to a single Redis.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, Pipeline, ProtocolVersion, RedisConnectionInfo, RedisError,
    RedisResult, Value, aio::MultiplexedConnection,
};
use tokio::{
    net::{TcpStream, UnixStream},
    sync::Mutex,
    task::JoinHandle,
    time::timeout,
};

use super::timeouts::{CONNECT_TIMEOUT, RESPONSE_TIMEOUT};
use crate::{bridge_error::BridgeError, request_error::RequestError};

/// A connection that all requests share, opened again by the next request after it broke.
///
/// A command is written to one connection at most: if that breaks, the caller gets the error, and
/// whether Redis executed the command is unknown.
pub(crate) struct Link {
    address: ConnectionAddr,
    settings: RedisConnectionInfo,
    live: RwLock<Option<Arc<Live>>>,
    /// Held while connecting, so that one request connects and the others wait for its outcome.
    last_failure: Mutex<Option<RequestError>>,
    attempts: AtomicU64,
}

/// An open connection and the task that moves its bytes.
struct Live {
    connection: MultiplexedConnection,
    driver: JoinHandle<()>,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Link {
    pub(crate) fn new(url: &str) -> Result<Self, BridgeError> {
        let client = Client::open(url).map_err(|error| BridgeError::bad_url(url, &error))?;
        let info = client.get_connection_info();
        if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Err(BridgeError::encrypted(url));
        }
        let settings = info.redis_settings().clone();
        Ok(Self {
            address: info.addr().clone(),
            settings: settings.set_protocol(ProtocolVersion::RESP2).set_skip_set_lib_name(),
            live: RwLock::new(None),
            last_failure: Mutex::new(None),
            attempts: AtomicU64::new(0),
        })
    }

    pub(crate) async fn command(&self, cmd: &Cmd) -> Result<Value, RequestError> {
        let live = self.live().await?;
        let outcome = live.connection.clone().send_packed_command(cmd).await;
        self.settle(&live, outcome)
    }

    pub(crate) async fn pipeline(&self, pipeline: &Pipeline) -> Result<Vec<Value>, RequestError> {
        let live = self.live().await?;
        let outcome = live.connection.clone().send_packed_commands(pipeline, 0, pipeline.len()).await;
        self.settle(&live, outcome)
    }

    /// The answer to `EXEC` alone, after those to `MULTI` and to the queued commands.
    pub(crate) async fn transaction(&self, pipeline: &Pipeline) -> Result<Vec<Value>, RequestError> {
        let live = self.live().await?;
        let outcome = live.connection.clone().send_packed_commands(pipeline, pipeline.len() + 1, 1).await;
        self.settle(&live, outcome)
    }

    /// After a timeout the connection is given up as well: it may be half open, and requests that still
    /// wait on it keep it until they are answered.
    fn settle<T>(&self, used: &Arc<Live>, outcome: RedisResult<T>) -> Result<T, RequestError> {
        outcome.map_err(|error| {
            if error.is_timeout() || error.is_unrecoverable_error() {
                let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
                live.take_if(|live| Arc::ptr_eq(live, used));
            }
            RequestError::from(error)
        })
    }

    async fn live(&self) -> Result<Arc<Live>, RequestError> {
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let attempts = self.attempts.load(Ordering::Acquire);
        let mut last_failure = self.last_failure.lock().await;
        if let Some(live) = self.current() {
            return Ok(live);
        }
        if self.attempts.load(Ordering::Acquire) != attempts
            && let Some(failure) = &*last_failure
        {
            return Err(failure.clone());
        }
        let outcome = match timeout(CONNECT_TIMEOUT, self.connect()).await {
            Ok(Ok(live)) => Ok(Arc::new(live)),
            Ok(Err(error)) => Err(RequestError::Unreachable(error.to_string())),
            Err(_) => Err(RequestError::Unreachable(format!("no connection within {CONNECT_TIMEOUT:?}"))),
        };
        *last_failure = outcome.as_ref().err().cloned();
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = outcome.as_ref().ok().cloned();
        self.attempts.fetch_add(1, Ordering::Release);
        outcome
    }

    /// The open connection; none if Redis has closed it in the meantime.
    fn current(&self) -> Option<Arc<Live>> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.clone().filter(|live| !live.driver.is_finished())
    }

    async fn connect(&self) -> RedisResult<Live> {
        match &self.address {
            ConnectionAddr::Unix(path) => self.handshake(UnixStream::connect(path).await?).await,
            ConnectionAddr::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                self.handshake(stream).await
            }
            other => Err(RedisError::from(std::io::Error::other(format!("unknown kind of address: {other}")))),
        }
    }

    async fn handshake<S>(&self, stream: S) -> RedisResult<Live>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let config =
            AsyncConnectionConfig::new().set_response_timeout(Some(RESPONSE_TIMEOUT)).set_pipeline_buffer_size(QUEUE);
        let (connection, driver) = MultiplexedConnection::new_with_config(&self.settings, stream, config).await?;
        Ok(Live { connection, driver: tokio::spawn(driver) })
    }
}

/// Commands that may wait to be written; more wait in their own request.
const QUEUE: usize = 1024;
