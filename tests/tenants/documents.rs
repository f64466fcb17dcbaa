//! Creating, reading, replacing and deleting one document.

use sluicegate::redis::script::Dialect;
use sluicegate::tenant::store::{Create, Delete, Replace, TenantStore};

use crate::server::Server;
use crate::{INDEX, create, delete, id, key, replace, tenant, tenants};

#[tokio::test]
async fn a_tenant_is_created_and_deleted_in_both_dialects() {
    let mut server = Server::start().await;
    let transport = server.transport();
    for dialect in [Dialect::Plain, Dialect::KeyLocking] {
        let tenants = TenantStore::new(&transport, dialect);
        assert_eq!(tenants.get(&id("acme")).await.unwrap(), None);
        let first = create(tenants, "acme", "free").await;
        assert_eq!((first.id.as_str(), first.tenant.plan()), ("acme", "free"));
        assert_eq!(tenants.get(&id("acme")).await.unwrap(), Some(first.clone()));
        assert_eq!(tenants.create(&id("acme"), tenant("pro")).await.unwrap(), Create::Exists);
        assert_eq!(tenants.get(&id("acme")).await.unwrap(), Some(first.clone()), "the document is unchanged");

        let second = replace(tenants, &first, "pro").await;
        assert_eq!(tenants.get(&id("acme")).await.unwrap(), Some(second.clone()));
        assert_ne!(first.etag(), second.etag());
        let lost = tenants.replace(first.version(), tenant("huge")).await.unwrap();
        assert_eq!(lost, Replace::Lost { found: Some(second.clone()) });
        let lost = tenants.delete(first.version()).await.unwrap();
        assert_eq!(lost, Delete::Lost { found: Some(second.clone()) });
        assert_eq!(tenants.get(&id("acme")).await.unwrap(), Some(second.clone()), "the document is unchanged");

        delete(tenants, &second).await;
        assert_eq!(tenants.get(&id("acme")).await.unwrap(), None);
        assert_eq!(tenants.delete(second.version()).await.unwrap(), Delete::Lost { found: None });
        assert_eq!(tenants.replace(second.version(), tenant("pro")).await.unwrap(), Replace::Lost { found: None });
        assert!(server.dump().is_empty(), "no key is left");
    }
}

#[tokio::test]
async fn keys_have_the_documented_form_and_never_expire() {
    let mut server = Server::start().await;
    let transport = server.transport();
    let stored = create(tenants(&transport), "acme-2.eu", "free").await;
    let stored = replace(tenants(&transport), &stored, "pro").await;
    let keys: Vec<_> = server.dump().into_iter().map(|(key, _, expires)| (key, expires)).collect();
    assert_eq!(keys, [(INDEX.to_owned(), false), (key("acme-2.eu"), false)]);
    let text: String = server.run(&["GET", "sg:1:{acme-2.eu}:tenant"]);
    assert_eq!(text, stored.tenant.to_text());
    assert_eq!(stored.etag(), sluicegate::tenant::etag(&text));
}

#[tokio::test]
async fn foreign_json_is_compared_byte_for_byte() {
    let mut server = Server::start().await;
    let transport = server.transport();
    let tenants = tenants(&transport);
    server.run::<()>(&["SET", &key("acme"), "{ \"plan\": \"free\",\n  \"v\": 1 }\n"]);
    let stored = tenants.get(&id("acme")).await.unwrap().unwrap();
    assert_eq!(stored.tenant, tenant("free"));
    let stored = replace(tenants, &stored, "pro").await;
    delete(tenants, &stored).await;
}

#[tokio::test]
async fn several_tenants_are_read_in_order() {
    let server = Server::start().await;
    let transport = server.transport();
    let tenants = tenants(&transport);
    assert_eq!(tenants.get_many(&[]).await.unwrap(), []);
    let a = create(tenants, "a", "free").await;
    let b = create(tenants, "b", "pro").await;
    let found = tenants.get_many(&[id("b"), id("missing"), id("a"), id("b")]).await.unwrap();
    assert_eq!(found, [Ok(Some(b.clone())), Ok(None), Ok(Some(a)), Ok(Some(b))]);
}
