//! The origin hangs, breaks off or breaks the rules of HTTP, and clients leave: every request costs what the documents say,
//! and nothing of it is left.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sluicegate_devstack::open_files::open_as_many_files_as_permitted;

use crate::bare::{Bare, Client, eventually};
use crate::direct_redis::Inside;
use crate::support::until;

/// Each request reserves 10 units and one of many places, with a lease longer than any test. The header of the origin has
/// the real cost, and a failure of the origin costs nothing.
fn configuration() -> Value {
    json!({
        "default_plan": "p",
        "timeout": "30s",
        "on_outage": "closed",
        "plans": { "p": { "limits": [
            { "name": "places", "algorithm": "concurrency", "limit": 2 * AT_ONCE, "lease": "10m" },
        ] } },
        "routes": [{
            "match": "* /*",
            "cost": RESERVED,
            "settle": "x-tokens-used",
            "refund_on": ["5xx"],
            "limits": [{ "name": "units", "algorithm": "token_bucket", "limit": UNITS, "window": "3650d" }],
        }],
    })
}

async fn start() -> (Bare, Inside) {
    let bare = Bare::start(configuration()).await;
    let inside = Inside::at(&bare.redis, &configuration()).await;
    (bare, inside)
}

async fn expect_used(inside: &Inside, address: &str, what: &str, expected: std::ops::RangeInclusive<u64>) {
    let mut used = 0;
    until(&format!("{what} uses {expected:?} units"), async || {
        used = UNITS - inside.left(address, "units").await;
        expected.contains(&used)
    })
    .await;
}

