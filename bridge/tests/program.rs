//! The program `sluicegate-bridge`.

#![expect(clippy::unwrap_used, reason = "a test that cannot run a program has failed")]

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use sluicegate_bridge::{RedisCluster, RedisServer};

/// Returns a command that runs the program, on a free port unless the arguments contain an address. Another
/// bridge may use the default port.
fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluicegate-bridge"));
    for name in ["LISTEN", "REDIS", "REDIS_CLUSTER", "TOKEN", "TOKEN_FILE"] {
        command.env_remove(format!("SLUICEGATE_BRIDGE_{name}"));
    }
    command.args(args).env("SLUICEGATE_BRIDGE_LISTEN", "127.0.0.1:0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn check_error(args: &[&str], expected: &str) {
    let output = program(args).output().unwrap();
    assert!(!output.status.success(), "{args:?}");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains(expected), "{args:?}: {stderr}");
}

/// A running program that is killed when the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both calls fail only if the program has exited already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the URL in the program's next line, `ready URL`.
fn ready(running: &mut Running) -> String {
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line.trim().strip_prefix("ready ").unwrap().to_owned()
}

/// Returns the working directory of the embedded Redis.
async fn redis_folder(url: &str, token: &str) -> PathBuf {
    let config = fetch(&format!("{url}/config/get/dir"), token).await;
    PathBuf::from(config.trim_end_matches("\"]}").rsplit('"').next().unwrap())
}

async fn fetch(url: &str, token: &str) -> String {
    let request = reqwest::Client::new().get(url).bearer_auth(token);
    request.send().await.unwrap().text().await.unwrap()
}

#[test]
fn refuses_to_start_without_what_it_needs() {
    check_error(&["--redis", "redis://127.0.0.1:1"], "no token (set SLUICEGATE_BRIDGE_TOKEN");
    check_error(&["--redis", "redis://127.0.0.1:1", "--token", "t"], "redis is unreachable: redis://127.0.0.1:1");
    check_error(&["--token", "t"], "--redis <URL>");
    check_error(&["--embedded", "--redis", "redis://127.0.0.1:1"], "cannot be used with");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    check_error(&["--embedded", "--listen", &address], &format!("address in use: {address}"));
}

#[tokio::test]
async fn embedded_generates_a_token_and_stops_its_redis() {
    let mut running = Running(program(&["--embedded"]).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let token = lines.next().unwrap().strip_prefix("token ").unwrap().to_owned();
    assert_eq!(token.len(), 40);
    let url = lines.next().unwrap().strip_prefix("ready ").unwrap().to_owned();
    assert_eq!(fetch(&format!("{url}/ping"), &token).await, r#"{"result":"PONG"}"#);
    assert!(fetch(&format!("{url}/ping"), "wrong").await.contains("WRONGPASS"));
    let folder = redis_folder(&url, &token).await;
    assert!(folder.join("redis.sock").exists(), "{}", folder.display());

    let kill = Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert!(running.0.wait().unwrap().success());
    assert!(!folder.exists(), "{}", folder.display());
}

#[tokio::test]
async fn a_token_from_the_environment_is_not_printed() {
    let mut command = program(&["--embedded"]);
    let mut running = Running(command.env("SLUICEGATE_BRIDGE_TOKEN", "from-the-environment").spawn().unwrap());
    let url = ready(&mut running);
    assert_eq!(fetch(&format!("{url}/ping"), "from-the-environment").await, r#"{"result":"PONG"}"#);
}

#[tokio::test]
async fn the_token_can_be_in_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "from-the-file\n").unwrap();
    let path = file.path().display().to_string();
    let mut command = program(&["--embedded"]);
    let mut running = Running(command.env("SLUICEGATE_BRIDGE_TOKEN_FILE", &path).spawn().unwrap());
    let url = ready(&mut running);
    assert_eq!(fetch(&format!("{url}/ping"), "from-the-file").await, r#"{"result":"PONG"}"#);
    assert!(fetch(&format!("{url}/ping"), "").await.contains("WRONGPASS"));
    drop(file);
    check_error(&["--embedded", "--token-file", &path], &format!("cannot read the token file: {path}: "));
}

#[tokio::test]
async fn health_says_whether_the_bridge_and_its_redis_are_well() {
    let redis = RedisServer::start().await.unwrap();
    let mut bridge = program(&["--token", "t"]);
    let mut running = Running(bridge.env("SLUICEGATE_BRIDGE_REDIS", redis.url()).spawn().unwrap());
    let address = ready(&mut running).trim_start_matches("http://").to_owned();
    let health = || program(&["health", "--listen", &address]).output().unwrap();
    let healthy = health();
    assert!(healthy.status.success());
    assert_eq!(String::from_utf8_lossy(&healthy.stdout), "{\"status\":\"ok\"}\n");

    drop(redis);
    let unhealthy = health();
    assert_eq!(unhealthy.status.code(), Some(1));
    let error = String::from_utf8_lossy(&unhealthy.stderr).into_owned();
    assert!(error.contains("the bridge is not healthy: status 503: {"), "{error}");

    drop(running);
    check_error(&["health", "--listen", &address], &format!("no response from {address}: "));
}

#[test]
fn the_program_has_the_version_of_the_workspace() {
    let output = program(&["--version"]).output().unwrap();
    let expected = concat!("sluicegate-bridge ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[tokio::test]
async fn redis_ends_when_the_program_is_killed() {
    let mut running = Running(program(&["--embedded", "--token", "t"]).spawn().unwrap());
    let url = ready(&mut running);
    let folder = redis_folder(&url, "t").await;
    running.0.kill().unwrap();
    let removed = (0..500).any(|_| {
        thread::sleep(Duration::from_millis(10));
        !folder.exists()
    });
    assert!(removed, "{}", folder.display());
}

#[tokio::test]
async fn the_program_ends_when_its_redis_ends() {
    let mut running = Running(program(&["--embedded", "--token", "t"]).spawn().unwrap());
    let url = ready(&mut running);
    let info = fetch(&format!("{url}/info/server"), "t").await;
    let id = info.split("process_id:").nth(1).unwrap().split('\\').next().unwrap();
    assert!(Command::new("kill").args(["-KILL", id]).status().unwrap().success());
    assert!(!running.0.wait().unwrap().success());
    let stderr = BufReader::new(running.0.stderr.take().unwrap()).lines().next().unwrap().unwrap();
    assert_eq!(stderr, "sluicegate-bridge: the embedded redis ended");
}

#[tokio::test]
async fn serves_a_cluster_given_by_its_nodes() {
    let cluster = RedisCluster::start().await.unwrap();
    let urls = cluster.urls().join(",");
    let args = ["--redis-cluster", &urls, "--token", "t"];
    let mut running = Running(program(&args).spawn().unwrap());
    let url = ready(&mut running);
    for number in 0..20 {
        assert_eq!(fetch(&format!("{url}/set/k{number}/v"), "t").await, r#"{"result":"OK"}"#);
    }
    assert!(fetch(&format!("{url}/info/cluster"), "t").await.contains("cluster_enabled:1"));
    drop(cluster);
    check_error(&["--redis-cluster", &urls, "--token", "t"], &format!("redis is unreachable: {urls}: "));
}
