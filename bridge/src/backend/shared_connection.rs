//! The connection to a single Redis.

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

/// A connection that all requests share. After it breaks, the next request opens a new one.
///
/// A command is sent at most once. If the connection breaks, the caller gets an error and cannot know whether
/// Redis ran the command.
pub(crate) struct SharedConnection {
    address: ConnectionAddr,
    settings: RedisConnectionInfo,
    open: RwLock<Option<Arc<OpenConnection>>>,
    /// Locked while connecting, so that one request connects and the others wait for its outcome.
    last_error: Mutex<Option<RequestError>>,
    attempts: AtomicU64,
}

/// An open connection and the task that drives it.
struct OpenConnection {
    connection: MultiplexedConnection,
    driver: JoinHandle<()>,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl SharedConnection {
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
            open: RwLock::new(None),
            last_error: Mutex::new(None),
            attempts: AtomicU64::new(0),
        })
    }

    pub(crate) async fn command(&self, cmd: &Cmd) -> Result<Value, RequestError> {
        let open = self.open().await?;
        let outcome = open.connection.clone().send_packed_command(cmd).await;
        self.close_if_broken(&open, outcome)
    }

    pub(crate) async fn pipeline(&self, pipeline: &Pipeline) -> Result<Vec<Value>, RequestError> {
        let open = self.open().await?;
        let outcome = open.connection.clone().send_packed_commands(pipeline, 0, pipeline.len()).await;
        self.close_if_broken(&open, outcome)
    }

    /// Returns the reply to `EXEC`, without the replies to `MULTI` and to the queued commands.
    pub(crate) async fn transaction(&self, pipeline: &Pipeline) -> Result<Vec<Value>, RequestError> {
        let open = self.open().await?;
        let outcome = open.connection.clone().send_packed_commands(pipeline, pipeline.len() + 1, 1).await;
        self.close_if_broken(&open, outcome)
    }

    /// Discards a connection that is broken, or that has timed out: it may be half open. Requests that still
    /// wait for replies keep it alive.
    fn close_if_broken<T>(&self, used: &Arc<OpenConnection>, outcome: RedisResult<T>) -> Result<T, RequestError> {
        outcome.map_err(|error| {
            if error.is_timeout() || error.is_unrecoverable_error() {
                let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
                open.take_if(|open| Arc::ptr_eq(open, used));
            }
            RequestError::from(error)
        })
    }

    /// Returns the open connection, or opens one. Requests that waited while an attempt failed share its error.
    async fn open(&self) -> Result<Arc<OpenConnection>, RequestError> {
        if let Some(open) = self.current() {
            return Ok(open);
        }
        let attempts = self.attempts.load(Ordering::Acquire);
        let mut last_error = self.last_error.lock().await;
        if let Some(open) = self.current() {
            return Ok(open);
        }
        if self.attempts.load(Ordering::Acquire) != attempts
            && let Some(error) = &*last_error
        {
            return Err(error.clone());
        }
        let outcome = match timeout(CONNECT_TIMEOUT, self.connect()).await {
            Ok(Ok(open)) => Ok(Arc::new(open)),
            Ok(Err(error)) => Err(RequestError::Unreachable(error.to_string())),
            Err(_) => Err(RequestError::Unreachable(format!("no connection within {CONNECT_TIMEOUT:?}"))),
        };
        *last_error = outcome.as_ref().err().cloned();
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = outcome.as_ref().ok().cloned();
        self.attempts.fetch_add(1, Ordering::Release);
        outcome
    }

    /// Returns the open connection, or `None` if there is none or Redis has closed it.
    fn current(&self) -> Option<Arc<OpenConnection>> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.clone().filter(|open| !open.driver.is_finished())
    }

    async fn connect(&self) -> RedisResult<OpenConnection> {
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

    async fn handshake<S>(&self, stream: S) -> RedisResult<OpenConnection>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_pipeline_buffer_size(QUEUE_LENGTH);
        let (connection, driver) = MultiplexedConnection::new_with_config(&self.settings, stream, config).await?;
        Ok(OpenConnection { connection, driver: tokio::spawn(driver) })
    }
}

/// The number of commands that may be queued for writing. Further requests wait.
const QUEUE_LENGTH: usize = 1024;
