//! Invalid documents: the error names the tenant and the problem, and never reports a missing tenant.

use sluicegate::redis::RedisError;
use sluicegate::tenant::store::{Delete, Replace, StoreError};

use crate::server::Server;
use crate::{INDEX, create, id, key, tenant, tenants};

#[tokio::test]
async fn garbage_names_the_tenant_and_the_field() {
    let mut server = Server::start().await;
    let transport = server.transport();
    let tenants = tenants(&transport);
    for (text, problem) in [
        ("", "is not JSON: EOF while parsing a value at line 1 column 0"),
        ("\0\u{1f512}", "is not JSON: expected value at line 1 column 1"),
        ("42", "expected an object, found 42"),
        (r#"{"v":1}"#, "plan: is missing"),
        (r#"{"v":2,"plan":"pro"}"#, "v: expected 1, found 2"),
        (
            r#"{"v":1,"plan":"pro","overrides":{"day":{"limit":"5000"}}}"#,
            "overrides.day.limit: expected a whole number from 1 to 9007199254740991, found a text",
        ),
        (
            r#"{"v":1,"plan":"pro","key":[]}"#,
            "key: unknown field (did you mean \"keys\"? known: v, keys, plan, status, overrides, metadata)",
        ),
    ] {
        server.run::<()>(&["SET", &key("acme"), text]);
        let message = format!("the document of tenant acme cannot be read: {problem}");
        let error = tenants.get(&id("acme")).await.unwrap_err();
        assert_eq!(error.to_string(), message);
        let StoreError::Unreadable(unreadable) = error else { panic!("{error:?}") };

        let other = create(tenants, "other", "pro").await;
        let found = tenants.get_many(&[id("acme"), id("other")]).await.unwrap();
        assert_eq!(found, [Err(unreadable.clone()), Ok(Some(other.clone()))], "other tenants are still read");
        assert_eq!(tenants.delete(other.version()).await.unwrap(), Delete::Deleted);

        // An invalid document can be replaced and deleted.
        let replaced = tenants.replace(unreadable.version(), tenant("pro")).await.unwrap();
        let Replace::Replaced(replaced) = replaced else { panic!("{replaced:?}") };
        server.run::<()>(&["SET", &key("acme"), text]);
        for error in [
            tenants.replace(replaced.version(), tenant("pro")).await.unwrap_err(),
            tenants.delete(replaced.version()).await.unwrap_err(),
        ] {
            assert_eq!(error.to_string(), message, "the error reports the invalid document");
        }
        assert_eq!(tenants.delete(unreadable.version()).await.unwrap(), Delete::Deleted);
        assert!(server.dump().is_empty());
    }
}

#[tokio::test]
async fn another_redis_type_is_reported() {
    let mut server = Server::start().await;
    let transport = server.transport();
    server.run::<()>(&["RPUSH", &key("acme"), "a"]);
    let error = tenants(&transport).get(&id("acme")).await.unwrap_err();
    assert_eq!(error.to_string(), "the document of tenant acme cannot be read: is not a string in redis");
    let error = tenants(&transport).create(&id("acme"), tenant("pro")).await.unwrap_err();
    assert!(matches!(&error, RedisError::Command { reason } if reason.contains("WRONGTYPE")), "{error}");
}

#[tokio::test]
async fn an_invalid_index_member_is_named() {
    let mut server = Server::start().await;
    let transport = server.transport();
    create(tenants(&transport), "acme", "pro").await;
    server.run::<()>(&["ZADD", INDEX, "0", "No Tenant"]);
    let error = tenants(&transport).list(None, 10).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the index of tenants (sg:1:tenants) has a member that is not a tenant id: \"No Tenant\" (remove it with ZREM)"
    );
}

#[tokio::test]
async fn an_outage_is_an_error_everywhere() {
    let server = Server::start().await;
    let transport = server.transport();
    let stored = create(tenants(&transport), "acme", "pro").await;
    drop(server);
    let tenants = tenants(&transport);
    let redis = |error: StoreError| matches!(error, StoreError::Redis(_));
    assert!(redis(tenants.get(&id("acme")).await.unwrap_err()));
    assert!(redis(tenants.list(None, 10).await.unwrap_err()));
    assert!(redis(tenants.replace(stored.version(), tenant("pro")).await.unwrap_err()));
    assert!(redis(tenants.delete(stored.version()).await.unwrap_err()));
    assert!(tenants.create(&id("other"), tenant("pro")).await.is_err());
    assert!(tenants.get_many(&[id("acme")]).await.is_err());
}
