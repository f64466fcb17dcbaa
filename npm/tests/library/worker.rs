//! The library in workerd, and that it agrees with the deployed Worker on the same Redis.

use std::io::Read;
use std::time::Duration;

use flate2::read::GzDecoder;
use reqwest::Client;
use serde_json::{Value, json};
use sluicegate_devstack::Fault;
use tokio::time::Instant;

use crate::support::{Both, body, header};

fn configuration() -> Value {
    let hour = |limit: u64| json!({ "name": "hour", "algorithm": "sliding_log", "limit": limit, "window": "365d" });
    json!({
        "default_plan": "p",
        // An outage lasts as long in the test, and a slow machine must not look like one.
        "timeout": "5s",
        "local_refusals": "0s",
        "on_outage": "closed",
        "plans": {
            "p": { "limits": [hour(10)] },
            "each": { "limits": [
                { "name": "all", "algorithm": "token_bucket", "limit": 20, "window": "365d" },
                { "name": "page", "algorithm": "fixed_window", "limit": 3, "window": "365d", "by": "query:page" },
            ] },
            "streams": { "limits": [
                { "name": "tokens", "algorithm": "fixed_window", "limit": 100, "window": "365d" },
                { "name": "inflight", "algorithm": "concurrency", "limit": 1, "lease": "10m" },
            ] },
        },
    })
}

/// All tests share the two Workers; each has its own subjects.
#[tokio::test(flavor = "multi_thread")]
async fn the_library_and_the_worker_agree() {
    let both = Both::start(&configuration()).await;
    checks_of_both_count_for_both(&both).await;
    values_of_limits_are_the_same(&both).await;
    the_proxy_and_the_library_share_an_address(&both).await;
    a_burst_of_both_is_admitted_exactly(&both).await;
    the_middleware_settles_and_releases(&both).await;
    bodies_pass(&both).await;
    an_outage_follows_the_policy(&both).await;
    both.stop().await;
}

async fn checks_of_both_count_for_both(both: &Both) {
    let check = json!({ "subject": "user:turns", "plan": "p" });
    for turn in 0..10 {
        let remaining = if turn % 2 == 0 {
            both.api(&check).await["limits"][0]["remaining"].clone()
        } else {
            body(both.library(&check).await).await["limits"][0]["remaining"].clone()
        };
        assert_eq!(remaining, 9 - turn);
    }
    assert_eq!(both.api(&check).await["allowed"], false);
    let refused = both.library(&check).await;
    assert_eq!(
        (refused.status().as_u16(), header(&refused, "content-type").as_str()),
        (429, "application/problem+json")
    );
    assert!(header(&refused, "ratelimit").starts_with("\"hour\";r=0;t="), "{}", header(&refused, "ratelimit"));
    assert_eq!(body(refused).await["violated-policies"], json!(["hour"]));
}

