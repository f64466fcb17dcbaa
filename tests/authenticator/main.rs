//! The authenticator with a real Redis: API keys, the tenant cache, its requests to Redis, and limits on guessing.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "../lock/server.rs"]
mod server;

use std::cell::Cell;

use futures_util::future::join_all;
use serde_json::json;
use server::Server;
use sluicegate::config::Config;
use sluicegate::limit::Subject;
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{self, HttpTransport, RedisError, Transport};
use sluicegate::tenant::authenticator::{Authentication, AuthenticationError, Authenticator};
use sluicegate::tenant::store::{Create, Replace, Stored, TenantStore};
use sluicegate::tenant::{ApiKey, Caller, KeyRecord, Settings, Tenant, TenantId};
use sluicegate::time::{Millis, Timestamp};

/// A transport that counts requests and can be disconnected.
struct CountingTransport {
    inner: HttpTransport,
    requests: Cell<u64>,
    disconnected: Cell<bool>,
}

impl Transport for CountingTransport {
    async fn post(&self, body: String) -> Result<redis::Response, RedisError> {
        self.requests.set(self.requests.get() + 1);
        if self.disconnected.get() {
            return Err(RedisError::Unreachable { reason: "disconnected".to_owned() });
        }
        self.inner.post(body).await
    }
}

struct Fixture {
    _server: Server,
    transport: CountingTransport,
    authenticator: Authenticator,
    now: Cell<Millis>,
}

impl Fixture {
    async fn new() -> Self {
        let server = Server::start().await;
        let config = json!({ "default_plan": "p", "tenant_ttl": "30s", "plans": { "p": { "limits": [
            { "name": "l", "algorithm": "sliding_log", "limit": 1, "window": "1s" }
        ] } } });
        let authenticator = Authenticator::new(&Config::from_json(&config.to_string()).unwrap());
        let transport =
            CountingTransport { inner: server.transport(), requests: Cell::new(0), disconnected: Cell::new(false) };
        Fixture { _server: server, transport, authenticator, now: Cell::new(Millis::from_secs(1_800_000_000)) }
    }

    fn tenants(&self) -> TenantStore<'_, CountingTransport> {
        TenantStore::new(&self.transport, Dialect::Plain)
    }

    fn advance(&self, span: Millis) {
        self.now.set(Millis::new(self.now.get().get() + span.get()));
    }

    /// Authenticates a key for a client, and returns the result and the number of requests to Redis.
    async fn authenticate(&self, key: &ApiKey, client: &str) -> (Result<Authentication, AuthenticationError>, u64) {
        let before = self.transport.requests.get();
        let result =
            self.authenticator.authenticate(self.tenants(), key, &Subject::named(client), self.now.get()).await;
        (result, self.transport.requests.get() - before)
    }

    /// Authenticates a key, and checks whether it is accepted and how many requests that sends to Redis.
    async fn expect(&self, key: &ApiKey, accepted: bool, requests: u64) -> Authentication {
        let (result, sent) = self.authenticate(key, "ip:203.0.113.7").await;
        let authentication = result.unwrap();
        assert_eq!(
            (matches!(authentication.caller, Caller::Tenant(..)), sent),
            (accepted, requests),
            "{authentication:?}"
        );
        authentication
    }

    async fn create(&self, keys: &[&ApiKey]) -> Stored {
        match self.tenants().create(&acme(), tenant(keys)).await.unwrap() {
            Create::Created(stored) => stored,
            Create::Exists => panic!("the tenant already exists"),
        }
    }

    async fn replace(&self, old: &Stored, keys: &[&ApiKey]) -> Stored {
        match self.tenants().replace(old.version(), tenant(keys)).await.unwrap() {
            Replace::Replaced(stored) => stored,
            Replace::Lost { found } => panic!("lost to {found:?}"),
        }
    }
}

fn acme() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn key(number: u8) -> ApiKey {
    ApiKey::generate(&acme(), [number; 20])
}

