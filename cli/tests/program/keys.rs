//! `sluicegate keys …`.

use serde_json::{Value, json};

use crate::fake_worker::{Exchange, FakeWorker};

#[tokio::test(flavor = "multi_thread")]
async fn new_key_is_shown_once() {
    let key = json!({ "id": "k1", "created": "2026-11-22T10:00:00Z", "expires": null, "key": "sgk_acme_secret" });
    let created = |key: &Value| Exchange::new("POST /v1/tenants/acme/keys", 201, key.clone());
    let worker = FakeWorker::start([created(&key)]).await;
    let ended = worker.run(&["keys", "create", "acme"]).await;
    let text = "\
id       k1
created  2026-11-22T10:00:00Z
expires  never
key      sgk_acme_secret
";
    assert_eq!((ended.code, ended.stdout.as_str()), (0, text));
    assert_eq!(ended.stderr, "save the key now: it is not shown again\n");
    assert_eq!(worker.call().body, json!({}));

    let worker = FakeWorker::start([created(&key)]).await;
    let ended = worker.run(&["--json", "keys", "create", "acme", "--expires", "2027-01-01T00:00:00Z"]).await;
    assert_eq!(serde_json::from_str::<Value>(&ended.stdout).unwrap(), key);
    assert_eq!(worker.call().body, json!({ "expires": "2027-01-01T00:00:00Z" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_listed_without_their_secrets() {
    let keys = json!({ "keys": [
        { "id": "k1", "created": "2026-11-22T10:00:00Z", "expires": null },
        { "id": "k2", "created": "2026-11-23T10:00:00Z", "expires": "2027-01-01T00:00:00Z" },
    ] });
    let worker = FakeWorker::start([Exchange::new("GET /v1/tenants/acme/keys", 200, keys)]).await;
    let ended = worker.run(&["keys", "list", "acme"]).await;
    let table = "\
ID  CREATED               EXPIRES
k1  2026-11-22T10:00:00Z  never
k2  2026-11-23T10:00:00Z  2027-01-01T00:00:00Z
";
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, table, ""));
    worker.call();
}

#[tokio::test(flavor = "multi_thread")]
async fn key_is_revoked_by_id() {
    let worker = FakeWorker::start([Exchange::new("DELETE /v1/tenants/acme/keys/k1", 204, Value::Null)]).await;
    let ended = worker.run(&["keys", "revoke", "acme", "k1"]).await;
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, "", "revoked k1 of acme\n"));
    worker.call();

    let unknown = Exchange::problem("DELETE /v1/tenants/acme/keys/k9", 404, "key-not-found", "There is no such key");
    let worker = FakeWorker::start([unknown]).await;
    let ended = worker.run(&["keys", "revoke", "acme", "k9"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (1, "sluicegate: There is no such key\n"));
}
