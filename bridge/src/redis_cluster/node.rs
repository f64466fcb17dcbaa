//! A node of a private cluster.

use std::{
    collections::BTreeSet,
    io,
    net::{Ipv4Addr, TcpListener},
};

use redis::{Client, Cmd, FromRedisValue};

use super::error::ClusterError;
use crate::redis_server::{RedisServer, StartError};

/// A Redis in cluster mode with its two ports on 127.0.0.1.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) server: RedisServer,
    pub(super) port: u16,
    bus: u16,
}

impl Node {
    /// Starts a node that knows no other node and serves no slot.
    pub(super) async fn start() -> Result<Self, StartError> {
        let mut attempts = 1;
        loop {
            let (port, bus) = free_ports()?;
            match RedisServer::start_with(&arguments(port, bus)).await {
                Ok(server) => return Ok(Self { server, port, bus }),
                // Another process may have taken a port in the meantime.
                Err(StartError::NotReady { .. }) if attempts < MAX_ATTEMPTS => attempts += 1,
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn url(&self) -> String {
        format!("redis://{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// Returns the command that introduces this node to another one.
    pub(super) fn meet_command(&self) -> Cmd {
        let mut command = redis::cmd("CLUSTER");
        command.arg("MEET").arg(Ipv4Addr::LOCALHOST.to_string()).arg(self.port).arg(self.bus);
        command
    }

    /// Returns the node's id in the cluster.
    pub(super) async fn id(&self) -> Result<String, ClusterError> {
        self.run(redis::cmd("CLUSTER").arg("MYID")).await
    }

    /// Returns the node's view of the cluster: the id, configuration epoch and slots of each node.
    pub(super) async fn view(&self) -> Result<BTreeSet<String>, ClusterError> {
        let nodes: String = self.run(redis::cmd("CLUSTER").arg("NODES")).await?;
        // `ID ADDRESS FLAGS MASTER PING PONG EPOCH LINK SLOTS…`
        let known = nodes.lines().map(|line| {
            let mut words = line.split(' ');
            let (id, epoch) = (words.next().unwrap_or_default(), words.nth(5).unwrap_or_default());
            let slots: Vec<_> = words.skip(1).collect();
            format!("{id} {epoch} {}", slots.join(" "))
        });
        Ok(known.collect())
    }

    /// Runs a command on a new connection and returns the reply.
    pub(super) async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, ClusterError> {
        let reply = async {
            let mut connection = Client::open(self.url())?.get_multiplexed_async_connection().await?;
            command.query_async(&mut connection).await
        };
        reply.await.map_err(|error| {
            let words: Vec<_> = command
                .args_iter()
                .filter_map(|arg| match arg {
                    redis::Arg::Simple(word) => Some(String::from_utf8_lossy(word).into_owned()),
                    _ => None,
                })
                .take(2)
                .collect();
            ClusterError::Command { command: words.join(" "), url: self.url(), reason: error.to_string() }
        })
    }
}

fn arguments(port: u16, bus: u16) -> Vec<String> {
    let (port, bus) = (port.to_string(), bus.to_string());
    let arguments = [
        ["--bind", "127.0.0.1"],
        ["--port", &port],
        ["--cluster-port", &bus],
        ["--cluster-enabled", "yes"],
        // The other nodes must go on while one is down.
        ["--cluster-require-full-coverage", "no"],
    ];
    arguments.as_flattened().iter().map(|&argument| argument.to_owned()).collect()
}

/// Returns two ports that were free a moment ago.
fn free_ports() -> io::Result<(u16, u16)> {
    let loopback = (Ipv4Addr::LOCALHOST, 0);
    let (one, two) = (TcpListener::bind(loopback)?, TcpListener::bind(loopback)?);
    Ok((one.local_addr()?.port(), two.local_addr()?.port()))
}

const MAX_ATTEMPTS: u32 = 5;
