//! `sluicegate reset` and `sluicegate refund`.

use serde_json::{Value, json};

use crate::fake_worker::{Exchange, FakeWorker};

#[tokio::test(flavor = "multi_thread")]
async fn reset_is_confirmed() {
    let worker = FakeWorker::start([Exchange::new("POST /v1/tenants/acme/reset", 204, Value::Null)]).await;
    let ended = worker.run(&["reset", "acme"]).await;
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, "", "reset acme\n"));
    assert_eq!(worker.call().body, json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_by_which_limits_count_are_sent() {
    let by = ["--by", "header:x-user=a=b", "--by", "address=203.0.113.7"];
    let subjects = json!({ "header:x-user": "a=b", "address": "203.0.113.7" });
    let worker = FakeWorker::start([Exchange::new("POST /v1/tenants/acme/reset", 204, Value::Null)]).await;
    assert_eq!(worker.run(&[&["reset", "acme"][..], &by].concat()).await.code, 0);
    assert_eq!(worker.call().body, json!({ "subjects": subjects }));
    let answer = json!({ "refunded": true, "limits": [] });
    let worker = FakeWorker::start([Exchange::new("POST /v1/tenants/acme/refund", 200, answer)]).await;
    assert_eq!(worker.run(&[&["refund", "acme", "1", "--request", "r"][..], &by].concat()).await.code, 0);
    assert_eq!(worker.call().body, json!({ "units": 1, "request": "r", "subjects": subjects }));
    let answer = json!({ "allowed": true, "retry_ms": 0, "limits": [] });
    let worker = FakeWorker::start([Exchange::new("POST /v1/check", 200, answer)]).await;
    assert_eq!(worker.run(&[&["check", "--tenant", "acme"][..], &by].concat()).await.code, 0);
    assert_eq!(worker.call().body, json!({ "tenant": "acme", "subjects": subjects, "cost": 1, "peek": false }));

    let ended = worker.run(&["reset", "acme", "--by", "ada"]).await;
    assert!(ended.code == 2 && ended.stderr.contains("expected WHAT=VALUE"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refund_shows_the_units_of_each_limit() {
    let answer =
        json!({ "refunded": true, "limits": [{ "name": "burst", "units": 3 }, { "name": "day", "units": 10 }] });
    let worker = FakeWorker::start([Exchange::new("POST /v1/tenants/acme/refund", 200, answer)]).await;
    let ended =
        worker.run(&["refund", "acme", "10", "--request", "ticket-7", "--charged-at", "2026-11-22T10:00:00Z"]).await;
    let table = "\
LIMIT  REFUNDED
burst         3
day          10
";
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, table, ""));
    let body = json!({ "units": 10, "request": "ticket-7", "charged_at": "2026-11-22T10:00:00Z" });
    assert_eq!(worker.call().body, body);

    let answer = json!({ "refunded": false, "limits": [] });
    let worker = FakeWorker::start([Exchange::new("POST /v1/tenants/acme/refund", 200, answer)]).await;
    let ended = worker.run(&["refund", "acme", "10", "--request", "ticket-7"]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""));
    assert_eq!(ended.stderr, "ticket-7 was already refunded: nothing changed\n");
}
