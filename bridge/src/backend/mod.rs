//! Connections to the Redis behind the bridge.

mod cluster;
mod shared_connection;
mod timeouts;

use redis::{Cmd, Pipeline, Value};

use self::{cluster::Cluster, shared_connection::SharedConnection};
use crate::{bridge_error::BridgeError, request_error::RequestError};

/// The Redis to which a bridge sends commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// One Redis or Valkey: `redis://[user:password@]host[:port][/db]` or `redis+unix:///path`.
    Redis(String),
    /// A Redis Cluster, given by the URLs of one or more of its nodes.
    Cluster(Vec<String>),
}

/// The connections to a [`Backend`].
pub(crate) enum Store {
    Single(SharedConnection),
    Cluster(Cluster),
}

impl Store {
    /// Connects and checks that Redis replies.
    pub(crate) async fn open(backend: Backend) -> Result<Self, BridgeError> {
        let (store, url) = match backend {
            Backend::Redis(url) => (Self::Single(SharedConnection::new(&url)?), url),
            Backend::Cluster(urls) => (Self::Cluster(Cluster::new(&urls).await?), urls.join(",")),
        };
        match store.ping().await {
            Ok(()) => Ok(store),
            Err(RequestError::Unreachable(reason)) => Err(BridgeError::unreachable(&url, reason)),
            Err(error) => Err(BridgeError::unreachable(&url, error.text())),
        }
    }

    /// Returns the reply to a command. An error reply is [`RequestError::Refused`].
    pub(crate) async fn command(&self, cmd: &Cmd) -> Result<Value, RequestError> {
        let value = match self {
            Self::Single(connection) => connection.command(cmd).await,
            Self::Cluster(cluster) => cluster.command(cmd).await,
        };
        Ok(value?.extract_error()?)
    }

    /// Returns one reply for each command, in order. Each may be an error.
    pub(crate) async fn pipeline<'a>(
        &self,
        cmds: impl ExactSizeIterator<Item = &'a Cmd>,
    ) -> Result<Vec<Value>, RequestError> {
        match self {
            _ if cmds.len() == 0 => Ok(Vec::new()),
            Self::Single(connection) => connection.pipeline(&pack(cmds)).await,
            Self::Cluster(cluster) => {
                let mut values = Vec::with_capacity(cmds.len());
                for cmd in cmds {
                    values.push(cluster.pipeline_entry(cmd).await?);
                }
                Ok(values)
            }
        }
    }

    /// Runs the commands in one `EXEC` and returns one reply for each. Each may be an error.
    pub(crate) async fn transaction<'a>(
        &self,
        cmds: impl ExactSizeIterator<Item = &'a Cmd>,
    ) -> Result<Vec<Value>, RequestError> {
        let replies = match self {
            Self::Single(connection) => connection.transaction(pack(cmds).atomic()).await,
            Self::Cluster(cluster) => cluster.transaction(cmds).await,
        };
        match replies?.into_iter().next() {
            Some(Value::Array(values)) => Ok(values),
            Some(value) => {
                value.extract_error()?;
                Err(RequestError::refused("ERR the transaction was not run"))
            }
            None => Err(RequestError::Unreachable("no reply to EXEC".to_owned())),
        }
    }

    /// Checks that Redis replies.
    pub(crate) async fn ping(&self) -> Result<(), RequestError> {
        self.command(&redis::cmd("PING")).await.map(drop)
    }
}

fn pack<'a>(cmds: impl ExactSizeIterator<Item = &'a Cmd>) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(cmds.len());
    for cmd in cmds {
        pipeline.add_command(cmd.clone());
    }
    pipeline
}