fn tenant(keys: &[&ApiKey]) -> Tenant {
    let created = Timestamp::new(Millis::from_secs(1_700_000_000));
    keys.iter().fold(Tenant::new(Settings::new("p")).unwrap(), |tenant, key| {
        tenant.with_key(KeyRecord::new(key, created, None)).unwrap()
    })
}

const TTL: Millis = Millis::from_secs(30);

#[tokio::test]
async fn a_tenant_is_read_once_and_cached() {
    let fixture = Fixture::new().await;
    fixture.create(&[&key(1)]).await;
    fixture.expect(&key(1), true, 1).await;
    fixture.expect(&key(1), true, 0).await;

    fixture.advance(TTL);
    assert!(
        fixture.expect(&key(1), true, 0).await.refresh,
        "the cached tenant is served, and one request refreshes it"
    );
    assert!(!fixture.expect(&key(1), true, 0).await.refresh, "only one request refreshes it");
    fixture.authenticator.refresh(fixture.tenants(), &acme(), fixture.now.get()).await.unwrap();
    fixture.advance(Millis::new(TTL.get() - 1));
    assert!(!fixture.expect(&key(1), true, 0).await.refresh);
}

#[tokio::test]
async fn a_tenant_without_a_key_comes_from_the_same_cache() {
    let fixture = Fixture::new().await;
    let read = async || {
        let before = fixture.transport.requests.get();
        let read = fixture.authenticator.tenant(fixture.tenants(), &acme(), fixture.now.get()).await;
        let read = read.map(|(tenant, refresh)| (tenant.is_some(), refresh));
        (read.map_err(|error| error.to_string()), fixture.transport.requests.get() - before)
    };
    assert_eq!(read().await, (Ok((false, false)), 1));
    assert_eq!(read().await, (Ok((false, false)), 0), "that there is none is cached, too");
    fixture.create(&[&key(1)]).await;
    fixture.expect(&key(1), true, 1).await;
    assert_eq!(read().await, (Ok((true, false)), 0));
    fixture.advance(TTL);
    assert_eq!(read().await, (Ok((true, true)), 0), "stale: one caller refreshes it");
    assert_eq!(read().await, (Ok((true, false)), 0));
    fixture.advance(TTL);
    fixture.transport.disconnected.set(true);
    assert_eq!(read().await, (Ok((true, false)), 1), "an expired document is better than an error");
    fixture.authenticator.forget(&acme());
    assert!(read().await.0.unwrap_err().contains("disconnected"));
}

#[tokio::test]
async fn key_rotation_refuses_no_request() {
    let fixture = Fixture::new().await;
    let old = fixture.create(&[&key(1)]).await;
    fixture.expect(&key(1), true, 1).await;
    let both = fixture.replace(&old, &[&key(1), &key(2)]).await;
    // Many calls at once, just after the document was read without the new key.
    let (second, subject) = (key(2), Subject::named("ip:203.0.113.7"));
    let authenticate = || fixture.authenticator.authenticate(fixture.tenants(), &second, &subject, fixture.now.get());
    for result in join_all((0..100).map(|_| authenticate())).await {
        assert!(matches!(result.unwrap().caller, Caller::Tenant(..)));
    }
    fixture.expect(&key(2), true, 0).await;
    fixture.expect(&key(1), true, 0).await;

    fixture.replace(&both, &[&key(2)]).await;
    fixture.expect(&key(1), true, 0).await;
    fixture.advance(TTL);
    fixture.authenticator.refresh(fixture.tenants(), &acme(), fixture.now.get()).await.unwrap();
    fixture.expect(&key(1), false, 1).await;
    fixture.expect(&key(1), false, 0).await;
    fixture.expect(&key(2), true, 0).await;
}

