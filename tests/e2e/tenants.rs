//! Tenants: created by the API, identified by their keys, limited by their plans.

use serde_json::{Value, json};
use sluicegate_devstack::Stack;

use crate::api::{create_key, patch, revoke_key, tenant_with_key};
use crate::direct_redis::{Inside, now};
use crate::log;
use crate::support::{body, echoed, get, get_as, get_from, header, plenty, problem, stack, status, trips, until};
use crate::{key_guessing, overrides, races, rotation};

pub(crate) fn configuration() -> Value {
    let mut config = plenty();
    config["identify"] = json!(["api_key", "address"]);
    config["plans"]["p"]["limits"] =
        json!([{ "name": "anonymous", "algorithm": "sliding_log", "limit": 5, "window": "1h" }]);
    config["plans"]["three"] =
        json!({ "limits": [{ "name": "hour", "algorithm": "sliding_log", "limit": 3, "window": "1h" }] });
    config["plans"]["wide"] =
        json!({ "limits": [{ "name": "wide", "algorithm": "token_bucket", "limit": 1_000_000, "window": "1h" }] });
    config["routes"] = json!([{ "match": "* /private/*", "require_key": true }]);
    config
}

/// All tests share one stack; each has its own tenants and addresses.
#[tokio::test(flavor = "multi_thread")]
async fn tenants_follow_their_documents() {
    let stack = stack(configuration()).await;
    let inside = Inside::of(&stack, &configuration()).await;
    let key = in_three_steps(&stack).await;
    suspended(&stack).await;
    without_a_good_key(&stack).await;
    keys_end(&stack).await;
    round_trips(&stack, &inside).await;
    made_elsewhere(&stack, &inside).await;
    races::fifty_writers(&stack).await;
    races::ten_counters(&stack).await;
    overrides::at_once(&stack).await;
    overrides::that_ends(&stack).await;
    rotation::without_a_refused_request(&stack).await;
    rotation::to_a_cold_isolate(&stack, &inside).await;
    rotation::from_elsewhere(&stack, &inside).await;
    key_guessing::of_tenants_that_are_none(&stack).await;
    key_guessing::of_the_keys_of_one(&stack).await;
    log::expect_no_secrets(&stack, &[&key]);
    assert!(log::lines(&stack).iter().all(|line| line["event"] != "passed"), "who passes is not logged");
    stack.stop().await;
}

async fn in_three_steps(stack: &Stack) -> String {
    let key = tenant_with_key(stack, "acme", "three").await;
    let first = get_as(stack, &key, "/hello").header("sluicegate-tenant", "root").send().await.unwrap();
    assert_eq!(header(&first, "ratelimit-policy"), "\"hour\";q=3;w=3600");
    assert_eq!(header(&first, "ratelimit"), "\"hour\";r=2;t=3600");
    assert_eq!(echoed(&body(first).await, "sluicegate-tenant"), ["acme"]);
    let second = get_from(stack, "198.51.100.1", "/hello").header("x-api-key", &key).send().await.unwrap();
    assert!(header(&second, "ratelimit").starts_with("\"hour\";r=1;"), "the quota is the tenant's, wherever it is");
    assert_eq!(echoed(&body(second).await, "sluicegate-tenant"), ["acme"]);
    assert_eq!(status(get_as(stack, &key, "/private/x")).await, 200);
    let reached = stack.origin.requests();
    assert_eq!(problem(get_as(stack, &key, "/hello"), 429).await, "quota-exceeded");
    assert_eq!(stack.origin.requests(), reached);

    let line = log::wait_for(stack, "\"tenant\":\"acme\"").await;
    let retry = line["retry_ms"].as_u64().unwrap();
    assert!((3_000_000..=3_600_000).contains(&retry), "{line}");
    assert!(line["limiter_ms"].is_u64(), "{line}");
    let expected = json!({ "event": "refused", "count": 1, "status": 429, "verdict": "deny", "problem": "quota-exceeded",
        "limits": ["hour"], "limit": "hour", "plan": "three", "by": "redis", "cost": 1, "subject": "acme", "tenant": "acme",
        "method": "GET", "path": "/hello", "retry_ms": retry, "limiter_ms": line["limiter_ms"] });
    assert_eq!(line, expected);
    key
}

async fn suspended(stack: &Stack) {
    let key = tenant_with_key(stack, "late-payer", "three").await;
    assert_eq!(status(get_as(stack, &key, "/x")).await, 200);
    patch(stack, "late-payer", json!({ "status": "suspended" })).await;
    let reached = stack.origin.requests();
    assert_eq!(problem(get_as(stack, &key, "/x"), 403).await, "tenant-suspended");
    assert_eq!(problem(get_as(stack, &key, "/private/x"), 403).await, "tenant-suspended");
    assert_eq!(stack.origin.requests(), reached);
    patch(stack, "late-payer", json!({ "status": "active" })).await;
    let answer = get_as(stack, &key, "/x").send().await.unwrap();
    assert!(header(&answer, "ratelimit").starts_with("\"hour\";r=1;"), "who was suspended was not charged");
}

