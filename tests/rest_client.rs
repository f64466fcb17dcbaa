//! The REST client on reqwest, against the real bridge and redis-server and against faulty servers.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sluicegate::limit::{Limit, LimitName, Retry, Subject, Verdict};
use sluicegate::limiter::{CheckError, Limiter, Now};
use sluicegate::redis::script::{CHECK, Dialect};
use sluicegate::redis::{self, Command, HttpTransport, RedisError, Token};
use sluicegate::time::Millis;
use sluicegate_bridge::RedisServer;
use sluicegate_devstack::BridgeServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const NOW: Now = Now::At(Millis::new(1_800_000_000_000));

/// A redis-server behind a bridge, started for one test.
struct Upstream {
    redis: RedisServer,
    url: String,
    _bridge: BridgeServer,
}

impl Upstream {
    async fn start() -> Self {
        let redis = RedisServer::start().await.unwrap();
        let bridge = BridgeServer::start(0, "token", redis.url()).await.unwrap();
        Upstream { redis, url: bridge.url(), _bridge: bridge }
    }

    fn limiter(&self, dialect: Dialect) -> Limiter<HttpTransport> {
        Limiter::new(transport(&self.url, "token"), dialect)
    }

    async fn run<T: serde::de::DeserializeOwned>(&self, command: Command) -> T {
        redis::run(&transport(&self.url, "token"), command).await.unwrap()
    }

    /// Returns the value of a metric of the bridge, summed over its labels.
    async fn count(&self, metric: &str) -> u64 {
        let text = reqwest::get(format!("{}/metrics", self.url)).await.unwrap().text().await.unwrap();
        let value = |line: &str| line.rsplit_once(' ').and_then(|(_, value)| value.parse::<u64>().ok());
        text.lines().filter(|line| line.contains(metric)).filter_map(value).sum()
    }
}

fn transport(url: &str, token: &str) -> HttpTransport {
    HttpTransport::new(url.parse().unwrap(), &Token::new(token).unwrap(), Millis::from_secs(5))
}

fn limits() -> [Limit; 2] {
    let name = |text| LimitName::new(text).unwrap();
    [
        Limit::token_bucket(name("burst"), 5, Millis::from_secs(600), None).unwrap(),
        Limit::sliding_log(name("day"), 3, Millis::from_secs(86_400)).unwrap(),
    ]
}

#[tokio::test]
async fn a_limiter_works_over_the_bridge() {
    let upstream = Upstream::start().await;
    let (limiter, subject) = (upstream.limiter(Dialect::Plain), Subject::named("someone"));
    let verdicts = limiter.check_batch(&subject, &limits(), [1, 1, 1, 1], NOW).await.unwrap();
    assert_eq!(verdicts.iter().map(Verdict::is_allow).collect::<Vec<_>>(), [true, true, true, false]);
    let denied = limiter.check(&subject, &limits(), 1, NOW).await.unwrap();
    assert_eq!(denied.retry(), Retry::After(Millis::from_secs(86_400)));
    assert_eq!(denied.refusing().map(|budget| budget.limit.name().as_str()).collect::<Vec<_>>(), ["day"]);
    let other = limiter.check(&Subject::named("someone else"), &limits(), 1, Now::Redis).await.unwrap();
    assert!(other.is_allow());
}

#[tokio::test]
async fn a_check_is_one_round_trip_or_two_after_a_flush() {
    let upstream = Upstream::start().await;
    for dialect in [Dialect::Plain, Dialect::KeyLocking] {
        let (limiter, subject) = (upstream.limiter(dialect), Subject::named(&format!("{dialect:?}")));
        limiter.check(&subject, &limits(), 1, NOW).await.unwrap();
        let before = upstream.count("bridge_http_requests_total").await;
        assert!(limiter.check(&subject, &limits(), 1, NOW).await.unwrap().is_allow());
        assert_eq!(upstream.count("bridge_http_requests_total").await - before, 1, "{dialect:?}");

        upstream.run::<String>(Command::new("SCRIPT").text("FLUSH")).await;
        let before = upstream.count("bridge_http_requests_total").await;
        assert!(limiter.check(&subject, &limits(), 1, NOW).await.unwrap().is_allow());
        assert_eq!(upstream.count("bridge_http_requests_total").await - before, 2, "{dialect:?}");
        assert!(!limiter.check(&subject, &limits(), 1, NOW).await.unwrap().is_allow(), "each check was charged once");
    }
}

