//! `sluicegate usage`.

use serde_json::{Value, json};

use crate::fake_worker::{Exchange, FakeWorker};

fn usage() -> Value {
    json!({
        "tenant": "acme", "plan": "pro",
        "limits": [
            { "name": "burst", "algorithm": "token_bucket", "limit": 50, "used": 3, "remaining": 97, "reset_ms": 60 },
            { "name": "month", "algorithm": "fixed_window", "limit": 1_000_000, "used": 123_456, "remaining": 876_544,
              "reset_ms": 705_600_000 },
        ],
        "today": { "day": "2026-11-23", "units": 42 },
        "history": [{ "day": "2026-11-22", "units": 12_345 }, { "day": "2026-11-21", "units": 0 }],
    })
}

const HEAD: &str = "\
tenant  acme
plan    pro

LIMIT  ALGORITHM       QUOTA    USED  REMAINING  FULL IN
burst  token_bucket       50       3         97     60ms
month  fixed_window  1000000  123456     876544    8d 4h

";

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_days_are_tables() {
    let recorded = || Exchange::new("GET /v1/tenants/acme/usage", 200, usage());
    let days = "\
DAY                 UNITS
2026-11-23 (today)     42
2026-11-22          12345
2026-11-21              0
";
    let worker = FakeWorker::start([recorded()]).await;
    let ended = worker.run(&["usage", "acme"]).await;
    assert_eq!((ended.code, ended.stdout, ended.stderr.as_str()), (0, format!("{HEAD}{days}"), ""));
    worker.call();

    let worker = FakeWorker::start([recorded()]).await;
    let ended = worker.run(&["usage", "acme", "--days", "1"]).await;
    let days = "\
DAY                 UNITS
2026-11-23 (today)     42
2026-11-22          12345

1 earlier day: --days 2
";
    assert_eq!(ended.stdout, format!("{HEAD}{days}"));

    let worker = FakeWorker::start([recorded()]).await;
    let ended = worker.run(&["usage", "acme", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&ended.stdout).unwrap(), usage());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_without_its_value_is_listed() {
    let answer = json!({
        "tenant": "acme",
        "plan": "nested",
        "limits": [
            { "name": "user", "algorithm": "fixed_window", "limit": 60, "by": "header:x-user" },
            { "name": "all", "algorithm": "token_bucket", "limit": 9, "by": "everyone", "used": 2, "remaining": 7, "reset_ms": 500 },
        ],
        "today": { "day": "2026-11-23", "units": 2 },
    });
    let target = "GET /v1/tenants/acme/usage?subjects=%7B%22country%22%3A%22CH%22%7D";
    let worker = FakeWorker::start([Exchange::new(target, 200, answer)]).await;
    let ended = worker.run(&["usage", "acme", "--by", "country=CH"]).await;
    let limits = "\
LIMIT                  ALGORITHM     QUOTA  USED  REMAINING  FULL IN
user by header:x-user  fixed_window     60     -          -        -
all by everyone        token_bucket      9     2          7    500ms
";
    assert!(ended.code == 0 && ended.stdout.contains(limits), "{}", ended.stdout);
}
