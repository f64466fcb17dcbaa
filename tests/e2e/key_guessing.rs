//! Guessing API keys puts no load on Redis.

use futures_util::{StreamExt, stream};
use sluicegate::tenant::{ApiKey, TenantId};
use sluicegate_devstack::Stack;
use tokio::time::Instant;

use crate::api::tenant_with_key;
use crate::support::{ADDRESS, client, get_as, get_from, problem, status, trips};

/// A well-formed key with a correct checksum that belongs to no tenant.
fn guess(tenant: &str, i: u32) -> String {
    let mut random = [9; 20];
    random[..4].copy_from_slice(&i.to_be_bytes());
    ApiKey::generate(&TenantId::new(tenant).unwrap(), random).reveal().to_owned()
}

/// Sends a thousand guesses concurrently. Returns the count of each status and the number of requests to Redis.
async fn a_thousand(stack: &Stack, address: &str, path: &str, tenant: impl Fn(u32) -> String) -> ([usize; 3], u64) {
    let (client, before) = (client(), trips(stack).await);
    let url = format!("{}{path}", stack.worker.url());
    let requests = (0..1000).map(|i| {
        let key = guess(&tenant(i), i);
        status(client.get(&url).header(ADDRESS, address).bearer_auth(key))
    });
    let statuses: Vec<u16> = stream::iter(requests).buffer_unordered(AT_ONCE).collect().await;
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    let counts = [200, 401, 429].map(count);
    assert_eq!(counts.iter().sum::<usize>(), 1000, "{statuses:?}");
    (counts, trips(stack).await - before)
}

pub(crate) async fn of_tenants_that_are_none(stack: &Stack) {
    let customer = tenant_with_key(stack, "customer", "wide").await;
    let reached = stack.origin.requests();
    let ([passed, unknown, held_up], asked) =
        a_thousand(stack, "198.51.100.50", "/private/x", |i| format!("nobody-{i}")).await;
    assert_eq!(passed, 0);
    assert!((30..60).contains(&unknown) && held_up > 900, "{unknown} unknown, {held_up} held up");
    assert!((30..60).contains(&asked), "Redis was asked {asked} times");
    assert_eq!(stack.origin.requests(), reached);
    let guess = guess("nobody", 1);
    let refused = get_from(stack, "198.51.100.50", "/private/x").bearer_auth(&guess);
    assert_eq!(problem(refused, 429).await, "too-many-unknown-keys");
    // Other clients are not affected.
    let elsewhere = get_from(stack, "198.51.100.51", "/private/x").bearer_auth(&guess);
    assert_eq!(problem(elsewhere, 401).await, "unknown-key");
    assert_eq!(status(get_as(stack, &customer, "/private/x")).await, 200);
    // On routes that need no key, the address is charged.
    let ([passed, _, held_up], asked) = a_thousand(stack, "198.51.100.52", "/x", |i| format!("none-{i}")).await;
    assert!(passed == 5 && held_up == 995, "{passed} passed, {held_up} held up");
    assert!(asked < 120, "Redis was asked {asked} times");
}

pub(crate) async fn of_the_keys_of_one(stack: &Stack) {
    let key = tenant_with_key(stack, "victim", "wide").await;
    assert_eq!(status(get_as(stack, &key, "/private/x")).await, 200);
    let begun = Instant::now();
    let ([passed, unknown, held_up], asked) =
        a_thousand(stack, "198.51.100.53", "/private/x", |_| "victim".to_owned()).await;
    assert_eq!(passed, 0);
    // 30 guesses, and one more every 2 s. A guess counts when Redis has replied: the others in flight may still ask.
    let most = 30 + (AT_ONCE as u64 - 1) + begun.elapsed().as_secs() / 2 + 1;
    assert!(unknown + held_up == 1000 && asked <= most, "Redis was asked {asked} times, at most {most}");
    assert_eq!(status(get_as(stack, &key, "/private/x")).await, 200, "the victim is not shut out");
}

/// How many guesses are in flight at a time.
const AT_ONCE: usize = 32;
