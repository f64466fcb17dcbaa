//! `sluicegate overview`.

use serde_json::{Value, json};

use crate::fake_worker::{Exchange, FakeWorker};

fn overview() -> Value {
    json!({
        "as_of": "2026-11-23T12:00:00.250Z",
        "reported_at": "2026-11-23T11:59:58Z",
        "day": "2026-11-23",
        "top": [
            { "tenant": "acme", "plan": "pro", "status": "active", "units": 48_210, "refused": 17 },
            { "tenant": "bolt", "plan": "free", "status": "suspended", "units": 90, "refused": 0 },
        ],
        "near_limit": [{
            "tenant": "acme", "plan": "pro", "status": "active",
            "limits": [
                { "name": "month", "algorithm": "fixed_window", "limit": 1_000_000, "used": 913_400, "remaining": 86_600, "reset_ms": 648_000_000 },
                { "name": "tokens", "algorithm": "token_bucket", "limit": 100, "used": 80, "remaining": 20, "reset_ms": 800, "route": "POST /v1/chat" },
            ],
        }],
        "more": true,
    })
}

const TEXT: &str = "\
Most units on 2026-11-23

TENANT  PLAN  STATUS     UNITS  REFUSED
acme    pro   active     48210       17
bolt    free  suspended     90        0

At 80 % of a limit or more

TENANT  LIMIT                      USED  REMAINING  FULL IN
acme    month                    913400      86600   7d 12h
acme    tokens of POST /v1/chat      80         20    800ms

There may be more tenants near a limit.
";

#[tokio::test(flavor = "multi_thread")]
async fn both_lists_are_tables() {
    let recorded = |body| Exchange::new("GET /v1/overview", 200, body);
    let worker = FakeWorker::start([recorded(overview())]).await;
    let ended = worker.run(&["overview"]).await;
    let note = "as of 2026-11-23T12:00:00.250Z; newest report of an isolate: 2026-11-23T11:59:58Z\n";
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, TEXT, note));
    worker.call();

    let worker = FakeWorker::start([recorded(overview())]).await;
    let ended = worker.run(&["overview", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&ended.stdout).unwrap(), overview());

    let empty = json!({
        "as_of": "2026-11-23T12:00:00Z", "reported_at": null, "day": "2026-11-23", "top": [], "near_limit": [], "more": false,
    });
    let worker = FakeWorker::start([recorded(empty)]).await;
    let ended = worker.run(&["overview"]).await;
    let text = "Most units on 2026-11-23\n\nnone\n\nAt 80 % of a limit or more\n\nnone\n";
    assert_eq!((ended.code, ended.stdout.as_str()), (0, text));
    assert!(ended.stderr.contains("none yet"), "{}", ended.stderr);
}
