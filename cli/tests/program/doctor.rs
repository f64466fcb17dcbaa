//! `sluicegate doctor`.

use serde_json::{Value, json};

use crate::fake_worker::{Exchange, FakeWorker};
use crate::run::{end, program, run};

fn healthy() -> Exchange {
    Exchange::new("GET /health", 200, json!({ "status": "ok", "breaker": "closed" }))
}

/// The diagnosis of a Worker with these checks.
fn diagnosis(checks: &Value) -> Exchange {
    let body = json!({ "version": env!("CARGO_PKG_VERSION"), "checks": checks, "problems": [] });
    Exchange::new("GET /v1/diagnosis", 200, body)
}

fn healthy_checks() -> Value {
    json!([
        { "check": "breaker", "level": "ok", "found": "closed", "remedy": null },
        { "check": "origin", "level": "ok", "found": "https://api.example.com", "remedy": null },
        { "check": "redis", "level": "ok", "found": "reachable, version 7.0.15", "remedy": null },
    ])
}

/// Runs against these responses and expects this exit code and this text.
async fn check(exchanges: impl IntoIterator<Item = Exchange>, code: i32, text: &str) {
    let worker = FakeWorker::start(exchanges).await;
    let ended = worker.run(&["doctor"]).await;
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (code, text, ""));
    worker.calls();
}

#[tokio::test(flavor = "multi_thread")]
async fn healthy_deployment_has_no_problems() {
    let text = "\
ok       worker: serving
ok       breaker: closed
ok       admin token: accepted
ok       version: 0.1.0
ok       origin: https://api.example.com
ok       redis: reachable, version 7.0.15
no problems found
";
    check([healthy(), diagnosis(&healthy_checks())], 0, text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_problem_has_a_remedy() {
    let checks = json!([
        { "check": "clock", "level": "warning", "found": "the clocks differ by 5000 ms", "remedy": "set clock = \"redis\"" },
        { "check": "scripts", "level": "failure", "found": "NOPERM", "remedy": "set scripts to plain" },
        { "check": "eviction", "level": "unknown", "found": "this Redis does not report it", "remedy": "check its settings" },
        { "check": "moon", "level": "warning", "found": "it is full", "remedy": "wait" },
    ]);
    let body = json!({ "version": "0.0.9", "checks": checks });
    let text = "\
ok       worker: serving
ok       breaker: closed
ok       admin token: accepted
warning  version: the Worker has 0.0.9, this program 0.1.0
         → use the same version of both
warning  clock: the clocks differ by 5000 ms
         → set clock = \"redis\"
failure  scripts: NOPERM
         → set scripts to plain
unknown  eviction: this Redis does not report it
         → check its settings
warning  moon: it is full
         → wait
failures: 1, warnings: 3
";
    check([healthy(), Exchange::new("GET /v1/diagnosis", 200, body)], 1, text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_data_is_not_a_failure() {
    let eviction = json!({
        "check": "eviction", "level": "unknown", "found": "this Redis does not report it",
        "remedy": "check the database's settings: eviction must be off",
    });
    let worker = FakeWorker::start([healthy(), diagnosis(&json!([eviction]))]).await;
    let ended = worker.run(&["doctor", "--json"]).await;
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.code, &json["failures"], &json["warnings"]), (0, &json!(0), &json!(0)));
    assert_eq!(json["checks"].as_array().unwrap().last(), Some(&eviction));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_does_not_judge_is_too_old() {
    let body = json!({ "version": "0.0.9", "redis": {}, "problems": [] });
    let worker = FakeWorker::start([healthy(), Exchange::new("GET /v1/diagnosis", 200, body)]).await;
    let ended = worker.run(&["doctor"]).await;
    let remedy = "→ use the sluicegate command of the Worker's version";
    assert!(ended.code == 1 && ended.stdout.contains("missing field `checks`"), "{}", ended.stdout);
    assert!(ended.stdout.contains(remedy), "{}", ended.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_configuration_and_unreachable_redis_are_failures() {
    let broken = json!({ "status": "failing", "part": "configuration" });
    let text = "\
failure  worker: its configuration is invalid
         → run `sluicegate validate` on the deployed file; `wrangler tail` shows the error
failure  admin api: does not exist
         → the API exists only if the Worker has the secret: `wrangler secret put SLUICEGATE_ADMIN_TOKEN`; check --url as well
failures: 2, warnings: 0
";
    let absent = Exchange::problem("GET /v1/diagnosis", 404, "not-found", "Not found");
    check([Exchange::new("GET /health", 503, broken), absent], 1, text).await;

    let failing = json!({ "status": "failing", "part": "redis", "breaker": "open" });
    let text = "\
failure  worker: is failing: redis
         → `wrangler tail` shows why; for redis, check UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN
warning  breaker: open: calls to Redis failed, and `on_outage` decides about requests
         → fix what `redis` names; the breaker closes by itself within seconds
ok       admin token: accepted
ok       version: 0.1.0
failure  redis: redis is unreachable
         → check UPSTASH_REDIS_REST_URL
failures: 2, warnings: 1
";
    // The Worker also says what the health has said already.
    let checks = json!([
        { "check": "breaker", "level": "warning", "found": "open", "remedy": "wait" },
        { "check": "redis", "level": "failure", "found": "redis is unreachable", "remedy": "check UPSTASH_REDIS_REST_URL" },
    ]);
    check([Exchange::new("GET /health", 503, failing), diagnosis(&checks)], 1, text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_token_differs_from_missing_token() {
    let worker =
        FakeWorker::start([healthy(), Exchange::problem("GET /v1/diagnosis", 401, "unauthorized", "No")]).await;
    let ended = worker.run(&["doctor"]).await;
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("failure  admin token: rejected\n"), "{}", ended.stdout);

    let worker = FakeWorker::start([healthy()]).await;
    let ended = end(program(&["doctor", "--url", &worker.url])).await;
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("failure  admin token: SLUICEGATE_ADMIN_TOKEN is not set"), "{}", ended.stdout);
    assert_eq!(worker.calls()[0].authorization, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_worker_is_a_failure_and_missing_url_a_usage_error() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ended = run(&["doctor", "--url", &format!("http://{free}")]).await;
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.starts_with(&format!("failure  worker: http://{free}/: ")), "{}", ended.stdout);
    assert_eq!(run(&["doctor"]).await.code, 2);
}