#[tokio::test]
async fn a_wrong_token_is_reported() {
    let upstream = Upstream::start().await;
    let error = redis::run::<String>(&transport(&upstream.url, "wrong"), Command::new("PING")).await.unwrap_err();
    assert!(matches!(&error, RedisError::Unauthorized { reason } if reason.contains("WRONGPASS")), "{error}");
}

#[tokio::test]
async fn a_failing_command_is_reported() {
    let upstream = Upstream::start().await;
    let error = redis::run::<i64>(&transport(&upstream.url, "token"), Command::new("INCR")).await.unwrap_err();
    assert!(
        matches!(&error, RedisError::Command { reason } if reason.contains("wrong number of arguments")),
        "{error}"
    );
}

#[tokio::test]
async fn redis_behind_the_bridge_may_go_and_return() {
    let mut upstream = Upstream::start().await;
    let (limiter, subject) = (upstream.limiter(Dialect::Plain), Subject::named("someone"));
    assert!(limiter.check(&subject, &limits(), 1, NOW).await.unwrap().is_allow());
    upstream.redis.stop().await;
    let error = limiter.check(&subject, &limits(), 1, NOW).await.unwrap_err();
    assert!(matches!(error, CheckError::Redis(RedisError::Server { .. })), "{error}");
    upstream.redis.restart().await.unwrap();
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while limiter.check(&subject, &limits(), 0, NOW).await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "the bridge has not reconnected to Redis");
    }
}

/// A server that counts requests and sends the same bytes in response to each, or never responds (`None`).
struct FaultyServer {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl FaultyServer {
    async fn start(response: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve_once(stream, response.clone(), counter.clone()));
            }
        });
        FaultyServer { url, requests }
    }

    async fn with(status: &str, body: &str) -> Self {
        Self::start(Some(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))).await
    }

    async fn check(&self) -> RedisError {
        let transport = HttpTransport::new(self.url.parse().unwrap(), &Token::new("t").unwrap(), Millis::new(300));
        let limiter = Limiter::new(transport, Dialect::Plain);
        let verdict = limiter.check(&Subject::named("someone"), &limits(), 1, NOW).await;
        match verdict {
            Err(CheckError::Redis(error)) => error,
            verdict => panic!("expected an error of Redis, found {verdict:?}"),
        }
    }

    /// Returns the number of requests so far.
    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Reads one whole request, sends the response and closes the connection.
async fn serve_once(mut stream: TcpStream, response: Option<String>, requests: Arc<AtomicUsize>) {
    let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let Ok(read @ 1..) = stream.read(&mut chunk).await else { return };
        request.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if body.len() >= length.unwrap_or(0) {
            break;
        }
    }
    requests.fetch_add(1, Ordering::SeqCst);
    match response {
        Some(response) => drop(stream.write_all(response.as_bytes()).await),
        None => std::future::pending().await,
    }
}