/// Waits until no request is in flight anywhere.
async fn expect_rest(bare: &Bare) {
    bare.expect_leases(0).await;
    eventually("no open stream", || (bare.origin.open_streams() == 0, bare.origin.open_streams())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_response_is_settled_once() {
    let (bare, inside) = start().await;
    // Whether the status, the length of the body if it arrives whole, and the cost.
    for (i, (path, status, length, cost)) in [
        ("/reset?after=100&tokens=3", 200, None, 3),
        ("/reset?after=100", 200, None, RESERVED),
        ("/reset?after=0&tokens=3", 502, None, 0),
        ("/length?declared=100&sent=50&tokens=3", 200, None, 3),
        ("/length?declared=100&sent=0&tokens=3", 200, None, 3),
        ("/length?declared=50&sent=100&tokens=3", 200, Some(50), 3),
        ("/broken?n=1&every=1&tokens=3", 200, None, 3),
    ]
    .into_iter()
    .enumerate()
    {
        let address = format!("192.0.2.{}", 10 + i);
        let mut client = bare.send_from(&address, &format!("GET {path}")).await;
        client.write("Connection: close\r\n\r\n").await;
        let head = client.head().await;
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{path}: {head}");
        let body = client.rest().await;
        match length {
            Some(length) => assert_eq!(body.len(), length, "{path}"),
            None if status == 200 => assert!(!is_whole(&head, &body), "{path}: {head}{body:?}"),
            None => {}
        }
        expect_used(&inside, &address, path, cost..=cost).await;
        // The bytes that were too many belong to no later response.
        assert!(bare.head("/status/204").await.starts_with("http/1.1 204"), "after {path}");
    }
    expect_rest(&bare).await;
    expect_settled(&bare).await;
}

/// Returns whether a body has the length that its head declares, or the last chunk.
fn is_whole(head: &str, body: &[u8]) -> bool {
    match head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        Some(length) => body.len() == length.parse::<usize>().unwrap(),
        None => body.ends_with(b"0\r\n\r\n"),
    }
}

/// Expects that a while later the Worker has sent nothing more to Redis.
async fn expect_settled(bare: &Bare) {
    let before = bare.network.requests();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(bare.network.requests(), before, "nothing is pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_a_hanging_body_keeps_its_settlement() {
    let (bare, inside) = start().await;
    let mut client = bare.get("/stream?n=2&gate=hang&tokens=3").await;
    bare.origin.release("hang");
    assert!(client.head().await.starts_with("http/1.1 200"));
    expect_used(&inside, "192.0.2.1", "a response that has begun", 3..=3).await;
    assert_eq!((bare.leases(), bare.origin.open_streams()), (1, 1));
    client.reset();
    expect_rest(&bare).await;
    expect_used(&inside, "192.0.2.1", "it", 3..=3).await;
}

/// How one of many clients, or the origin, breaks off a request.
#[derive(Clone, Copy, Debug)]
struct Way {
    request: &'static str,
    /// What follows the head of the request.
    rest: &'static str,
    until: Until,
    /// The least and the most that a request costs.
    cost: (u64, u64),
}

/// How long a client stays.
#[derive(Clone, Copy, Debug)]
enum Until {
    /// It has sent the request.
    Sent,
    /// The requests of all such clients have reached the origin.
    Arrived,
    /// It has the head of the response.
    Head,
    /// The response has ended.
    End,
}

const fn way(request: &'static str, until: Until, cost: u64) -> Way {
    Way { request, rest: "\r\n", until, cost: (cost, cost) }
}

const WAYS: [Way; 8] = [
    Way { cost: (0, RESERVED), ..way("GET /any", Until::Sent, 0) },
    way("GET /slow/600000", Until::Arrived, RESERVED),
    Way { rest: "Content-Length: 100\r\n\r\nhalf of it", ..way("POST /upload", Until::Arrived, RESERVED) },
    way("GET /sse?gate=never", Until::Head, RESERVED),
    way("GET /stream?n=1000&every=50&tokens=3", Until::Head, 3),
    way("GET /bytes/100000000", Until::Head, RESERVED),
    way("GET /reset?after=1000&tokens=3", Until::End, 3),
    way("GET /length?declared=1000&sent=500&tokens=3", Until::End, 3),
];

impl Way {
    fn address(number: usize) -> String {
        format!("192.0.2.{}", 100 + number)
    }

    /// Runs one client until it leaves. `arrived` is the number of requests after which all such clients leave.
    async fn run(self, bare: &Bare, address: String, arrived: u64) {
        let mut client = bare.send_from(&address, self.request).await;
        client.write(self.rest).await;
        match self.until {
            Until::Sent => {}
            Until::Arrived => {
                let path = self.request.split(' ').nth(1).unwrap();
                until(self.request, async || bare.origin.requests_to(path) >= arrived).await;
            }
            Until::Head | Until::End => {
                let head = client.head().await;
                assert!(head.starts_with("http/1.1 200"), "{}: {head}", self.request);
            }
        }
        if matches!(self.until, Until::End) {
            client.rest().await;
        }
        Client::reset(client);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_at_a_time_leave_nothing() {
    open_as_many_files_as_permitted().unwrap();
    let (bare, inside) = start().await;
    let mut memory = Vec::new();
    for batch in 1..=BATCHES {
        let sent = batch * (AT_ONCE / WAYS.len()) as u64;
        let ways = WAYS.iter().enumerate().cycle().take(AT_ONCE);
        join_all(ways.map(|(number, way)| way.run(&bare, Way::address(number), sent))).await;
        expect_rest(&bare).await;
        for (number, way) in WAYS.iter().enumerate() {
            let (least, most) = way.cost;
            expect_used(&inside, &Way::address(number), way.request, least * sent..=most * sent).await;
        }
        memory.push(bare.resident_memory());
    }
    expect_settled(&bare).await;
    println!("resident memory of workerd after each batch: {memory:?}");
    let (early, end) = (memory[1], memory[memory.len() - 1]);
    assert!(end < early / 10 * 13, "the memory of workerd grows: {memory:?}");
}

/// Clients at the same time.
const AT_ONCE: usize = 1000;

const BATCHES: u64 = 5;

/// The units of a caller, more than a test uses, and so many that none comes back during a test.
const UNITS: u64 = 1_000_000;

/// What a request costs until it is settled.
const RESERVED: u64 = 10;
