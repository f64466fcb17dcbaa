//! Connections to a Redis Cluster.

use std::time::Duration;

use redis::{
    Cmd, ErrorKind, Pipeline, ProtocolVersion, RedisError, RedisResult, ServerErrorKind, Value,
    aio::ConnectionLike,
    cluster::{ClusterClient, ClusterClientBuilder},
    cluster_async::ClusterConnection,
    cluster_routing::SingleNodeRoutingInfo,
};
use tokio::time::{sleep, timeout};

use super::{CONNECT_TIMEOUT, RESPONSE_TIMEOUT};
use crate::{bridge::BridgeError, failure::Failure};

/// Connections to the nodes, kept up to date by the client library.
///
/// The library's own retries are off: they would also send a command again whose connection broke. Sent
/// again here is only what a node said it did not execute.
pub(crate) struct Cluster {
    connection: ClusterConnection,
}

impl Cluster {
    pub(crate) async fn new(urls: &[String]) -> Result<Self, BridgeError> {
        if let Some(url) = urls.iter().find(|url| url.starts_with("rediss") || url.starts_with("valkeys")) {
            return Err(BridgeError::encrypted(url));
        }
        let client = Self::client(urls).map_err(|error| BridgeError::bad_url(&urls.join(","), &error))?;
        let connection = timeout(CONNECT_TIMEOUT * 2, client.get_async_connection())
            .await
            .map_err(|_| "no connection in time".to_owned())
            .and_then(|outcome| outcome.map_err(|error| error.to_string()))
            .map_err(|reason| BridgeError::unreachable(&urls.join(","), reason))?;
        Ok(Self { connection })
    }

    fn client(urls: &[String]) -> RedisResult<ClusterClient> {
        ClusterClientBuilder::new(urls.iter().map(String::as_str))
            .retries(0)
            .connection_timeout(CONNECT_TIMEOUT)
            .response_timeout(RESPONSE_TIMEOUT)
            .use_protocol(ProtocolVersion::RESP2)
            .build()
    }

    /// An answer that is an error is [`Failure::Refuse`].
    pub(crate) async fn command(&self, cmd: &Cmd) -> Result<Value, Failure> {
        self.redirected(cmd).await.map_err(failure)
    }

    /// An answer that is an error is a value.
    pub(crate) async fn entry(&self, cmd: &Cmd) -> Result<Value, Failure> {
        match self.redirected(cmd).await {
            Ok(value) => Ok(value),
            Err(error) if error.is_cluster_error() => Err(failure(error)),
            Err(error) => match error.clone().into_server_errors().as_deref() {
                Some([(_, refusal), ..]) => Ok(Value::ServerError(refusal.clone())),
                _ => Err(failure(error)),
            },
        }
    }

    pub(crate) async fn transaction(&self, pipeline: &Pipeline) -> Result<Vec<Value>, Failure> {
        let mut connection = self.connection.clone();
        connection.req_packed_commands(pipeline, pipeline.len() + 1, 1).await.map_err(failure)
    }

    async fn redirected(&self, cmd: &Cmd) -> RedisResult<Value> {
        let mut attempt = 0;
        loop {
            let outcome = self.connection.clone().req_packed_command(cmd).await.and_then(Value::extract_error);
            let Err(error) = outcome else { return outcome };
            attempt += 1;
            match error.kind() {
                _ if attempt > MAX_REDIRECTS => return Err(error),
                ErrorKind::Server(ServerErrorKind::Ask) => return self.ask(cmd, error).await,
                ErrorKind::Server(ServerErrorKind::Moved) => {}
                ErrorKind::Server(ServerErrorKind::TryAgain | ServerErrorKind::ReadOnly) => sleep(PAUSE).await,
                _ => return Err(error),
            }
        }
    }

    /// Sends a command to the node that a slot is being moved to.
    async fn ask(&self, cmd: &Cmd, redirect: RedisError) -> RedisResult<Value> {
        let Some((host, port)) = redirect.redirect_node().and_then(|(node, _)| node.rsplit_once(':')) else {
            return Err(redirect);
        };
        let Ok(port) = port.parse() else { return Err(redirect) };
        let node = SingleNodeRoutingInfo::ByAddress { host: host.to_owned(), port };
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.cmd("ASKING").add_command(cmd.clone());
        let mut connection = self.connection.clone();
        let mut answers = connection.route_pipeline(pipeline, 0, 2, node).await?;
        answers.pop().unwrap_or_default().extract_error()
    }
}

/// A redirect that leads nowhere is an outage of the cluster, not a mistake of the client.
fn failure(error: RedisError) -> Failure {
    let outage = error.is_cluster_error();
    match Failure::from(error) {
        Failure::Refuse(text) if outage => Failure::Unreachable(text),
        failure => failure,
    }
}

const MAX_REDIRECTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(50);
