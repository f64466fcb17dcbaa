//! The connections to a Redis Cluster.

use std::time::Duration;

use redis::{
    Cmd, ErrorKind, Pipeline, ProtocolVersion, RedisError, RedisResult, ServerErrorKind, Value,
    aio::ConnectionLike,
    cluster::{ClusterClient, ClusterClientBuilder},
    cluster_async::ClusterConnection,
    cluster_routing::SingleNodeRoutingInfo,
};
use tokio::time::{sleep, timeout};

use super::timeouts::{CONNECT_TIMEOUT, RESPONSE_TIMEOUT};
use crate::{bridge_error::BridgeError, request_error::RequestError};

/// Connections to the nodes of a cluster, which the client library keeps up to date.
///
/// The library's own retries are off, because they would resend a command after its connection broke. This
/// type resends only commands that a node reported as not executed. (A command with keys on several nodes,
/// such as `DEL`, is resent as a whole when one of the nodes redirects it: the others run it twice, so its
/// count may be too low.)
///
/// The library does not know a node that serves no slot. Redirects to it fail until it serves its first slot.
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
            .connection_concurrency_limit(IN_FLIGHT_PER_NODE)
            .use_protocol(ProtocolVersion::RESP2)
            .build()
    }

    /// Returns the reply to a command. An error reply is [`RequestError::Refused`].
    pub(crate) async fn command(&self, cmd: &Cmd) -> Result<Value, RequestError> {
        self.run(cmd).await.map_err(request_error)
    }

    /// Returns the reply to a command of a pipeline. An error reply is a value.
    pub(crate) async fn pipeline_entry(&self, cmd: &Cmd) -> Result<Value, RequestError> {
        match self.run(cmd).await {
            Ok(value) => Ok(value),
            Err(error) if error.is_cluster_error() => Err(request_error(error)),
            Err(error) => match error.clone().into_server_errors().as_deref() {
                Some([(_, error), ..]) => Ok(Value::ServerError(error.clone())),
                _ => Err(request_error(error)),
            },
        }
    }

    async fn run(&self, cmd: &Cmd) -> RedisResult<Value> {
        let mut replies = self.follow_redirects(Request::Command(cmd)).await?;
        replies.pop().unwrap_or_default().extract_error()
    }

    /// Returns the reply to `EXEC`. A redirected transaction has run none of its commands, so it is sent again.
    pub(crate) async fn transaction<'a>(
        &self,
        cmds: impl Iterator<Item = &'a Cmd>,
    ) -> Result<Vec<Value>, RequestError> {
        let cmds: Vec<_> = cmds.collect();
        let mut replies = self.follow_redirects(Request::Transaction(&cmds)).await.map_err(request_error)?;
        match replies.pop() {
            Some(Value::ServerError(error)) if error.code() == "EXECABORT" => {
                let cause = replies.iter().find_map(|reply| match reply {
                    Value::ServerError(cause) => Some(cause),
                    _ => None,
                });
                Err(RequestError::discarded(cause))
            }
            reply => Ok(reply.into_iter().collect()),
        }
    }

    /// Sends a request, following redirects and retrying while a node reports that it did not run it.
    async fn follow_redirects(&self, request: Request<'_>) -> RedisResult<Vec<Value>> {
        let mut target = Target::Key;
        let mut attempt = 0;
        loop {
            let error = match self.send(request, &target).await {
                Err(error) if attempt < MAX_REDIRECTS => error,
                outcome => return outcome,
            };
            attempt += 1;
            target = match (error.kind(), request) {
                (ErrorKind::Server(ServerErrorKind::Ask), _) => Target::Asking(redirect_target(error)?),
                // The library has refreshed its slot map. A command for several nodes needs the whole map.
                (ErrorKind::Server(ServerErrorKind::Moved), Request::Command(_)) => Target::Key,
                (ErrorKind::Server(ServerErrorKind::Moved), Request::Transaction(_)) => {
                    Target::Node(redirect_target(error)?)
                }
                (ErrorKind::Server(ServerErrorKind::TryAgain | ServerErrorKind::ReadOnly), _) => {
                    sleep(RETRY_PAUSE).await;
                    Target::Key
                }
                _ => return Err(error),
            };
        }
    }

    /// Returns the replies to everything that is sent. An error reply inside a transaction is a value.
    async fn send(&self, request: Request<'_>, target: &Target) -> RedisResult<Vec<Value>> {
        let mut connection = self.connection.clone();
        let (asking, node) = match (request, target) {
            (Request::Command(cmd), Target::Key) => {
                return Ok(vec![connection.req_packed_command(cmd).await?.extract_error()?]);
            }
            (_, Target::Key) => (false, None),
            (_, Target::Node(node)) => (false, Some(node)),
            (_, Target::Asking(node)) => (true, Some(node)),
        };
        // Not an atomic pipeline: the library does not act on a redirect inside one.
        let mut pipeline = Pipeline::new();
        if asking {
            // Applies to the next command, or to a whole transaction.
            pipeline.cmd("ASKING");
        }
        match request {
            Request::Command(cmd) => drop(pipeline.add_command(cmd.clone())),
            Request::Transaction(cmds) => {
                pipeline.cmd("MULTI");
                for &cmd in cmds {
                    pipeline.add_command(cmd.clone());
                }
                pipeline.cmd("EXEC");
            }
        }
        let count = pipeline.len();
        match node {
            Some(node) => connection.route_pipeline(pipeline, 0, count, node.clone()).await,
            None => connection.req_packed_commands(&pipeline, 0, count).await,
        }
    }
}

/// A request for one node. The library splits some commands among several nodes.
#[derive(Clone, Copy)]
enum Request<'a> {
    Command(&'a Cmd),
    Transaction(&'a [&'a Cmd]),
}

/// The node to which a request is sent.
enum Target {
    /// The node that serves the key according to the library's slot map.
    Key,
    /// The node that serves the key according to a `MOVED` redirect.
    Node(SingleNodeRoutingInfo),
    /// The node to which the slot is being moved, according to an `ASK` redirect.
    Asking(SingleNodeRoutingInfo),
}

/// Returns the node that a redirect names, or the error itself if it names none.
fn redirect_target(error: RedisError) -> RedisResult<SingleNodeRoutingInfo> {
    let node = error.redirect_node().and_then(|(node, _)| node.rsplit_once(':'));
    match node.and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?))) {
        Some((host, port)) => Ok(SingleNodeRoutingInfo::ByAddress { host, port }),
        None => Err(error),
    }
}

/// Converts an error. A redirect that cannot be followed is an outage of the cluster, not an error of the
/// client.
fn request_error(error: RedisError) -> RequestError {
    let outage = error.is_cluster_error();
    match RequestError::from(error) {
        RequestError::Refused(text) if outage => RequestError::Unreachable(text),
        error => error,
    }
}

/// The commands that one node runs for this bridge at a time; others wait.
///
/// Below the 50 that the queue of a connection holds. With a full queue, the library's request for the slot map would wait
/// for commands that make no progress until the library has the slot map.
const IN_FLIGHT_PER_NODE: usize = 40;

const MAX_REDIRECTS: u32 = 5;
const RETRY_PAUSE: Duration = Duration::from_millis(50);
