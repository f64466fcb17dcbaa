//! The demo page and the console in headless Chromium, against the real Worker.

use serde_json::{Value, json};
use sluicegate_devstack::Stack;
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::support::{limits, stack};

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_page_shows_the_workers_responses() {
    let burst = json!([{ "name": "burst", "algorithm": "token_bucket", "limit": 20, "window": "10s" }]);
    in_chromium(&["page"], &[], stack(limits(&burst)).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_page_creates_tenants_and_competes_for_locks() {
    let mut config = limits(&json!([{ "name": "plenty", "algorithm": "token_bucket", "limit": 1000, "window": "1s" }]));
    config["identify"] = json!(["api_key", "address"]);
    config["plans"]["free"] =
        json!({ "limits": [{ "name": "day", "algorithm": "fixed_window", "limit": 5, "window": "day" }] });
    let watch = json!([{ "name": "watch", "algorithm": "fixed_window", "limit": 2, "window": "day" }]);
    config["routes"] = json!([
        { "match": "GET /keyed", "require_key": true },
        { "match": "GET /watched", "shadow": true, "limits": watch },
    ]);
    in_chromium(&["tenants", "locks"], &[], stack(config).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_page_compares_algorithms_and_live_decisions_coincide() {
    let plenty = json!([{ "name": "plenty", "algorithm": "token_bucket", "limit": 1000, "window": "1s" }]);
    in_chromium(&["compare"], &[], stack(limits(&plenty)).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_manages_tenants() {
    in_chromium(&["console"], &[], stack(of_console()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_is_accessible() {
    in_chromium(&["console-look"], &[], stack(of_console()).await).await;
}

/// The configuration that the tests of the console expect.
fn of_console() -> Value {
    let day = |limit: u64| json!({ "name": "day", "algorithm": "fixed_window", "limit": limit, "window": "day" });
    let burst = json!({ "name": "burst", "algorithm": "token_bucket", "limit": 100, "window": "1s" });
    let mut config = limits(&json!([{ "name": "plenty", "algorithm": "token_bucket", "limit": 1000, "window": "1s" }]));
    config["identify"] = json!(["api_key", "address"]);
    config["usage"] = json!(true);
    config["plans"]["free"] = json!({ "limits": [day(5)] });
    config["plans"]["pro"] = json!({ "limits": [day(50), burst] });
    config["routes"] = json!([{ "match": "GET /keyed", "require_key": true }]);
    config
}

/// Runs the tests of these names in the browser against a stack, one by one and with these environment variables, then
/// stops it.
pub(crate) async fn in_chromium(names: &[&str], environment: &[(&str, &str)], stack: Stack) {
    let root = env!("CARGO_MANIFEST_DIR");
    let browser = ONE_BROWSER.lock().await;
    let output = Command::new(format!("{root}/node_modules/.bin/node"))
        .args(["--test", "--test-concurrency=1"])
        .args(names.iter().map(|name| format!("www/tests/{name}.e2e.mjs")))
        .current_dir(root)
        .env("SLUICEGATE_URL", format!("{}/_sluicegate/demo/", stack.worker.url()))
        .env("SLUICEGATE_ADMIN_TOKEN", &stack.secrets.admin_token)
        .envs(environment.iter().copied())
        .env("ARTIFACTS", format!("{root}/artifacts"))
        .kill_on_drop(true)
        .output()
        .await
        .expect("node is installed (run `make setup`)");
    drop(browser);
    stack.stop().await;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
}

/// Several browsers at the same time would be slow, and what a page has to do in time would fail.
static ONE_BROWSER: Mutex<()> = Mutex::const_new(());
