//! Outages of Redis, which the bridge survives.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use sluicegate_bridge::{Backend, Bridge, BridgeError, RedisServer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    process::Command,
    task::JoinSet,
    time::timeout,
};

use crate::support::{TestBridge, error, read, start};

#[tokio::test]
async fn a_killed_redis_is_502_until_its_restart() {
    let (bridge, mut redis) = start().await;
    for _ in 0..3 {
        bridge.run(json!(["SET", "k", "v"])).await;
        redis.kill().await;
        for (path, body) in
            [("/", r#"["GET","k"]"#), ("/pipeline", r#"[["GET","k"]]"#), ("/multi-exec", r#"[["GET","k"]]"#)]
        {
            let (status, body) = bridge.post(path, body).await;
            assert_eq!(status, 502, "{body}");
            assert!(error(&body).starts_with("ERR redis is unreachable: "), "{body}");
        }
        redis.restart().await.unwrap();
        assert_eq!(bridge.run(json!(["GET", "k"])).await, json!(null));
    }
}

#[tokio::test]
async fn a_connection_closed_by_redis_is_reopened() {
    let (bridge, redis) = start().await;
    let id = bridge.run(json!(["CLIENT", "ID"])).await;
    let mut cli = Command::new("redis-cli");
    cli.arg("-s").arg(redis.socket()).args(["client", "kill", "id", &id.to_string()]);
    assert_eq!(cli.output().await.unwrap().stdout, b"1\n");
    bridge.until(200).await;
    assert_ne!(bridge.run(json!(["CLIENT", "ID"])).await, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_share_one_outage() {
    let (bridge, mut redis) = start().await;
    redis.kill().await;
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        requests.spawn(read(bridge.request(Method::GET, "/get/k")));
    }
    let statuses = timeout(Duration::from_secs(5), requests.join_all()).await.unwrap();
    assert!(statuses.iter().all(|(status, _)| *status == 502));
}

/// Redis receives the command, then the connection breaks before the reply.
#[tokio::test]
async fn a_command_with_a_lost_reply_is_not_resent() {
    let (bridge, redis) = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let redis = tokio::spawn(async move {
            let mut seen = Vec::new();
            for _ in 0..3 {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut buffer = [0; 1024];
                loop {
                    let length = stream.read(&mut buffer).await.unwrap();
                    let command = String::from_utf8_lossy(&buffer[..length]).into_owned();
                    if !command.contains("PING") {
                        seen.push(command);
                        break;
                    }
                    stream.write_all(b"+PONG\r\n").await.unwrap();
                }
            }
            seen
        });
        (TestBridge::start(&url).await, redis)
    };
    for key in ["first", "second", "third"] {
        let (status, body) = bridge.post("/", json!(["INCR", key]).to_string()).await;
        assert_eq!(status, 502, "{body}");
    }
    let seen = redis.await.unwrap();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().zip(["first", "second", "third"]).all(|(command, key)| command.contains(key)));
}

#[tokio::test]
async fn a_silent_redis_is_504() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let silent = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"+PONG\r\n").await.unwrap();
        let mut everything = Vec::new();
        stream.read_to_end(&mut everything).await.unwrap();
    });
    let bridge = TestBridge::start(&url).await;
    let (status, body) = bridge.post("/", r#"["GET","k"]"#).await;
    assert_eq!((status, error(&body).as_str()), (504, "ERR redis did not answer in time"));
    // The bridge closes the connection.
    silent.await.unwrap();
}

#[tokio::test]
async fn a_failed_start_reports_the_reason() {
    let redis = RedisServer::start().await.unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let bind =
        |address, token: &str, url: &str| Bridge::bind(address, token.to_owned(), Backend::Redis(url.to_owned()));
    let taken = bind(any, "t", &redis.url()).await.unwrap();
    let error = bind(taken.address(), "t", &redis.url()).await.err().unwrap();
    assert!(matches!(error, BridgeError::AddressInUse(address) if address == taken.address()), "{error}");
    let error = bind(any, "", &redis.url()).await.err().unwrap();
    assert!(matches!(error, BridgeError::NoToken), "{error}");
    for (url, expected) in [
        ("nonsense", "bad redis url: nonsense"),
        ("rediss://:secret@localhost", "bad redis url: rediss://…@localhost"),
        ("redis+unix:///does/not/exist.sock", "redis is unreachable: redis+unix:///does/not/exist.sock"),
    ] {
        let error = bind(any, "t", url).await.err().unwrap().to_string();
        assert!(error.starts_with(expected), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn database_and_password_of_the_url_are_used() {
    let args = ["--requirepass", "pass word"].map(str::to_owned);
    let redis = RedisServer::start_with(&args).await.unwrap();
    let bridge = TestBridge::start(&format!("{}?pass=pass%20word&db=3", redis.url())).await;
    let info = bridge.run(json!(["CLIENT", "INFO"])).await;
    assert!(info.as_str().unwrap().contains(" db=3 "), "{info}");
    let url = format!("{}?pass=wrong", redis.url());
    let error = Bridge::bind("127.0.0.1:0".parse().unwrap(), "t", Backend::Redis(url)).await.err().unwrap();
    assert!(error.to_string().contains("authentication"), "{error}");
}
