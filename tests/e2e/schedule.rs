//! The cron trigger: usage becomes history.

use futures_util::future::join_all;
use serde_json::{Value, json};
use sluicegate::tenant::history::Day;
use sluicegate::time::Millis;
use sluicegate_devstack::Stack;

use crate::api::{create_tenant, tenant_with_key, usage};
use crate::direct_redis::{Inside, now};
use crate::log;
use crate::support::{get_as, plenty, stack, status, until};

/// Runs the scheduled handler as a cron trigger would.
async fn scheduled(stack: &Stack) {
    let url = format!("{}/cdn-cgi/local/scheduled", stack.worker.url());
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), "ok");
}

/// Returns the report of each run, one line each.
fn reports(stack: &Stack) -> Vec<Value> {
    log::lines(stack).into_iter().filter(|line| line["event"] == "recorded").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_becomes_history() {
    let mut config = plenty();
    config["identify"] = json!(["api_key", "address"]);
    config["usage"] = json!(true);
    let stack = stack(config.clone()).await;
    let inside = Inside::of(&stack, &config).await;
    let today = Day::of(now());
    let key = tenant_with_key(&stack, "acme", "p").await;
    // A dozen tenants more than one page; some have used nothing.
    let others: Vec<String> = (0..12).map(|i| format!("tenant-{i}")).collect();
    for (i, id) in (0..).zip(&others) {
        create_tenant(&stack, id, "p").await;
        if i % 3 > 0 {
            inside.use_at(id, 100 + i, noon(today.before())).await;
        }
    }
    inside.use_at("acme", 30, noon(today.before().before())).await;
    inside.use_at("acme", 12, noon(today.before())).await;
    for _ in 0..3 {
        assert_eq!(status(get_as(&stack, &key, "/x")).await, 200);
    }
    // The day before yesterday was not recorded: it counts on the newest day.
    let expected = json!([{ "day": today.before().to_string(), "units": 42 }]);
    expect_usage(&stack, today, 3, &expected).await;

    if !too_close_to_midnight() {
        join_all((0..4).map(|_| scheduled(&stack))).await;
        until("all is recorded", async || {
            scheduled(&stack).await;
            reports(&stack).iter().any(|report| report["end"] == "Done")
        })
        .await;
        recorded_once(&stack, &inside);
        expect_usage(&stack, today, 3, &expected).await;
        for id in &others {
            let ledger: Option<String> = inside.redis(&["GET", &ledger(id)]);
            let used = usage(&stack, id).await["history"][0]["units"].as_u64();
            assert_eq!(ledger.is_some(), used.is_some(), "{id}");
        }
    }
    assert_eq!(status(get_as(&stack, &key, "/x")).await, 200);
    expect_usage(&stack, today, 4, &expected).await;
    log::expect_no_secrets(&stack, &[&key]);
    stack.stop().await;
}

async fn expect_usage(stack: &Stack, today: Day, units: u64, history: &Value) {
    let usage = usage(stack, "acme").await;
    if Day::of(now()).to_string() != today.to_string() {
        // Midnight has passed during the test.
        return;
    }
    assert_eq!(usage["today"], json!({ "day": today.to_string(), "units": units }));
    assert_eq!(usage["history"], *history);
    assert_eq!(usage["limits"][0]["name"], "plenty");
}

/// However many runs there were, each tenant with usage was written once, and every run reported.
fn recorded_once(stack: &Stack, inside: &Inside) {
    let reports = reports(stack);
    let sum = |field: &str| reports.iter().map(|report| report[field].as_u64().unwrap()).sum::<u64>();
    // A ledger is created, then gets its day.
    assert_eq!(sum("written"), 2 * 9, "{reports:#?}");
    assert!(reports.iter().all(|report| report["calls"].as_u64().unwrap() <= 45), "{reports:#?}");
    assert!(reports.iter().all(|report| report["unreadable"] == json!([])), "{reports:#?}");
    let ledger: String = inside.redis(&["GET", &ledger("acme")]);
    let ledger: Value = serde_json::from_str(&ledger).unwrap();
    assert_eq!(ledger["days"].as_object().unwrap().values().collect::<Vec<_>>(), [&json!(42)], "{ledger}");
}

fn ledger(tenant: &str) -> String {
    format!("sg:1:{{lock:usage:history}}:value:{tenant}")
}

fn noon(day: Day) -> Millis {
    Millis::new(day.begins().get() + 43_200_000)
}

/// Nothing is recorded for some minutes around midnight (UTC).
fn too_close_to_midnight() -> bool {
    !(6 * 60_000..86_400_000 - 3 * 60_000).contains(&(now().get() % 86_400_000))
}