#[tokio::test]
async fn every_bad_reply_has_its_error_without_a_retry() {
    let text = |text: &str| text.to_owned();
    let fourteen = format!(r#"{{"result":[{}]}}"#, ["0"; 14].join(","));
    for (status, body, error) in [
        ("401 Unauthorized", "who are you", RedisError::Unauthorized { reason: text("who are you") }),
        ("400 Bad Request", r#"{"error":"ERR no"}"#, RedisError::Command { reason: text("ERR no") }),
        (
            "400 Bad Request",
            r#"{"error":"ERR max requests limit exceeded"}"#,
            RedisError::Exhausted { reason: text("ERR max requests limit exceeded") },
        ),
        (
            "400 Bad Request",
            r#"{"error":"ERR max daily request limit exceeded"}"#,
            RedisError::Exhausted { reason: text("ERR max daily request limit exceeded") },
        ),
        ("429 Too Many Requests", "<h1>slow</h1>", RedisError::RateLimited),
        ("500 Internal Server Error", "oops", RedisError::Server { status: 500, reason: text("oops") }),
        ("502 Bad Gateway", "", RedisError::Server { status: 502, reason: text("") }),
        ("200 OK", "<html>", RedisError::NotJson { body: text("<html>") }),
        ("200 OK", r#"{"result":[1"#, RedisError::NotJson { body: text(r#"{"result":[1"#) }),
        ("200 OK", &fourteen, RedisError::Length { expected: 8, found: 14 }),
        ("200 OK", r#"{"result":[]}"#, RedisError::Length { expected: 8, found: 0 }),
    ] {
        let server = FaultyServer::with(status, body).await;
        assert_eq!(server.check().await, error, "{status} {body}");
        assert_eq!(error.outcome_is_unknown(), status.starts_with('5'), "{status}");
        assert_eq!(server.requests(), 1, "{status} {body}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = FaultyServer::with("200 OK", r#"{"result":[1,0,0,0,0,0,0,1]}"#).await;
    let response =
        format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", elsewhere.url);
    let server = FaultyServer::start(Some(response)).await;
    assert_eq!(server.check().await, RedisError::Server { status: 307, reason: String::new() });
    assert_eq!((server.requests(), elsewhere.requests()), (1, 0));
}

#[tokio::test]
async fn json_of_the_wrong_shape_is_reported() {
    for body in [r#"{"result":"OK"}"#, r#"{"result":null}"#, r#"[{"result":[1]}]"#, r#"{"result":[2,0,0,0,0,0,0,1]}"#] {
        let server = FaultyServer::with("200 OK", body).await;
        let error = server.check().await;
        assert!(matches!(error, RedisError::Shape { .. }), "{body}: {error:?}");
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn noscript_at_any_status_causes_one_eval() {
    for status in ["200 OK", "400 Bad Request", "500 Internal Server Error"] {
        let server =
            FaultyServer::with(status, r#"{"error":"ERR x: NOSCRIPT No matching script. Please use EVAL."}"#).await;
        assert_eq!(server.check().await, RedisError::UnknownScript);
        assert_eq!(server.requests(), 2, "one EVALSHA and one EVAL");
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout() {
    let server = FaultyServer::start(None).await;
    assert_eq!(server.check().await, RedisError::Timeout);
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_body_that_never_ends_is_a_timeout() {
    let hanging = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert_ne!(stream.read(&mut [0; 1024]).await.unwrap(), 0);
        stream.write_all(hanging.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    assert_eq!(FaultyServer { url, requests: Arc::default() }.check().await, RedisError::Timeout);
    server.abort();
}

#[tokio::test]
async fn a_broken_connection_is_unreachable_without_a_retry() {
    for response in ["", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"result\":[1", "SSH-2.0-OpenSSH\r\n\r\n"] {
        let server = FaultyServer::start(Some(response.to_owned())).await;
        let error = server.check().await;
        assert!(matches!(error, RedisError::Unreachable { .. }), "{response}: {error:?}");
        assert_eq!(server.requests(), 1, "{response}");
    }
}

#[tokio::test]
async fn a_refused_connection_keeps_the_url_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/?_token=hunter2", listener.local_addr().unwrap());
    drop(listener);
    let error = FaultyServer { url, requests: Arc::default() }.check().await;
    assert!(matches!(&error, RedisError::Unreachable { reason } if !reason.contains("hunter2")), "{error}");
}

#[tokio::test]
async fn both_dialects_match_the_servers_sha() {
    let upstream = Upstream::start().await;
    for dialect in [Dialect::Plain, Dialect::KeyLocking] {
        let script = CHECK.in_dialect(dialect);
        let sha: String = upstream.run(Command::new("SCRIPT").text("LOAD").text(&script.source)).await;
        assert_eq!(sha, script.sha1);
    }
}
