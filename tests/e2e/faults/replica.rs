//! A replica of a private Redis.

use std::path::PathBuf;

use sluicegate_bridge::RedisServer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};

use super::site::command;
use crate::bare::eventually;

/// Starts a replica and waits until it has everything that `primary` has.
pub(super) async fn follow(primary: &RedisServer) -> RedisServer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    tokio::spawn(relay(listener, primary.socket().to_owned()));
    command::<()>(primary, &["CONFIG", "SET", "repl-diskless-sync-delay", "0"]);
    let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &port].map(str::to_owned)).await.unwrap();
    eventually("a complete replica", || {
        let (from, to) = (replication(primary), replication(&replica));
        let offset = |text: &str, name: &str| text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        let complete = to.contains("master_link_status:up")
            && offset(&from, "master_repl_offset:") == offset(&to, "slave_repl_offset:");
        (complete, to)
    })
    .await;
    replica
}

fn replication(redis: &RedisServer) -> String {
    command(redis, &["INFO", "replication"])
}

/// Lets a replica, which knows only TCP, reach a Redis at a Unix socket.
async fn relay(listener: TcpListener, socket: PathBuf) {
    while let Ok((mut replica, _)) = listener.accept().await {
        if let Ok(mut primary) = UnixStream::connect(&socket).await {
            tokio::spawn(async move { copy_bidirectional(&mut replica, &mut primary).await });
        }
    }
}
