//! The private Redis.

use std::{os::unix::fs::PermissionsExt, path::Path, process::Command};

use sluicegate_bridge::{RedisServer, StartError};

fn cli(socket: &Path, args: &[&str]) -> Option<String> {
    let output = Command::new("redis-cli").arg("-s").arg(socket).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn strings(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

#[tokio::test]
async fn listens_only_on_a_private_socket() {
    let redis = RedisServer::start().await.unwrap();
    assert_eq!(cli(redis.socket(), &["ping"]).unwrap(), "PONG");
    assert_eq!(cli(redis.socket(), &["config", "get", "port"]).unwrap(), "port\n0");
    for path in [redis.socket(), redis.socket().parent().unwrap()] {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
    let url = redis.url();
    assert_eq!(Path::new(url.strip_prefix("redis+unix://").unwrap()), redis.socket());
}

#[tokio::test]
async fn two_servers_are_independent() {
    let (one, two) = (RedisServer::start().await.unwrap(), RedisServer::start().await.unwrap());
    cli(one.socket(), &["set", "k", "v"]).unwrap();
    assert_eq!(cli(two.socket(), &["exists", "k"]).unwrap(), "0");
}

#[tokio::test]
async fn dropping_a_server_removes_process_and_folder() {
    let mut redis = RedisServer::start().await.unwrap();
    let socket = redis.socket().to_owned();
    redis.stop().await;
    assert_eq!(cli(&socket, &["ping"]), None);
    assert!(socket.parent().unwrap().exists());
    redis.restart().await.unwrap();
    assert_eq!(cli(&socket, &["ping"]).unwrap(), "PONG");
    drop(redis);
    assert_eq!(cli(&socket, &["ping"]), None);
    assert!(!socket.parent().unwrap().exists());
}

#[tokio::test]
async fn a_restart_keeps_socket_and_persistent_data() {
    let mut redis = RedisServer::start_with(&strings(&["--appendonly", "yes"])).await.unwrap();
    cli(redis.socket(), &["set", "k", "kept"]).unwrap();
    redis.restart().await.unwrap();
    assert_eq!(cli(redis.socket(), &["get", "k"]).unwrap(), "kept");

    let mut redis = RedisServer::start().await.unwrap();
    cli(redis.socket(), &["set", "k", "lost"]).unwrap();
    redis.restart().await.unwrap();
    assert_eq!(cli(redis.socket(), &["get", "k"]).unwrap(), "");
}

#[tokio::test]
async fn wait_resolves_when_the_process_ends() {
    let mut redis = RedisServer::start().await.unwrap();
    cli(redis.socket(), &["shutdown", "nosave"]);
    assert!(redis.wait().await.unwrap().success());
    redis.restart().await.unwrap();
    redis.kill().await;
    assert!(!redis.wait().await.unwrap().success());
}

#[tokio::test]
async fn a_failed_start_reports_the_reason() {
    let error = RedisServer::start_with(&strings(&["--no-such-option", "1"])).await.unwrap_err();
    assert!(matches!(error, StartError::NotReady { .. }), "{error}");
    assert!(error.to_string().contains("exit status: 1"), "{error}");
    assert!(error.to_string().contains("no-such-option"), "{error}");
}