async fn values_of_limits_are_the_same(both: &Both) {
    let check = |page: &str| json!({ "subject": "user:pages", "plan": "each", "subjects": { "query:page": page } });
    let budgets = |verdict: Value| {
        let limits = verdict["limits"].as_array().unwrap().clone();
        limits.iter().map(|limit| limit["remaining"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(budgets(both.api(&check("a/1")).await), [19, 2]);
    assert_eq!(budgets(body(both.library(&check("a/1")).await).await), [18, 1]);
    assert_eq!(budgets(body(both.library(&check("b")).await).await), [17, 2]);
    assert_eq!(budgets(both.api(&check("b")).await), [16, 1]);
}

async fn the_proxy_and_the_library_share_an_address(both: &Both) {
    let through_the_proxy = async || {
        let request = Client::new().get(format!("{}/hello", both.stack.worker.url()));
        request.header("cf-connecting-ip", "203.0.113.7").send().await.unwrap()
    };
    let check = json!({ "subject": "ip:203.0.113.7" });
    assert!(header(&through_the_proxy().await, "ratelimit").starts_with("\"hour\";r=9;"));
    assert_eq!(body(both.library(&check).await).await["limits"][0]["remaining"], 8);
    assert!(header(&through_the_proxy().await, "ratelimit").starts_with("\"hour\";r=7;"));
    for _ in 0..7 {
        assert_eq!(both.library(&check).await.status(), 200);
    }
    let (theirs, ours) = (through_the_proxy().await, both.library(&check).await);
    for name in ["content-type", "cache-control", "ratelimit-policy"] {
        assert_eq!(header(&ours, name), header(&theirs, name), "{name}");
    }
    assert_eq!((ours.status(), theirs.status()), (429.try_into().unwrap(), 429.try_into().unwrap()));
    let members = |problem: Value| ["type", "title", "status", "violated-policies"].map(|name| problem[name].clone());
    assert_eq!(members(body(ours).await), members(body(theirs).await));
}

async fn a_burst_of_both_is_admitted_exactly(both: &Both) {
    let check = json!({ "subject": "user:burst", "plan": "p" });
    let allowed = |verdict: Value| usize::from(verdict["allowed"] == true);
    let ours = async || allowed(body(both.library(&check).await).await);
    let theirs = async || allowed(both.api(&check).await);
    let mut admitted = 0;
    for _ in 0..4 {
        let (a, b, c, d) = tokio::join!(ours(), theirs(), ours(), theirs());
        admitted += a + b + c + d;
    }
    assert_eq!(admitted, 10);
}

async fn the_middleware_settles_and_releases(both: &Both) {
    let call = |path: &str| {
        let request = Client::new().get(format!("{}{path}", both.library.url()));
        request.header("x-subject", "user:streams")
    };
    let left = async || {
        let check = json!({ "subject": "user:streams", "plan": "streams", "peek": true });
        let verdict = both.api(&check).await;
        [0, 1].map(|i| verdict["limits"][i]["remaining"].as_u64().unwrap())
    };
    let until = async |expected: [u64; 2]| {
        let deadline = Instant::now() + PATIENCE;
        while left().await != expected {
            assert!(Instant::now() < deadline, "expected {expected:?}, found {:?}", left().await);
        }
    };
    let hello = call("/api/hello?cost=3").send().await.unwrap();
    assert_eq!(
        header(&hello, "ratelimit-policy"),
        "\"tokens\";q=100;w=31536000, \"inflight\";q=1;qu=\"concurrent-requests\""
    );
    assert_eq!(hello.text().await.unwrap(), "hello, 90 left");
    until([97, 1]).await;

    let mut stream = call("/api/stream?cost=7").send().await.unwrap();
    assert!(stream.chunk().await.unwrap().unwrap().starts_with(b"piece"));
    assert_eq!(left().await, [87, 0]);
    assert_eq!(call("/api/hello?cost=1").send().await.unwrap().status(), 429);
    // The client leaves.
    drop(stream);
    until([90, 1]).await;
}

/// A response whose end is watched keeps its body, its encoding and, unless it is encoded, its length.
async fn bodies_pass(both: &Both) {
    for path in ["/gzip", "/bytes/12345", "/bytes/0"] {
        let url = format!("{}{path}", both.stack.origin.url());
        let passed = Client::new().get(format!("{}/api/pass?cost=1", both.library.url()));
        let passed = passed.header("x-url", &url).header("x-subject", format!("user:bodies{path}"));
        let mut seen = Vec::new();
        for request in [passed, Client::new().get(&url)] {
            let answer = request.header("accept-encoding", "gzip").send().await.unwrap();
            let [encoding, length, kind] =
                ["content-encoding", "content-length", "content-type"].map(|name| header(&answer, name));
            let (status, mut bytes) = (answer.status(), answer.bytes().await.unwrap().to_vec());
            let length = if encoding == "gzip" {
                let mut plain = Vec::new();
                GzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
                bytes = plain;
                String::new()
            } else {
                length
            };
            seen.push((status, encoding, length, kind, bytes));
        }
        assert_eq!(seen[0], seen[1], "{path}");
    }
}

async fn an_outage_follows_the_policy(both: &Both) {
    let check = json!({ "subject": "user:outage", "plan": "p" });
    for fault in [Fault::HoldRequests, Fault::Refuse] {
        both.stack.network.inject(fault.clone()).await;
        let refused = both.library(&check).await;
        assert_eq!((refused.status().as_u16(), header(&refused, "retry-after").as_str()), (503, "5"), "{fault:?}");
    }
    assert!(both.library.log().wait_for("\"event\":\"outage\"", PATIENCE).await.is_some());
    both.stack.network.heal().await;
    assert_eq!(both.library(&check).await.status(), 200);
}

const PATIENCE: Duration = Duration::from_secs(30);
