//! `sluicegate check`.

use serde_json::{Value, json};

use crate::fake_worker::{Exchange, FakeWorker};

fn verdict(allowed: bool, retry: Option<u64>, limits: &Value) -> Exchange {
    let body = json!({ "allowed": allowed, "retry_ms": retry, "limits": limits, "at": 1_795_341_600_000_u64 });
    Exchange::new("POST /v1/check", 200, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn verdict_sets_the_exit_code() {
    let limits = json!([
        { "name": "burst", "remaining": 19, "retry_ms": 0, "reset_ms": 500 },
        { "name": "day", "remaining": 4999, "retry_ms": 0, "reset_ms": 86_400_000 },
    ]);
    let worker = FakeWorker::start([verdict(true, Some(0), &limits)]).await;
    let ended = worker.run(&["check", "--tenant", "acme"]).await;
    let text = "\
allowed

LIMIT  REMAINING  RETRY IN  FULL IN
burst         19         -    500ms
day         4999         -       1d
";
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, text, ""));
    assert_eq!(worker.call().body, json!({ "tenant": "acme", "cost": 1, "peek": false }));

    let limits = json!([{ "name": "burst", "remaining": 0, "retry_ms": 1201, "reset_ms": 10_000 }]);
    let worker = FakeWorker::start([verdict(false, Some(1201), &limits)]).await;
    let ended = worker
        .run(&["check", "--subject", "login:ada", "--plan", "pro", "--cost", "5", "--peek", "--lease", "l"])
        .await;
    let text = "\
denied: retry in 2s

LIMIT  REMAINING  RETRY IN  FULL IN
burst          0        2s      10s
";
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (1, text, ""));
    let body = json!({ "subject": "login:ada", "plan": "pro", "cost": 5, "peek": true, "lease": "l" });
    assert_eq!(worker.call().body, body);
}

#[tokio::test(flavor = "multi_thread")]
async fn denial_that_never_ends_says_so() {
    for never in [json!(-1), Value::Null] {
        let limits = json!([{ "name": "burst", "remaining": 20, "retry_ms": never, "reset_ms": 0 }]);
        let worker = FakeWorker::start([verdict(false, None, &limits)]).await;
        let rules = r#"[{"name":"burst","algorithm":"token_bucket","limit":20,"window":"10s"}]"#;
        let ended = worker.run(&["check", "--subject", "u", "--limits", rules, "--cost", "21"]).await;
        let text = "\
denied: can never be allowed (the cost exceeds the capacity of a limit)

LIMIT  REMAINING  RETRY IN  FULL IN
burst         20     never      0ms
";
        assert_eq!((ended.code, ended.stdout.as_str()), (1, text));
        assert_eq!(worker.call().body["limits"], serde_json::from_str::<Value>(rules).unwrap());
    }
}
