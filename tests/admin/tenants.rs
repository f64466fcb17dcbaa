//! Listing, creating, reading, replacing, patching and deleting tenants.

use serde_json::{Value, json};

use crate::service::Service;

#[tokio::test]
async fn a_tenant_is_created_read_and_deleted() {
    let service = Service::start().await;
    let body = json!({
        "id": "acme",
        "plan": "free",
        "overrides": { "day": { "limit": 5000, "until": "2026-12-01T02:00:00+02:00" } },
        "metadata": { "contact": "zoë@example.com" },
    });
    let created = service.call("POST", "/tenants", body).await;
    assert_eq!((created.status, created.header("location")), (201, "/_sluicegate/v1/tenants/acme"));
    assert_eq!(
        created.body,
        json!({
            "id": "acme",
            "plan": "free",
            "status": "active",
            "overrides": { "day": { "limit": 5000, "until": "2026-12-01T00:00:00Z" } },
            "metadata": { "contact": "zoë@example.com" },
            "keys": [],
        })
    );
    let read = service.call("GET", "/tenants/acme", Value::Null).await;
    assert_eq!((read.status, &read.body), (200, &created.body));
    assert_eq!(read.header("etag"), created.header("etag"));

    let again = service.call("POST", "/tenants", json!({ "id": "acme", "plan": "pro" })).await;
    assert_eq!((again.status, again.kind()), (409, "tenant-exists"));

    let deleted = service.call("DELETE", "/tenants/acme", Value::Null).await;
    assert_eq!((deleted.status, deleted.body), (204, Value::Null));
    let gone = service.call("GET", "/tenants/acme", Value::Null).await;
    assert_eq!((gone.status, gone.kind()), (404, "tenant-not-found"));
    assert_eq!(service.call("DELETE", "/tenants/acme", Value::Null).await.status, 404);
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let service = Service::start().await;
    for (body, paths) in [
        (json!({}), vec!["id", "plan"]),
        (json!({ "id": "Acme", "plan": 5 }), vec!["id", "plan"]),
        (json!({ "id": "acme", "plan": "gold" }), vec!["plan"]),
        (json!({ "id": "acme", "plan": "free", "keys": [] }), vec!["keys"]),
        (json!({ "id": "acme", "plan": "free", "status": "dormant" }), vec!["status"]),
        (json!({ "id": "acme", "plan": "free", "metadata": { "a": 1 } }), vec!["metadata.a"]),
        (
            json!({ "id": "acme", "plan": "free", "overrides": { "day": { "limit": 0, "x": 1 } } }),
            vec!["overrides.day.x", "overrides.day.limit"],
        ),
        (json!({ "id": "acme", "plan": "free", "overrides": { "month": { "limit": 5 } } }), vec!["overrides.month"]),
        (
            json!({ "id": "acme", "plan": "free", "overrides": { "day": { "limit": 5, "burst": 6 } } }),
            vec!["overrides.day.burst"],
        ),
    ] {
        let reply = service.call("POST", "/tenants", body.clone()).await;
        let mut found = reply.paths();
        found.sort_unstable();
        let mut paths = paths;
        paths.sort_unstable();
        assert_eq!((reply.status, reply.kind(), found), (400, "invalid-request", paths), "{body}");
    }
    let reply = service.call("GET", "/tenants/Acme", Value::Null).await;
    assert_eq!((reply.status, reply.paths()), (400, vec!["id"]));
}

#[tokio::test]
async fn replacing_requires_the_current_version() {
    let service = Service::start().await;
    let first = service.tenant("acme", "free").await;
    let settings = json!({ "plan": "pro", "status": "suspended" });

    let blind = service.call("PUT", "/tenants/acme", settings.clone()).await;
    assert_eq!((blind.status, blind.kind()), (428, "precondition-required"));
    let bare = service.call_if_match("PUT", "/tenants/acme", Some("abc"), settings.clone()).await;
    assert_eq!((bare.status, bare.paths()), (400, vec!["if-match"]));
    let nobody = service.call_if_match("PUT", "/tenants/nobody", Some("*"), settings.clone()).await;
    assert_eq!(nobody.status, 404);

    let replaced = service.call_if_match("PUT", "/tenants/acme", Some(&first), settings.clone()).await;
    assert_eq!(
        (replaced.status, &replaced.body["plan"], &replaced.body["status"]),
        (200, &json!("pro"), &json!("suspended"))
    );
    assert_ne!(replaced.header("etag"), first);

    let late = service.call_if_match("PUT", "/tenants/acme", Some(&first), json!({ "plan": "free" })).await;
    assert_eq!((late.status, late.kind()), (412, "lost-race"));
    let read = service.call("GET", "/tenants/acme", Value::Null).await;
    assert_eq!(read.body["plan"], "pro", "the late write changed nothing");
    let any = service.call_if_match("PUT", "/tenants/acme", Some("*"), json!({ "plan": "free" })).await;
    assert_eq!((any.status, &any.body["status"]), (200, &json!("active")));
}

