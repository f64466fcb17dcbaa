//! `sluicegate doctor`.

use serde_json::{Value, json};

use crate::fake_worker::{Exchange, FakeWorker};
use crate::run::{end, program, run};

fn healthy() -> Exchange {
    Exchange::new("GET /health", 200, json!({ "status": "ok", "breaker": "closed" }))
}

fn diagnosis(redis: &Value) -> Exchange {
    let origins = json!(["https://api.example.com", "service:API"]);
    let body = json!({ "version": env!("CARGO_PKG_VERSION"), "redis": redis, "origins": origins, "problems": [] });
    Exchange::new("GET /v1/diagnosis", 200, body)
}

fn healthy_redis() -> Value {
    json!({
        "reachable": true, "round_trip_ms": 12, "clock_skew_ms": 3, "version": "7.0.15",
        "eviction_policy": "noeviction", "scripts": "plain", "scripts_work": true,
    })
}

/// Runs against these responses and expects this exit code and this text.
async fn check(exchanges: impl IntoIterator<Item = Exchange>, code: i32, text: &str) {
    let worker = FakeWorker::start(exchanges).await;
    let ended = worker.run(&["doctor"]).await;
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (code, text, ""));
    worker.calls();
}

const HEAD: &str = "\
ok       worker: serving
ok       breaker: closed
ok       admin token: accepted
ok       version: 0.1.0
ok       origin: https://api.example.com, service:API
";

#[tokio::test(flavor = "multi_thread")]
async fn healthy_deployment_has_no_problems() {
    let text = format!(
        "{HEAD}\
ok       redis: reachable, version 7.0.15
ok       round trip: 12ms from the edge to Redis
ok       clock: the edge is 3ms behind Redis
ok       scripts: run in the dialect plain
ok       eviction: off (noeviction)
no problems found
"
    );
    check([healthy(), diagnosis(&healthy_redis())], 0, &text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_for_tokens_are_checked_if_there_are_rules_for_them() {
    for (keys, problems, code, line) in [
        (
            json!({ "usable": 3, "age_ms": 7 }),
            json!([]),
            0,
            "ok       token keys: 3 usable, fetched\nno problems found\n",
        ),
        (json!({ "usable": 1, "age_ms": null }), json!([]), 0, "ok       token keys: 1 usable, from a variable\n"),
        (
            json!({ "usable": 0, "age_ms": null }),
            json!([{ "check": "token keys", "what": "they cannot be fetched", "remedy": "check jwt.jwks" }]),
            1,
            "failure  token keys: they cannot be fetched\n         → check jwt.jwks\n",
        ),
    ] {
        let redis = healthy_redis();
        let body = json!({
            "version": env!("CARGO_PKG_VERSION"), "redis": redis, "token_keys": keys, "problems": problems,
        });
        let worker = FakeWorker::start([healthy(), Exchange::new("GET /v1/diagnosis", 200, body)]).await;
        let ended = worker.run(&["doctor"]).await;
        assert!(ended.code == code && ended.stdout.contains(line), "{}", ended.stdout);
        worker.calls();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_problem_has_a_remedy() {
    let redis = json!({
        "reachable": true, "round_trip_ms": 180, "clock_skew_ms": -5000, "version": null,
        "eviction_policy": "allkeys-lru", "scripts": "key_locking", "scripts_work": false,
    });
    let problems = json!([
        { "check": "clock", "what": "the clocks differ by 5000 ms", "remedy": "set clock = \"redis\"" },
        { "check": "scripts", "what": "a script does not run: NOPERM", "remedy": "set scripts to plain" },
        { "check": "everyone", "what": "the limit all counts by everyone", "remedy": "remove it" },
        { "check": "moon", "what": "it is full", "remedy": "wait" },
        { "what": "it rains", "remedy": "take an umbrella" },
    ]);
    let body = json!({ "version": "0.0.9", "redis": redis, "problems": problems });
    let text = "\
ok       worker: serving
ok       breaker: closed
ok       admin token: accepted
warning  version: the Worker has 0.0.9, this program 0.1.0
         → use the same version of both
ok       redis: reachable
ok       round trip: 180ms from the edge to Redis
warning  clock: the clocks differ by 5000 ms
         → set clock = \"redis\"
failure  scripts: a script does not run: NOPERM
         → set scripts to plain
failure  everyone: the limit all counts by everyone
         → remove it
failure  eviction: allkeys-lru: when memory is full, Redis deletes tenants and the state of limits
         → set maxmemory-policy to noeviction, and give Redis enough memory
warning  worker says: it is full
         → wait
warning  worker says: it rains
         → take an umbrella
failures: 3, warnings: 4
";
    check([healthy(), Exchange::new("GET /v1/diagnosis", 200, body)], 1, text).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_data_is_not_a_failure() {
    let mut redis = healthy_redis();
    redis["eviction_policy"] = Value::Null;
    let worker = FakeWorker::start([healthy(), diagnosis(&redis)]).await;
    let ended = worker.run(&["doctor", "--json"]).await;
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.code, &json["failures"], &json["warnings"]), (0, &json!(0), &json!(0)));
    let eviction = json!({
        "check": "eviction", "level": "unknown", "found": "this Redis does not report it",
        "remedy": "check the database's settings: eviction must be off",
    });
    assert_eq!(json["checks"].as_array().unwrap().last(), Some(&eviction));
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
    let text = format!(
        "\
failure  worker: is failing: redis
         → `wrangler tail` shows why; for redis, check UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN
warning  breaker: open: calls to Redis failed, and `on_outage` decides about requests
         → fix what `redis` names; the breaker closes by itself within seconds
{}\
failure  redis: unreachable
         → check UPSTASH_REDIS_REST_URL and the secret UPSTASH_REDIS_REST_TOKEN
failures: 2, warnings: 1
",
        HEAD.split_once("closed\n").unwrap().1
    );
    let unreachable = json!({ "reachable": false, "round_trip_ms": null, "clock_skew_ms": null });
    check([Exchange::new("GET /health", 503, failing), diagnosis(&unreachable)], 1, &text).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_is_the_worker_itself_is_a_warning() {
    let worker = FakeWorker::start([healthy()]).await;
    let url = worker.url.clone();
    let mut body = json!({ "version": env!("CARGO_PKG_VERSION"), "redis": healthy_redis(), "problems": [] });
    body["origins"] = json!([format!("{url}/v1"), "service:API"]);
    worker.then(Exchange::new("GET /v1/diagnosis", 200, body));
    let ended = worker.run(&["doctor"]).await;
    let warning = format!(
        "warning  origin: {url}/v1 is where the Worker itself answers: unless that is a route of a zone, each request comes \
         back\n         → name the address of the server behind it, or use \"zone\" on a route or \"service:NAME\"\n"
    );
    assert!(ended.stdout.contains(&warning) && ended.code == 0, "{}", ended.stdout);
}