async fn without_a_good_key(stack: &Stack) {
    let good = tenant_with_key(stack, "good", "three").await;
    let stranger = good.replace("sgk_good_", "sgk_bad_");
    let (start, last) = good.split_at(good.len() - 1);
    let typo = format!("{start}{}", if last == "x" { "y" } else { "x" });
    let reached = stack.origin.requests();
    assert_eq!(problem(get_from(stack, "198.51.100.2", "/private/x"), 401).await, "key-required");
    for wrong in [&typo, &stranger, "sgk_good_", "sgk_"] {
        for header in ["authorization", "x-api-key"] {
            let value = if header == "authorization" { format!("Bearer {wrong}") } else { wrong.to_owned() };
            let request = get_from(stack, "198.51.100.2", "/private/x").header(header, value);
            assert_eq!(problem(request, 401).await, "unknown-key", "{header}: {wrong}");
        }
    }
    let challenge = get_from(stack, "198.51.100.2", "/private/x").bearer_auth(&typo).send().await.unwrap();
    assert_eq!(header(&challenge, "www-authenticate"), "Bearer error=\"invalid_token\"");
    assert_eq!(stack.origin.requests(), reached);
    // On other routes a wrong key counts as none: the address is charged, and the origin gets no tenant.
    for (left, wrong) in [(4, typo.as_str()), (3, &stranger), (2, "of the origin's own")] {
        let answer = get_from(stack, "198.51.100.2", "/x").bearer_auth(wrong).send().await.unwrap();
        assert!(header(&answer, "ratelimit").starts_with(&format!("\"anonymous\";r={left};")), "{wrong}");
        assert!(echoed(&body(answer).await, "sluicegate-tenant").is_empty());
    }
}

async fn keys_end(stack: &Stack) {
    tenant_with_key(stack, "keyring", "wide").await;
    let (id, revoked) = create_key(stack, "keyring", json!({})).await;
    let soon = now().get() + 1500;
    let until_then = sluicegate::time::Timestamp::new(sluicegate::time::Millis::new(soon)).to_string();
    let (_, expiring) = create_key(stack, "keyring", json!({ "expires": until_then })).await;
    assert_eq!(status(get_as(stack, &expiring, "/private/x")).await, 200);
    assert_eq!(status(get_as(stack, &revoked, "/private/x")).await, 200);
    revoke_key(stack, "keyring", &id).await;
    assert_eq!(problem(get_as(stack, &revoked, "/private/x"), 401).await, "unknown-key");
    loop {
        let asked = now().get();
        let status = status(get_as(stack, &expiring, "/private/x")).await;
        let answered = now().get();
        match status {
            200 => assert!(asked < soon, "{} ms too late", asked - soon),
            401 => {
                assert!(answered >= soon, "{} ms too early", soon - answered);
                break;
            }
            other => panic!("{other}"),
        }
    }
}

async fn round_trips(stack: &Stack, inside: &Inside) {
    let key = tenant_with_key(stack, "counted", "wide").await;
    // The scripts are loaded, so the count is what each request needs.
    assert_eq!(status(get(stack, "/x")).await, 200);
    for (what, expected, request) in [
        ("cold", 2, get_as(stack, &key, "/x")),
        ("warm", 1, get_as(stack, &key, "/x")),
        ("warm, where a key is required", 1, get_as(stack, &key, "/private/x")),
        ("nobody's", 1, get(stack, "/x")),
        ("a typing error", 0, get_as(stack, &key[..key.len() - 1], "/private/x")),
        ("no key", 0, get(stack, "/private/x")),
    ] {
        let before = trips(stack).await;
        status(request).await;
        assert_eq!(trips(stack).await - before, expected, "{what}");
    }
    let (before, commands) = (trips(stack).await, inside.redis::<String>(&["INFO", "commandstats"]));
    assert!(commands.contains("cmdstat_evalsha"), "{commands}");
    for _ in 0..50 {
        assert_eq!(status(get_as(stack, &key, "/x")).await, 200);
    }
    assert_eq!(trips(stack).await - before, 50);
}

/// A change in another isolate takes effect here, too, without a restart.
async fn made_elsewhere(stack: &Stack, inside: &Inside) {
    inside.elsewhere("POST", "/tenants", &json!({ "id": "far", "plan": "three" })).await;
    let key = inside.elsewhere("POST", "/tenants/far/keys", &json!({})).await["key"].as_str().unwrap().to_owned();
    until("the key is known", async || status(get_as(stack, &key, "/private/x")).await == 200).await;
}
