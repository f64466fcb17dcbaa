//! Costs that stand in bodies: the bodies pass byte for byte and undelayed, and each request costs what they tell.

use std::path::Path;
use std::time::Duration;

use reqwest::{Body, RequestBuilder};
use serde_json::{Value, json};

use crate::bare::{Bare, eventually};
use crate::direct_redis::Inside;
use crate::support::{ADDRESS, body, client, echoed, header, until};

/// Routes for the APIs of both dialects, and others.
fn configuration() -> Value {
    let tokens = json!({ "name": "tokens", "algorithm": "sliding_log", "limit": UNITS, "window": "1h" });
    let output = json!({ "name": "output", "algorithm": "sliding_log", "limit": UNITS, "window": "1h" });
    let places = json!({ "name": "places", "algorithm": "concurrency", "limit": 100, "lease": "10m" });
    let reserve = "json:/max_completion_tokens | json:/max_tokens | header:x-batch | 1000";
    json!({
        "default_plan": "p",
        "timeout": "30s",
        "on_outage": "closed",
        "plans": { "p": { "limits": [places] } },
        "routes": [
            { "match": "POST /served/openai-apart", "cost": 1000, "limits": [tokens, output],
              "settle_dialect": "openai", "settle": { "tokens": "input", "output": "output" } },
            { "match": "POST /late/:gate", "cost": reserve, "limits": [tokens], "settle_dialect": "openai" },
            { "match": "POST /served/anthropic", "cost": reserve, "limits": [tokens], "settle_dialect": "anthropic" },
            { "match": "POST /served/:name", "cost": reserve, "limits": [tokens], "settle_dialect": "openai",
              "include_usage": true, "refund_on": ["5xx"] },
            { "match": "POST /echo", "cost": reserve, "limits": [tokens], "settle_dialect": "openai",
              "include_usage": true, "read_body": "64KiB" },
            { "match": "* /any/*", "cost": reserve, "limits": [tokens] },
            { "match": "GET /served/*", "settle": "json:/usage/total_tokens | sse:/usage/total_tokens", "limits": [tokens],
              "cost": 1000 },
        ],
    })
}

pub(crate) async fn start() -> (Bare, Inside) {
    let bare = Bare::start(configuration()).await;
    let inside = Inside::at(&bare.redis, &configuration()).await;
    (bare, inside)
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/llm").join(name)).unwrap()
}

pub(crate) fn post(bare: &Bare, address: &str, path: &str, body: impl Into<Body>) -> RequestBuilder {
    client().post(format!("{}{path}", bare.url())).header(ADDRESS, address).body(body)
}

/// Waits until a client has used exactly so many units, and nothing is in flight any more.
pub(crate) async fn expect_used(bare: &Bare, inside: &Inside, address: &str, limit: &str, expected: u64) {
    let mut used = 0;
    until(&format!("{address} uses {expected} of {limit}"), async || {
        used = UNITS - inside.left(address, limit).await;
        used == expected && bare.leases() == 0
    })
    .await;
}

pub(crate) const JSON: &str = "application/json";
pub(crate) const STREAM: &str = "text/event-stream; charset=utf-8";

