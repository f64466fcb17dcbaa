//! The Redis behind the bridge.

mod cluster;
mod shared_connection;
mod timeouts;

use redis::{Cmd, Pipeline, Value};

use self::{cluster::Cluster, shared_connection::SharedConnection};
use crate::{bridge_error::BridgeError, request_error::RequestError};

/// Where the bridge sends commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// One Redis or Valkey: `redis://[user:password@]host[:port][/db]` or `redis+unix:///path`.
    Redis(String),
    /// A cluster, by one or more of its nodes.
    Cluster(Vec<String>),
}

/// An open [`Backend`].
pub(crate) enum Store {
    Single(SharedConnection),
    Cluster(Cluster),
}

impl Store {
    /// Connects, so that a wrong address is known at once.
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

    /// Redis's answer; one that is an error is [`RequestError::Refused`].
    pub(crate) async fn command(&self, cmd: &Cmd) -> Result<Value, RequestError> {
        let value = match self {
            Self::Single(connection) => connection.command(cmd).await,
            Self::Cluster(cluster) => cluster.command(cmd).await,
        };
        Ok(value?.extract_error()?)
    }

    /// One answer for each command, in order; each may be an error.
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

    /// One answer for each command, all run by one `EXEC`; each may be an error.
    pub(crate) async fn transaction<'a>(
        &self,
        cmds: impl ExactSizeIterator<Item = &'a Cmd>,
    ) -> Result<Vec<Value>, RequestError> {
        let answers = match self {
            Self::Single(connection) => connection.transaction(pack(cmds).atomic()).await,
            Self::Cluster(cluster) => cluster.transaction(cmds).await,
        };
        match answers?.into_iter().next() {
            Some(Value::Array(values)) => Ok(values),
            Some(value) => {
                value.extract_error()?;
                Err(RequestError::refused("ERR the transaction was not run"))
            }
            None => Err(RequestError::Unreachable("no answer to EXEC".to_owned())),
        }
    }

    /// Whether Redis answers.
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
