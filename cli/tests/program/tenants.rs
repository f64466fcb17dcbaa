//! `sluicegate tenants …`.

use serde_json::{Value, json};

use crate::fake_worker::{Exchange, FakeWorker};

fn acme() -> Value {
    json!({
        "id": "acme", "plan": "pro", "status": "active",
        "overrides": { "day": { "limit": 5000, "until": "2026-12-01T00:00:00Z" }, "burst": { "limit": 50, "burst": 100 } },
        "metadata": { "owner": "Ada" },
        "keys": [{ "id": "k1", "created": "2026-11-22T10:00:00Z", "expires": null }],
    })
}

fn small(id: &str) -> Value {
    json!({ "id": id, "plan": "free", "status": "suspended", "overrides": {}, "metadata": {}, "keys": [] })
}

const SHOWN: &str = "\
id        acme
plan      pro
status    active
keys      1
etag      \"0123\"
limit     burst=50:100
limit     day=5000@2026-12-01T00:00:00Z
metadata  owner=Ada
";

#[tokio::test(flavor = "multi_thread")]
async fn tenant_is_shown_with_its_etag() {
    let shown = || Exchange::new("GET /v1/tenants/acme", 200, acme()).header("etag", "\"0123\"");
    let worker = FakeWorker::start([shown()]).await;
    let ended = worker.run(&["tenants", "show", "acme"]).await;
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, SHOWN, ""));
    worker.call();

    let worker = FakeWorker::start([shown()]).await;
    let ended = worker.run(&["tenants", "show", "acme", "--json"]).await;
    let mut expected = acme();
    expected["etag"] = json!("\"0123\"");
    assert_eq!(serde_json::from_str::<Value>(&ended.stdout).unwrap(), expected);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn list_follows_all_pages() {
    let first = json!({ "tenants": [acme()], "cursor": "acme" });
    let last = json!({ "tenants": [small("zoo")], "cursor": null });
    let worker = FakeWorker::start([
        Exchange::new("GET /v1/tenants?limit=100", 200, first.clone()),
        Exchange::new("GET /v1/tenants?limit=100&cursor=acme", 200, last),
    ])
    .await;
    let ended = worker.run(&["tenants", "list"]).await;
    let table = "\
ID    PLAN  STATUS     KEYS  OVERRIDES
acme  pro   active        1  burst, day
zoo   free  suspended     0  -
";
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, table, ""));
    assert_eq!(worker.calls().len(), 2);

    let worker = FakeWorker::start([Exchange::new("GET /v1/tenants?limit=1&cursor=a", 200, first)]).await;
    let ended = worker.run(&["tenants", "list", "--max", "1", "--after", "a"]).await;
    assert_eq!(ended.stderr, "more tenants follow: --after acme\n");
    worker.call();
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_list_prints_no_table() {
    let worker =
        FakeWorker::start([Exchange::new("GET /v1/tenants?limit=100", 200, json!({ "tenants": [], "cursor": null }))])
            .await;
    let ended = worker.run(&["tenants", "list"]).await;
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, "", "no tenants\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn create_sends_all_arguments() {
    let created = || Exchange::new("POST /v1/tenants", 201, acme()).header("etag", "\"0123\"");
    let worker = FakeWorker::start([created()]).await;
    let ended = worker.run(&["tenants", "create", "acme", "--plan", "pro"]).await;
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, SHOWN, "created acme\n"));
    let call = worker.call();
    assert_eq!(call.body, json!({ "id": "acme", "plan": "pro" }));
    assert_eq!(call.content_type.as_deref(), Some("application/json"));

    let worker = FakeWorker::start([created()]).await;
    let more = [
        "--suspended",
        "--limit",
        "day=5000@2026-12-01T00:00:00Z",
        "--limit",
        "burst=50:100",
        "--metadata",
        "owner=Ada",
    ];
    worker.run(&[&["tenants", "create", "acme", "--plan", "pro"], more.as_slice()].concat()).await;
    let overrides = acme()["overrides"].clone();
    let expected = json!({
        "id": "acme", "plan": "pro", "status": "suspended", "overrides": overrides, "metadata": { "owner": "Ada" },
    });
    assert_eq!(worker.call().body, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn update_is_a_merge_patch() {
    let updated = || Exchange::new("PATCH /v1/tenants/acme", 200, acme()).header("etag", "\"0123\"");
    for (arguments, body) in [
        (vec!["--suspend"], json!({ "status": "suspended" })),
        (vec!["--activate", "--plan", "free"], json!({ "status": "active", "plan": "free" })),
        // Null, so that no field of an older override stays.
        (
            vec!["--limit", "day=5000"],
            json!({ "overrides": { "day": { "limit": 5000, "burst": null, "until": null } } }),
        ),
        (
            vec!["--limit", "day=5:6@2026-12-01T00:00:00Z", "--no-limit", "month"],
            json!({ "overrides": { "day": { "limit": 5, "burst": 6, "until": "2026-12-01T00:00:00Z" }, "month": null } }),
        ),
        (vec!["--metadata", "a=b=c", "--no-metadata", "d"], json!({ "metadata": { "a": "b=c", "d": null } })),
    ] {
        let worker = FakeWorker::start([updated()]).await;
        let ended = worker.run(&[&["tenants", "update", "acme"], arguments.as_slice()].concat()).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (0, "updated acme\n"));
        let call = worker.call();
        assert_eq!((call.body, call.if_match), (body, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn if_match_is_sent_and_a_lost_race_reported() {
    let lost = |call| Exchange::problem(call, 412, "lost-race", "The tenant has changed");
    let message = "sluicegate: The tenant has changed\n  (someone else changed it meanwhile: look at it with `tenants show`, then \
                   try again)\n";
    let worker = FakeWorker::start([lost("PATCH /v1/tenants/acme")]).await;
    let ended = worker.run(&["tenants", "update", "acme", "--suspend", "--if-match", "0123"]).await;
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (1, "", message));
    assert_eq!(worker.call().if_match.as_deref(), Some("\"0123\""));

    let worker = FakeWorker::start([lost("DELETE /v1/tenants/acme")]).await;
    let ended = worker.run(&["tenants", "delete", "acme", "--if-match", "\"0123\""]).await;
    assert_eq!(ended.code, 1);
    assert_eq!(worker.call().if_match.as_deref(), Some("\"0123\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_prints_only_a_note() {
    for json in [false, true] {
        let worker = FakeWorker::start([Exchange::new("DELETE /v1/tenants/acme", 204, Value::Null)]).await;
        let mut arguments = vec!["tenants", "delete", "acme"];
        arguments.extend(json.then_some("--json"));
        let ended = worker.run(&arguments).await;
        let note = if json { "" } else { "deleted acme\n" };
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, "", note));
        assert_eq!(worker.call().body, Value::Null);
    }
}