#[tokio::test(flavor = "multi_thread")]
async fn bodies_pass_unchanged_and_are_settled() {
    let (bare, inside) = start().await;
    for (i, (served, name, how, cost)) in [
        ("openai", "openai-chat.json", "", 29),
        ("openai", "openai-chat.json", "?piece=1", 29),
        ("openai", "openai-chat.json", "?piece=7&chunked=true", 29),
        ("openai", "openai-tool-calls.json", "", 99),
        ("openai", "openai-embedding.json", "", 8),
        ("openai", "openai-response.json", "", 123),
        ("openai", "openai-stream-with-usage.sse", "?chunked=true&piece=100", 31),
        ("openai", "openai-stream-with-usage.sse", "", 31),
        ("openai", "openai-response-stream.sse", "?chunked=true&piece=3", 48),
        ("anthropic", "anthropic-message.json", "", 4853),
        ("anthropic", "anthropic-stream.sse", "?chunked=true&piece=50", 47),
        // Nothing is told: what was reserved stays.
        ("openai", "openai-stream-without-usage.sse", "?chunked=true", 70),
        ("openai", "openai-error.json", "?status=400", 70),
        ("openai", "openai-error.json", "?status=503", 0),
    ]
    .into_iter()
    .enumerate()
    {
        let address = format!("192.0.2.{}", 10 + i);
        let is_stream = Path::new(name).extension().is_some_and(|extension| extension == "sse");
        bare.origin.serve(served, if is_stream { STREAM } else { JSON }, fixture(name));
        let answer =
            post(&bare, &address, &format!("/served/{served}{how}"), r#"{"max_tokens":70}"#).send().await.unwrap();
        assert!(
            header(&answer, "ratelimit").contains(&format!("\"tokens\";r={};", UNITS - 70)),
            "{name}: charged first"
        );
        let length = if how.contains("chunked") { String::new() } else { fixture(name).len().to_string() };
        assert_eq!(header(&answer, "content-length"), length, "{name}{how}");
        assert_eq!(header(&answer, "content-type"), if is_stream { STREAM } else { JSON }, "{name}");
        assert_eq!(answer.bytes().await.unwrap(), fixture(name), "{name}{how}");
        expect_used(&bare, &inside, &address, "tokens", cost).await;
    }
    let log = bare.log();
    assert!(
        log.contains("no event of the stream has the cost where `settle` looks for it; the reserved cost stays"),
        "{log}"
    );
    assert!(
        log.contains("the body does not have the cost where `settle` looks for it; the reserved cost stays"),
        "{log}"
    );

    bare.origin.serve("openai-apart", STREAM, fixture("openai-stream-with-usage.sse"));
    assert_eq!(post(&bare, "192.0.2.50", "/served/openai-apart", "{}").send().await.unwrap().status(), 200);
    expect_used(&bare, &inside, "192.0.2.50", "tokens", 19).await;
    expect_used(&bare, &inside, "192.0.2.50", "output", 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_tells_its_cost_and_asks_for_usage() {
    let (bare, inside) = start().await;
    let long = format!(r#"{{"max_tokens":5,"stream":true,"x":"{}"}}"#, "y".repeat(100_000));
    for (i, (sent, chunked, expected, cost)) in [
        (r#"{"max_tokens":7,"max_completion_tokens":8}"#, false, None, 8),
        (r#"{"max_tokens":7}"#, true, None, 7),
        ("max_tokens=7", false, None, 1000),
        ("", false, None, 1000),
        // More than the limit can ever hold.
        (r#"{"max_tokens":128000000}"#, false, None, UNITS),
        (r#"{"stream":false,"max_tokens":7}"#, false, None, 7),
        (
            r#"{"stream":true, "max_tokens":7}"#,
            false,
            Some(r#"{"stream_options":{"include_usage":true},"stream":true, "max_tokens":7}"#),
            7,
        ),
        (
            r#"{"stream":true,"stream_options":{"include_usage":false}}"#,
            true,
            Some(r#"{"stream":true,"stream_options":{"include_usage":true}}"#),
            1000,
        ),
        // Longer than `read_body`.
        (long.as_str(), false, None, 1000),
        (long.as_str(), true, None, 1000),
    ]
    .into_iter()
    .enumerate()
    {
        let address = format!("192.0.2.{}", 10 + i);
        let body_sent = if chunked {
            let pieces: Vec<_> =
                sent.as_bytes().chunks(30_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
            Body::wrap_stream(futures_util::stream::iter(pieces))
        } else {
            sent.to_owned().into()
        };
        let answer = post(&bare, &address, "/echo", body_sent).header("content-type", JSON).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{sent:.50}");
        let echo = body(answer).await;
        let expected = expected.unwrap_or(sent);
        assert_eq!(echo["body"]["length"], expected.len(), "{sent:.50}");
        assert_eq!(echo["body"]["sha1"], sha1(expected), "{sent:.50}");
        let is_read = sent.len() < 65_536;
        let length = if chunked && !is_read { vec![] } else { vec![expected.len().to_string()] };
        assert_eq!(echoed(&echo, "content-length"), length, "{sent:.50}");
        assert_eq!(echoed(&echo, "accept-encoding"), ["identity"], "{sent:.50}");
        assert_eq!(echoed(&echo, "content-type"), [JSON]);
        expect_used(&bare, &inside, &address, "tokens", cost).await;
    }
    let before = bare.origin.requests();
    let twice = post(&bare, "192.0.2.50", "/echo", r#"{"max_tokens":1,"max_tokens":100000}"#).send().await.unwrap();
    assert_eq!(twice.status(), 400);
    assert_eq!(body(twice).await["type"], "urn:sluicegate:problem:duplicate-key");
    assert_eq!((bare.origin.requests() - before, inside.left("192.0.2.50", "tokens").await), (0, UNITS));
    // The runtime cannot send another body with this method, so none is read.
    let request = client().get(format!("{}/any/search", bare.url())).header(ADDRESS, "192.0.2.51");
    let answer = request.body(r#"{"max_tokens":7}"#).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(body(answer).await["body"]["text"], r#"{"max_tokens":7}"#);
    expect_used(&bare, &inside, "192.0.2.51", "tokens", 1000).await;
}

/// Returns the SHA-1 in hexadecimal digits, as the echo has it.
fn sha1(text: &str) -> String {
    sha1_smol::Sha1::from(text).hexdigest()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_piece_passes_before_the_next_one_is_sent() {
    let (bare, inside) = start().await;
    let stream = fixture("openai-stream-with-usage.sse");
    bare.origin.serve("gated", STREAM, stream.clone());
    let request = post(&bare, "192.0.2.10", "/served/gated?gate=g&piece=150&chunked=true", r#"{"stream":true}"#).send();
    let mut answer = request.await.unwrap();
    let mut found = Vec::new();
    for piece in stream.chunks(150) {
        bare.origin.release("g");
        let expected = found.len() + piece.len();
        while found.len() < expected {
            let next = tokio::time::timeout(PATIENCE, answer.chunk()).await.expect("it is not held back");
            found.extend_from_slice(&next.unwrap().expect("the stream goes on"));
        }
        assert!(stream.starts_with(&found));
    }
    bare.origin.release("g");
    assert_eq!(answer.chunk().await.unwrap(), None);
    assert_eq!(found, stream);
    expect_used(&bare, &inside, "192.0.2.10", "tokens", 31).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoded_body_passes_and_costs_what_was_reserved() {
    let (bare, inside) = start().await;
    bare.origin.serve("zipped", JSON, fixture("openai-chat.json"));
    let answer = post(&bare, "192.0.2.10", "/served/zipped?gzip=true", "{}").header("accept-encoding", "gzip");
    let answer = answer.send().await.unwrap();
    assert_eq!(header(&answer, "content-encoding"), "gzip");
    let length = header(&answer, "content-length");
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(&bytes[..2], [0x1f, 0x8b], "it is as the origin has sent it");
    assert_eq!(length, bytes.len().to_string());
    expect_used(&bare, &inside, "192.0.2.10", "tokens", 1000).await;
    eventually("a line in the log", || {
        let log = bare.log();
        (log.contains(r#"the body is encoded as \"gzip\", although it was asked for without encoding"#), log)
    })
    .await;
}

/// The units of each limit.
pub(crate) const UNITS: u64 = 1_000_000;

const PATIENCE: Duration = Duration::from_secs(20);