#[tokio::test]
async fn a_patch_changes_only_the_named_fields() {
    let service = Service::start().await;
    let body = json!({
        "id": "acme",
        "plan": "free",
        "overrides": { "day": { "limit": 5 }, "minute": { "limit": 2, "until": "2027-01-01T00:00:00Z" } },
        "metadata": { "a": "1", "b": "2" },
    });
    let created = service.call("POST", "/tenants", body).await;
    let patch = json!({
        "status": "suspended",
        "overrides": { "day": null, "minute": { "until": null, "limit": 3 } },
        "metadata": { "a": null, "c": "3" },
    });
    let patched = service.call("PATCH", "/tenants/acme", patch).await;
    assert_eq!(patched.status, 200, "{patched:?}");
    assert_eq!(patched.body["overrides"], json!({ "minute": { "limit": 3 } }));
    assert_eq!(patched.body["metadata"], json!({ "b": "2", "c": "3" }));
    assert_eq!((&patched.body["status"], &patched.body["plan"]), (&json!("suspended"), &json!("free")));

    let late = service
        .call_if_match("PATCH", "/tenants/acme", Some(created.header("etag")), json!({ "status": "active" }))
        .await;
    assert_eq!((late.status, late.kind()), (412, "lost-race"));

    for (patch, paths) in [
        (json!({ "plan": null }), vec!["plan"]),
        (json!({ "plna": null }), vec!["plna"]),
        (json!({ "overrides": { "minute": { "limt": null } } }), vec!["overrides.minute.limt"]),
        (json!({ "overrides": { "minute": 5 } }), vec!["overrides.minute"]),
        (json!({ "plan": "pro" }), vec!["overrides.minute"]),
    ] {
        let reply = service.call("PATCH", "/tenants/acme", patch.clone()).await;
        assert_eq!((reply.status, reply.paths()), (400, paths), "{patch}");
    }
}

#[tokio::test]
async fn tenants_are_listed_page_by_page() {
    let service = Service::start().await;
    let empty = service.call("GET", "/tenants", Value::Null).await;
    assert_eq!((empty.status, empty.body), (200, json!({ "tenants": [], "cursor": null })));
    let ids = ["a", "b", "c-1", "d.x", "zz"];
    for id in ids.iter().rev() {
        service.tenant(id, "free").await;
    }
    let (mut found, mut pages, mut path) = (Vec::new(), 0, "/tenants?limit=2".to_owned());
    loop {
        let page = service.call("GET", &path, Value::Null).await;
        found.extend(page.body["tenants"].as_array().unwrap().iter().map(|tenant| tenant["id"].clone()));
        pages += 1;
        let Some(cursor) = page.body["cursor"].as_str() else { break };
        path = format!("/tenants?limit=2&cursor={cursor}");
    }
    assert_eq!((json!(found), pages), (json!(ids), 3));
}

#[tokio::test]
async fn an_unreadable_document_is_reported_and_deletable() {
    let mut service = Service::start().await;
    service.tenant("acme", "free").await;
    service.tenant("beta", "free").await;
    service.redis::<()>(&["SET", "sg:1:{acme}:tenant", "oops"]);

    for (method, path) in [("GET", "/tenants/acme"), ("GET", "/tenants/acme/usage"), ("POST", "/tenants/acme/keys")] {
        let reply = service.call(method, path, Value::Null).await;
        assert_eq!((reply.status, reply.kind()), (500, "corrupt-document"), "{method} {path}");
        assert!(reply.body["detail"].as_str().unwrap().contains("acme"));
    }
    let list = service.call("GET", "/tenants", Value::Null).await;
    assert_eq!(list.body["tenants"].as_array().unwrap().len(), 1, "other tenants are listed");

    let etag = format!("\"{}\"", "0".repeat(32));
    assert_eq!(service.call_if_match("DELETE", "/tenants/acme", Some(&etag), Value::Null).await.status, 500);
    assert_eq!(service.call("DELETE", "/tenants/acme", Value::Null).await.status, 204);
    assert_eq!(service.call("GET", "/tenants/acme", Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_recreated_tenant_starts_with_fresh_usage() {
    let mut service = Service::start().await;
    service.tenant("acme", "pro").await;
    let check = json!({ "tenant": "acme", "cost": 7, "lease": "r1" });
    assert_eq!(service.call("POST", "/check", check).await.status, 200);
    assert_eq!(service.call("DELETE", "/tenants/acme", Value::Null).await.status, 204);
    let left: Vec<String> = service.redis(&["KEYS", "*acme*"]);
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test]
async fn every_change_names_the_stale_tenant() {
    let service = Service::start().await;
    let mut key = String::new();
    for (method, path, body, changes) in [
        ("POST", "/tenants", json!({ "id": "acme", "plan": "free" }), true),
        ("POST", "/tenants", json!({ "id": "acme", "plan": "free" }), false),
        ("GET", "/tenants/acme", Value::Null, false),
        ("PUT", "/tenants/acme", json!({ "plan": "pro" }), true),
        ("PATCH", "/tenants/acme", json!({ "status": "suspended" }), true),
        ("POST", "/tenants/acme/keys", json!({}), true),
        ("GET", "/tenants/acme/usage", Value::Null, false),
        ("DELETE", "/tenants/acme/keys/KEY", Value::Null, true),
        ("DELETE", "/tenants/acme", Value::Null, true),
    ] {
        let reply = service.call_if_match(method, &path.replace("KEY", &key), Some("*"), body).await;
        assert_eq!(reply.changed.as_deref(), changes.then_some("acme"), "{method} {path}: {reply:?}");
        key = reply.body["id"].as_str().unwrap_or_default().to_owned();
        if path.ends_with("/usage") {
            let keys = service.call("GET", "/tenants/acme/keys", Value::Null).await;
            keys.body["keys"][0]["id"].as_str().unwrap().clone_into(&mut key);
        }
    }
}