#[tokio::test]
async fn a_busy_client_on_a_new_isolate_is_not_limited() {
    let fixture = Fixture::new().await;
    fixture.create(&[&key(1)]).await;
    let (first, subject) = (key(1), Subject::named("ip:203.0.113.7"));
    let authenticate = || fixture.authenticator.authenticate(fixture.tenants(), &first, &subject, fixture.now.get());
    for result in join_all((0..150).map(|_| authenticate())).await {
        assert!(matches!(result.unwrap().caller, Caller::Tenant(..)));
    }
}

#[tokio::test]
async fn a_revoked_key_fails_after_an_idle_period() {
    let fixture = Fixture::new().await;
    let old = fixture.create(&[&key(1)]).await;
    fixture.expect(&key(1), true, 1).await;
    fixture.replace(&old, &[&key(2)]).await;
    fixture.advance(Millis::new(2 * TTL.get()));
    fixture.expect(&key(1), false, 1).await;
}

#[tokio::test]
async fn a_tenant_created_later_gets_its_key_accepted() {
    let fixture = Fixture::new().await;
    fixture.expect(&key(1), false, 1).await;
    fixture.expect(&key(1), false, 0).await;
    fixture.create(&[&key(2)]).await;
    fixture.expect(&key(2), true, 1).await;
}

#[tokio::test]
async fn a_thousand_wrong_keys_cost_few_requests() {
    let fixture = Fixture::new().await;
    fixture.create(&[&key(0)]).await;
    fixture.expect(&key(0), true, 1).await;
    let before = fixture.transport.requests.get();
    for number in 0..1000_u16 {
        fixture.advance(Millis::new(1));
        let [high, low] = number.to_be_bytes();
        let mut random = [9; 20];
        random[..2].copy_from_slice(&[high, low]);
        let _ = fixture.authenticate(&ApiKey::generate(&acme(), random), "ip:198.51.100.1").await;
    }
    assert!(fixture.transport.requests.get() - before < 50, "{}", fixture.transport.requests.get() - before);
    fixture.expect(&key(0), true, 0).await;
}

#[tokio::test]
async fn guessing_tenants_limits_only_the_guesser() {
    let fixture = Fixture::new().await;
    fixture.create(&[&key(0)]).await;
    let mut limited = 0;
    for number in 0..1000 {
        fixture.advance(Millis::new(1));
        let guess = ApiKey::generate(&TenantId::new(&format!("t{number}")).unwrap(), [1; 20]);
        let (result, requests) = fixture.authenticate(&guess, "ip:198.51.100.1").await;
        if let Err(AuthenticationError::TooManyGuesses(wait)) = result {
            assert!(requests == 0 && wait > Millis::ZERO);
            limited += 1;
        }
    }
    assert!(
        fixture.transport.requests.get() < 50 && limited > 950,
        "{} requests, {limited} guesses limited",
        fixture.transport.requests.get()
    );
    fixture.expect(&key(0), true, 1).await;
    let (result, requests) = fixture.authenticate(&key(0), "ip:198.51.100.1").await;
    assert!(
        matches!(result.unwrap().caller, Caller::Tenant(..)) && requests == 0,
        "a cached key does not count as a guess"
    );
}

#[tokio::test]
async fn a_cached_tenant_survives_an_outage() {
    let fixture = Fixture::new().await;
    fixture.create(&[&key(1)]).await;
    fixture.expect(&key(1), true, 1).await;
    fixture.transport.disconnected.set(true);
    fixture.advance(Millis::from_secs(3600));
    fixture.expect(&key(1), true, 1).await;
    fixture.expect(&key(1), true, 0).await;
    fixture.advance(Millis::from_secs(5));
    fixture.expect(&key(1), true, 1).await;
    let other = ApiKey::generate(&TenantId::new("other").unwrap(), [1; 20]);
    let (result, _) = fixture.authenticate(&other, "ip:203.0.113.7").await;
    assert!(
        matches!(result, Err(AuthenticationError::Store(_))),
        "a tenant that cannot be read is an error, not a refusal"
    );
}
