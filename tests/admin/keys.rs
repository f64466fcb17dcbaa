//! A tenant's API keys.

use serde_json::{Value, json};
use sluicegate::tenant::{ApiKey, KeyStatus, Tenant};
use sluicegate::time::Millis;

use crate::service::{NOON, Service};

/// Reads the tenant's document from Redis.
fn document(service: &mut Service) -> Tenant {
    Tenant::from_text(&service.redis::<String>(&["GET", "sg:1:{acme}:tenant"])).unwrap()
}

#[tokio::test]
async fn a_key_is_shown_once_and_works() {
    let mut service = Service::start().await;
    service.tenant("acme", "free").await;
    let created = service.call("POST", "/tenants/acme/keys", json!({ "expires": "2026-12-01T00:00:00Z" })).await;
    assert_eq!(created.status, 201, "{created:?}");
    assert_eq!(created.body["created"], "2026-11-23T12:00:00Z");
    let text = created.body["key"].as_str().unwrap();
    let key = ApiKey::parse(text).unwrap();
    assert!(matches!(document(&mut service).key_status(&key, Millis::new(NOON)), KeyStatus::Valid(_)));

    for path in ["/tenants/acme/keys", "/tenants/acme", "/tenants"] {
        let shown = service.call("GET", path, Value::Null).await.body.to_string();
        assert!(shown.contains(created.body["id"].as_str().unwrap()), "{path}");
        assert!(!shown.contains(text) && !shown.contains(&key.digest().to_string()), "{path}");
    }
    let stored: String = service.redis(&["GET", "sg:1:{acme}:tenant"]);
    assert!(!stored.contains(&text["sgk_acme_".len()..]), "only the hash is stored");
}

#[tokio::test]
async fn a_key_is_revoked() {
    let mut service = Service::start().await;
    service.tenant("acme", "free").await;
    // A missing body is the same as an empty object.
    let old = service.call("POST", "/tenants/acme/keys", Value::Null).await;
    let new = service.call("POST", "/tenants/acme/keys", json!({ "expires": null })).await;
    let keys = service.call("GET", "/tenants/acme/keys", Value::Null).await;
    assert_eq!(keys.body["keys"].as_array().unwrap().len(), 2, "two keys exist during a rotation");

    let path = format!("/tenants/acme/keys/{}", old.body["id"].as_str().unwrap());
    assert_eq!(service.call("DELETE", &path, Value::Null).await.status, 204);
    let again = service.call("DELETE", &path, Value::Null).await;
    assert_eq!((again.status, again.kind()), (404, "key-not-found"));
    let tenant = document(&mut service);
    let status = |reply: &Value| tenant.key_status(&ApiKey::parse(reply.as_str().unwrap()).unwrap(), Millis::new(NOON));
    assert_eq!(status(&old.body["key"]), KeyStatus::Unknown);
    assert!(matches!(status(&new.body["key"]), KeyStatus::Valid(_)));
}

#[tokio::test]
async fn keys_per_tenant_are_bounded() {
    let service = Service::start().await;
    service.tenant("acme", "free").await;
    for _ in 0..16 {
        assert_eq!(service.call("POST", "/tenants/acme/keys", json!({})).await.status, 201);
    }
    let more = service.call("POST", "/tenants/acme/keys", json!({})).await;
    assert_eq!((more.status, more.kind()), (409, "too-many-keys"));
}

#[tokio::test]
async fn keys_stay_when_settings_change() {
    let service = Service::start().await;
    service.tenant("acme", "free").await;
    service.call("POST", "/tenants/acme/keys", json!({})).await;
    let replaced = service.call_if_match("PUT", "/tenants/acme", Some("*"), json!({ "plan": "pro" })).await;
    assert_eq!(replaced.body["keys"].as_array().unwrap().len(), 1);
    let patched = service.call("PATCH", "/tenants/acme", json!({ "plan": "free" })).await;
    assert_eq!(patched.body["keys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn wrong_input_is_named() {
    let service = Service::start().await;
    service.tenant("acme", "free").await;
    for (body, path) in [(json!({ "expires": "soon" }), "expires"), (json!({ "id": "x" }), "id"), (json!([]), "")] {
        let reply = service.call("POST", "/tenants/acme/keys", body).await;
        assert_eq!((reply.status, reply.paths()), (400, vec![path]));
    }
    let reply = service.call("DELETE", "/tenants/acme/keys/a%20b", Value::Null).await;
    assert_eq!((reply.status, reply.paths()), (400, vec!["key"]));
    assert_eq!(service.call("POST", "/tenants/nobody/keys", json!({})).await.status, 404);
}
