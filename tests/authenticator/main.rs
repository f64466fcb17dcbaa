//! Whose API keys are, asked of a real Redis: how often it is asked, and what guessing brings.

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

/// Counts the requests to Redis; may be cut.
struct Counted {
    to: HttpTransport,
    posts: Cell<u64>,
    cut: Cell<bool>,
}

impl Transport for Counted {
    async fn post(&self, body: String) -> Result<redis::Response, RedisError> {
        self.posts.set(self.posts.get() + 1);
        if self.cut.get() {
            return Err(RedisError::Unreachable { reason: "cut".to_owned() });
        }
        self.to.post(body).await
    }
}

struct World {
    _server: Server,
    wire: Counted,
    authenticator: Authenticator,
    now: Cell<Millis>,
}

impl World {
    async fn new() -> Self {
        let server = Server::start().await;
        let config = json!({ "default_plan": "p", "tenant_ttl": "30s", "plans": { "p": { "limits": [
            { "name": "l", "algorithm": "sliding_log", "limit": 1, "window": "1s" }
        ] } } });
        let authenticator = Authenticator::new(&Config::from_json(&config.to_string()).unwrap());
        let wire = Counted { to: server.transport(), posts: Cell::new(0), cut: Cell::new(false) };
        World { _server: server, wire, authenticator, now: Cell::new(Millis::from_secs(1_800_000_000)) }
    }

