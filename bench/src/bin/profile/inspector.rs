//! The inspector of workerd (Chrome `DevTools` Protocol, domain `Profiler`).

use std::{io, net::SocketAddr};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sluicegate_bench::http::{self, Connection, HttpError};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message},
};

/// A session with the inspector of one isolate.
pub(crate) struct Inspector {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last: u64,
}

/// An inspector that does not answer as expected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InspectorError {
    /// The list of isolates.
    #[error("the inspector cannot be reached: {0}")]
    Http(#[from] HttpError),
    /// The list names no isolate.
    #[error("the inspector has no isolate: {0}")]
    NoTarget(String),
    /// The session.
    #[error("the session with the inspector failed: {0}")]
    Socket(#[from] tungstenite::Error),
    /// A command was refused.
    #[error("the inspector refuses {method}: {error}")]
    Refused {
        /// The command.
        method: &'static str,
        /// Its error.
        error: Value,
    },
}

impl Inspector {
    /// Opens a session with the first isolate of the inspector at `address`.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, InspectorError> {
        let mut connection = Connection::open(address).await?;
        let targets = http::text(connection.get("/json", None).await?.into_body()).await?;
        let list: Value = serde_json::from_str(&targets).unwrap_or_default();
        let target = list.pointer("/0/webSocketDebuggerUrl").and_then(Value::as_str);
        let Some(target) = target else { return Err(InspectorError::NoTarget(targets)) };
        let (socket, _) = connect_async(target).await?;
        Ok(Self { socket, last: 0 })
    }

    /// Starts a CPU profile.
    pub(crate) async fn start_profile(&mut self) -> Result<(), InspectorError> {
        self.call("Profiler.enable", json!({})).await?;
        self.call("Profiler.setSamplingInterval", json!({ "interval": SAMPLING_INTERVAL_US })).await?;
        self.call("Profiler.start", json!({})).await?;
        Ok(())
    }

    /// Ends the CPU profile and returns it (`Profiler.Profile`).
    pub(crate) async fn stop_profile(&mut self) -> Result<Value, InspectorError> {
        let mut result = self.call("Profiler.stop", json!({})).await?;
        Ok(result.get_mut("profile").map(Value::take).unwrap_or_default())
    }

    async fn call(&mut self, method: &'static str, params: Value) -> Result<Value, InspectorError> {
        self.last += 1;
        let command = json!({ "id": self.last, "method": method, "params": params });
        self.socket.send(Message::text(command.to_string())).await?;
        while let Some(message) = self.socket.next().await {
            let mut message: Value = serde_json::from_str(message?.to_text()?).unwrap_or_default();
            if message.get("id").and_then(Value::as_u64) != Some(self.last) {
                continue;
            }
            return match message.get_mut("error") {
                Some(error) => Err(InspectorError::Refused { method, error: error.take() }),
                None => Ok(message.get_mut("result").map(Value::take).unwrap_or_default()),
            };
        }
        Err(tungstenite::Error::from(io::Error::from(io::ErrorKind::UnexpectedEof)).into())
    }
}

const SAMPLING_INTERVAL_US: u32 = 200;
