//! `sluicegate doctor`.

use serde_json::{Value, json};

use crate::fake_worker::{Exchange, Recorded};
use crate::run::{end, program, run};

fn healthy() -> Exchange {
    Exchange::new("GET /health", 200, json!({ "status": "ok" }))
}

fn diagnosis(redis: &Value) -> Exchange {
    let body = json!({ "version": env!("CARGO_PKG_VERSION"), "redis": redis, "problems": [] });
    Exchange::new("GET /v1/diagnosis", 200, body)
}

fn well() -> Value {
    json!({
        "reachable": true, "round_trip_ms": 12, "clock_skew_ms": 3, "version": "7.0.15",
        "eviction_policy": "noeviction", "scripts": "plain", "scripts_work": true,
    })
}

/// Runs against these answers, and expects this exit code and this text.
async fn check(exchanges: impl IntoIterator<Item = Exchange>, code: i32, text: &str) {
    let worker = Recorded::start(exchanges).await;
    let ended = worker.run(&["doctor"]).await;
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (code, text, ""));
    worker.asked();
}

const BEGINNING: &str = "\
ok       worker: serves
ok       admin token: is the Worker's
ok       version: 0.1.0
";

#[tokio::test(flavor = "multi_thread")]
async fn all_is_well() {
    let text = format!(
        "{BEGINNING}\
ok       redis: answers, version 7.0.15
ok       round trip: 12ms from the edge to Redis
ok       clock: the edge is 3ms behind Redis
ok       scripts: run, spelled plain
ok       eviction: off (noeviction)
all is well
"
    );
    check([healthy(), diagnosis(&well())], 0, &text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_is_wrong_has_a_remedy() {
    let redis = json!({
        "reachable": true, "round_trip_ms": 180, "clock_skew_ms": -5000, "version": null,
        "eviction_policy": "allkeys-lru", "scripts": "key_locking", "scripts_work": false,
    });
    let problems = json!([
        { "check": "clock", "what": "the clocks differ by 5000 ms", "remedy": "set clock = \"redis\"" },
        { "check": "scripts", "what": "a script does not run: NOPERM", "remedy": "set scripts to plain" },
        { "check": "moon", "what": "it is full", "remedy": "wait" },
        { "what": "it rains", "remedy": "take an umbrella" },
    ]);
    let body = json!({ "version": "0.0.9", "redis": redis, "problems": problems });
    let text = "\
ok       worker: serves
ok       admin token: is the Worker's
warning  version: the Worker is 0.0.9, this program 0.1.0
         → use the same of both
ok       redis: answers
ok       round trip: 180ms from the edge to Redis
warning  clock: the clocks differ by 5000 ms
         → set clock = \"redis\"
failure  scripts: a script does not run: NOPERM
         → set scripts to plain
failure  eviction: allkeys-lru: when its memory is full, Redis forgets tenants and what limits have counted
         → set maxmemory-policy to noeviction, and give it enough memory
warning  worker says: it is full
         → wait
warning  worker says: it rains
         → take an umbrella
failures: 2, warnings: 4
";
    check([healthy(), Exchange::new("GET /v1/diagnosis", 200, body)], 1, text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_told_is_no_failure() {
    let mut redis = well();
    redis["eviction_policy"] = Value::Null;
    let worker = Recorded::start([healthy(), diagnosis(&redis)]).await;
    let ended = worker.run(&["doctor", "--json"]).await;
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.code, &json["failures"], &json["warnings"]), (0, &json!(0), &json!(0)));
    let eviction = json!({
        "check": "eviction", "level": "unknown", "found": "this Redis does not tell",
        "remedy": "look into the database's settings: eviction must be off",
    });
    assert_eq!(json["checks"].as_array().unwrap().last(), Some(&eviction));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_configuration_and_an_unreachable_redis_are_told() {
    let broken = json!({ "status": "failing", "part": "configuration" });
    let text = "\
failure  worker: its configuration is broken
         → `sluicegate validate` the file that was deployed; `wrangler tail` shows what the Worker says of it
failure  admin api: does not exist
         → the API exists only if the Worker has the secret: `wrangler secret put SLUICEGATE_ADMIN_TOKEN`; look at --url, too
failures: 2, warnings: 0
";
    let absent = Exchange::problem("GET /v1/diagnosis", 404, "not-found", "Not found");
    check([Exchange::new("GET /health", 503, broken), absent], 1, text).await;

    let failing = json!({ "status": "failing", "part": "redis" });
    let text = format!(
        "\
failure  worker: is not well: redis
         → `wrangler tail` shows why; for redis, look at UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN
{}\
failure  redis: does not answer
         → look at UPSTASH_REDIS_REST_URL and the secret UPSTASH_REDIS_REST_TOKEN
failures: 2, warnings: 0
",
        BEGINNING.split_once('\n').unwrap().1
    );
    let unreachable = json!({ "reachable": false, "round_trip_ms": null, "clock_skew_ms": null });
    check([Exchange::new("GET /health", 503, failing), diagnosis(&unreachable)], 1, &text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_not_mistaken_for_a_missing_one() {
    let worker = Recorded::start([healthy(), Exchange::problem("GET /v1/diagnosis", 401, "unauthorized", "No")]).await;
    let ended = worker.run(&["doctor"]).await;
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("failure  admin token: the Worker does not know it\n"), "{}", ended.stdout);

    let worker = Recorded::start([healthy()]).await;
    let ended = end(program(&["doctor", "--url", &worker.url])).await;
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("failure  admin token: SLUICEGATE_ADMIN_TOKEN is not set"), "{}", ended.stdout);
    assert_eq!(worker.asked()[0].authorization, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_a_failure_and_no_address_is_a_wrong_command_line() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ended = run(&["doctor", "--url", &format!("http://{free}")]).await;
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.starts_with(&format!("failure  worker: http://{free}/: ")), "{}", ended.stdout);
    assert_eq!(run(&["doctor"]).await.code, 2);
}