    fn tenants(&self) -> TenantStore<'_, Counted> {
        TenantStore::new(&self.wire, Dialect::Plain)
    }

    fn pass(&self, span: Millis) {
        self.now.set(Millis::new(self.now.get().get() + span.get()));
    }

    /// Asks for a client, and returns how many requests that took.
    async fn ask(&self, key: &ApiKey, client: &str) -> (Result<Authentication, AuthenticationError>, u64) {
        let before = self.wire.posts.get();
        let answer =
            self.authenticator.authenticate(self.tenants(), key, &Subject::named(client), self.now.get()).await;
        (answer, self.wire.posts.get() - before)
    }

    /// Asks, and expects the tenant or a stranger and so many requests.
    async fn expect(&self, key: &ApiKey, known: bool, posts: u64) -> Authentication {
        let (answer, asked) = self.ask(key, "ip:203.0.113.7").await;
        let answer = answer.unwrap();
        assert_eq!((matches!(answer.caller, Caller::Tenant(..)), asked), (known, posts), "{answer:?}");
        answer
    }

    async fn create(&self, keys: &[&ApiKey]) -> Stored {
        match self.tenants().create(&acme(), tenant(keys)).await.unwrap() {
            Create::Created(stored) => stored,
            Create::Exists => panic!("exists"),
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
    let world = World::new().await;
    world.create(&[&key(1)]).await;
    world.expect(&key(1), true, 1).await;
    world.expect(&key(1), true, 0).await;

    world.pass(TTL);
    assert!(world.expect(&key(1), true, 0).await.refresh, "served as it was, and one refreshes it");
    assert!(!world.expect(&key(1), true, 0).await.refresh, "not two");
    world.authenticator.refresh(world.tenants(), &acme(), world.now.get()).await.unwrap();
    world.pass(Millis::new(TTL.get() - 1));
    assert!(!world.expect(&key(1), true, 0).await.refresh);
}

#[tokio::test]
async fn key_rotation_refuses_no_request() {
    let world = World::new().await;
    let old = world.create(&[&key(1)]).await;
    world.expect(&key(1), true, 1).await;
    let both = world.replace(&old, &[&key(1), &key(2)]).await;
    // Many at once, and the document has just been read without the new key.
    let (second, subject) = (key(2), Subject::named("ip:203.0.113.7"));
    let ask = || world.authenticator.authenticate(world.tenants(), &second, &subject, world.now.get());
    for answer in join_all((0..100).map(|_| ask())).await {
        assert!(matches!(answer.unwrap().caller, Caller::Tenant(..)));
    }
    world.expect(&key(2), true, 0).await;
    world.expect(&key(1), true, 0).await;

    world.replace(&both, &[&key(2)]).await;
    world.expect(&key(1), true, 0).await;
    world.pass(TTL);
    world.authenticator.refresh(world.tenants(), &acme(), world.now.get()).await.unwrap();
    world.expect(&key(1), false, 1).await;
    world.expect(&key(1), false, 0).await;
    world.expect(&key(2), true, 0).await;
}

#[tokio::test]
async fn a_busy_client_on_a_new_isolate_is_not_limited() {
    let world = World::new().await;
    world.create(&[&key(1)]).await;
    let (first, subject) = (key(1), Subject::named("ip:203.0.113.7"));
    let ask = || world.authenticator.authenticate(world.tenants(), &first, &subject, world.now.get());
    for answer in join_all((0..150).map(|_| ask())).await {
        assert!(matches!(answer.unwrap().caller, Caller::Tenant(..)));
    }
}

#[tokio::test]
async fn a_revoked_key_fails_after_an_idle_period() {
    let world = World::new().await;
    let old = world.create(&[&key(1)]).await;
    world.expect(&key(1), true, 1).await;
    world.replace(&old, &[&key(2)]).await;
    world.pass(Millis::new(2 * TTL.get()));
    world.expect(&key(1), false, 1).await;
}

#[tokio::test]
async fn a_tenant_created_later_gets_its_key_accepted() {
    let world = World::new().await;
    world.expect(&key(1), false, 1).await;
    world.expect(&key(1), false, 0).await;
    world.create(&[&key(2)]).await;
    world.expect(&key(2), true, 1).await;
}

#[tokio::test]
async fn a_thousand_wrong_keys_cost_few_requests() {
    let world = World::new().await;
    world.create(&[&key(0)]).await;
    world.expect(&key(0), true, 1).await;
    let before = world.wire.posts.get();
    for number in 0..1000_u16 {
        world.pass(Millis::new(1));
        let [high, low] = number.to_be_bytes();
        let mut random = [9; 20];
        random[..2].copy_from_slice(&[high, low]);
        let _ = world.ask(&ApiKey::generate(&acme(), random), "ip:198.51.100.1").await;
    }
    assert!(world.wire.posts.get() - before < 50, "{}", world.wire.posts.get() - before);
    world.expect(&key(0), true, 0).await;
}

#[tokio::test]
async fn guessing_tenants_limits_only_the_guesser() {
    let world = World::new().await;
    world.create(&[&key(0)]).await;
    let mut held_up = 0;
    for number in 0..1000 {
        world.pass(Millis::new(1));
        let guess = ApiKey::generate(&TenantId::new(&format!("t{number}")).unwrap(), [1; 20]);
        let (answer, posts) = world.ask(&guess, "ip:198.51.100.1").await;
        if let Err(AuthenticationError::TooManyGuesses(wait)) = answer {
            assert!(posts == 0 && wait > Millis::ZERO);
            held_up += 1;
        }
    }
    assert!(world.wire.posts.get() < 50 && held_up > 950, "{} requests, {held_up}", world.wire.posts.get());
    world.expect(&key(0), true, 1).await;
    let (answer, posts) = world.ask(&key(0), "ip:198.51.100.1").await;
    assert!(matches!(answer.unwrap().caller, Caller::Tenant(..)) && posts == 0, "a key that is known is no guess");
}

#[tokio::test]
async fn a_cached_tenant_survives_an_outage() {
    let world = World::new().await;
    world.create(&[&key(1)]).await;
    world.expect(&key(1), true, 1).await;
    world.wire.cut.set(true);
    world.pass(Millis::from_secs(3600));
    world.expect(&key(1), true, 1).await;
    world.expect(&key(1), true, 0).await;
    world.pass(Millis::from_secs(5));
    world.expect(&key(1), true, 1).await;
    let stranger = ApiKey::generate(&TenantId::new("other").unwrap(), [1; 20]);
    let (answer, _) = world.ask(&stranger, "ip:203.0.113.7").await;
    assert!(matches!(answer, Err(AuthenticationError::Store(_))), "unknown is not refused: nobody can tell");
}
