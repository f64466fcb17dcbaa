//! Redis is down: each route applies its outage policy, for cached tenants and for everybody else. Stale documents are
//! used until newer ones are read.

use serde_json::{Value, json};
use sluicegate_devstack::{Options, Stack};

use crate::api::{create_key, create_tenant, patch, tenant_with_key};
use crate::direct_redis::Inside;
use crate::log;
use crate::support::{body, echoed, get, get_as, get_from, header, plenty, problem, status, trips, until};

fn configuration() -> Value {
    let hour =
        |name: &str, limit: u64| json!({ "name": name, "algorithm": "sliding_log", "limit": limit, "window": "1h" });
    let mut config = plenty();
    config["identify"] = json!(["api_key", "address"]);
    config["timeout"] = json!("5s");
    config["tenant_ttl"] = json!("1ms");
    config["log_allowed_one_in"] = json!(3);
    config["plans"]["two"] = json!({ "limits": [hour("two", 2)] });
    config["plans"]["many"] = json!({ "limits": [hour("many", 1000)] });
    config["routes"] = json!([
        { "match": "* /open/*", "on_outage": "open" },
        { "match": "* /local/*", "on_outage": "local", "limits": [hour("locally", 3)] },
        { "match": "* /resort/*", "on_outage": "local" },
        { "match": "* /shadow/*", "on_outage": "local", "shadow": true, "limits": [hour("dim", 1)] },
        { "match": "* /members/*", "on_outage": "local", "require_key": true },
        { "match": "* /free/*", "exempt": true },
    ]);
    config
}

/// With the optional bindings of a deployment.
async fn start() -> Stack {
    let last_resort =
        json!([{ "name": "LAST_RESORT", "namespace_id": "1001", "simple": { "limit": 8, "period": 60 } }]);
    let analytics = json!([{ "binding": "ANALYTICS", "dataset": "sluicegate" }]);
    let configuration =
        vec![("ratelimits".to_owned(), last_resort), ("analytics_engine_datasets".to_owned(), analytics)];
    let options = Options { sluicegate: Some(self::configuration()), configuration, ..Options::default() };
    Stack::start(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_choose_their_outage_policy() {
    let mut stack = start().await;
    let inside = Inside::of(&stack, &configuration()).await;
    old_documents(&stack, &inside).await;
    one_in_three_is_logged(&stack).await;

    let key = tenant_with_key(&stack, "known", "two").await;
    let suspended = tenant_with_key(&stack, "suspended", "two").await;
    patch(&stack, "suspended", json!({ "status": "suspended" })).await;
    create_tenant(&stack, "unknown", "two").await;
    let unseen = create_key(&stack, "unknown", json!({})).await.1;
    assert_eq!(status(get_as(&stack, &key, "/open/x")).await, 200);
    assert_eq!(status(get_as(&stack, &suspended, "/open/x")).await, 403);
    stack.redis.stop().await;

    closed_and_open(&stack).await;
    local(&stack).await;
    last_resort(&stack).await;
    who_is_known(&stack, &key, &suspended, &unseen).await;
    stack.redis.restart().await.unwrap();
    until("Redis judges again", async || status(get(&stack, "/closed")).await == 200).await;
    log::expect_no_secrets(&stack, &[&key, &suspended, &unseen]);
    stack.stop().await;
}

/// A document is stale after two milliseconds here: the next request reads it first.
async fn old_documents(stack: &Stack, inside: &Inside) {
    let key = tenant_with_key(stack, "ageing", "two").await;
    assert_eq!(status(get_as(stack, &key, "/x")).await, 200);
    for limit in 3..8 {
        inside.elsewhere("PATCH", "/tenants/ageing", &json!({ "overrides": { "two": { "limit": limit } } })).await;
        let before = trips(stack).await;
        let answer = get_as(stack, &key, "/x").send().await.unwrap();
        assert_eq!(header(&answer, "ratelimit-policy"), format!("\"two\";q={limit};w=3600"));
        assert_eq!(trips(stack).await - before, 2);
    }
}

/// One in three admitted requests is logged, without secrets.
async fn one_in_three_is_logged(stack: &Stack) {
    let passed = || log::lines(stack).into_iter().filter(|line| line["event"] == "passed").collect::<Vec<_>>();
    let before = passed().len();
    for i in 0..30 {
        assert_eq!(status(get_from(stack, "192.0.2.9", &format!("/logged/{i}?token=hunter2-in-a-query"))).await, 200);
    }
    until("ten lines", async || passed().len() - before == 10).await;
    let last = passed().pop().unwrap();
    let told = ["event", "verdict", "subject", "method", "cost"].map(|name| last[name].clone());
    assert_eq!(json!(told), json!(["passed", "allow", "ip:192.0.2.9", "GET", 1]), "{last}");
    log::expect_no_secrets(stack, &["hunter2-in-a-query"]);
}

async fn closed_and_open(stack: &Stack) {
    let reached = stack.origin.requests();
    assert_eq!(problem(get_from(stack, "192.0.2.1", "/closed"), 503).await, "temporary-reduced-capacity");
    assert_eq!(stack.origin.requests(), reached);
    let answer = get_from(stack, "192.0.2.1", "/open/x").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "ratelimit").as_str()), (200, ""));
    assert!(header(&answer, "server-timing").ends_with("desc=\"unjudged\""));
    assert_eq!(status(get_from(stack, "192.0.2.1", "/free/x")).await, 200);
    for policy in ["open", "closed"] {
        let line = log::wait_for(stack, &format!("\"policy\":\"{policy}\"")).await;
        assert_eq!(line["event"], "outage");
    }
}

/// The isolate limits in memory.
async fn local(stack: &Stack) {
    for expected in ["\"locally\";r=2;", "\"locally\";r=1;", "\"locally\";r=0;"] {
        let answer = get_from(stack, "192.0.2.2", "/local/x").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(header(&answer, "ratelimit").contains(expected), "{}", header(&answer, "ratelimit"));
    }
    let reached = stack.origin.requests();
    let refused = get_from(stack, "192.0.2.2", "/local/x").send().await.unwrap();
    assert_eq!(header(&refused, "retry-after"), "3600");
    assert_eq!(body(refused).await["violated-policies"], json!(["locally"]));
    assert_eq!(stack.origin.requests(), reached);
    assert_eq!(status(get_from(stack, "192.0.2.3", "/local/x")).await, 200, "another client");
    log::wait_for(stack, "\"policy\":\"local\"").await;
    for _ in 0..3 {
        assert_eq!(status(get_from(stack, "192.0.2.4", "/shadow/x")).await, 200, "a shadow refuses nobody");
    }
}

/// The rate limit binding counts across isolates: here eight a minute per client.
async fn last_resort(stack: &Stack) {
    let mut passed = 0;
    let refused = loop {
        let answer = get_from(stack, "192.0.2.5", "/resort/x").send().await.unwrap();
        if answer.status() != 200 {
            break answer;
        }
        passed += 1;
        assert!(passed <= 16, "at most twice what it allows, if a minute ends meanwhile");
    };
    assert!(passed >= 8, "{passed}");
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after").as_str()), (429, "10"));
    assert_eq!(body(refused).await["type"], "urn:sluicegate:problem:too-many-requests");
    assert_eq!(status(get_from(stack, "192.0.2.6", "/resort/x")).await, 200, "another client");
}

/// A tenant cached before the outage is served, however old its document is.
async fn who_is_known(stack: &Stack, key: &str, suspended: &str, unseen: &str) {
    let answer = get_as(stack, key, "/members/x").send().await.unwrap();
    assert_eq!(header(&answer, "ratelimit-policy"), "\"two\";q=2;w=3600");
    assert_eq!(echoed(&body(answer).await, "sluicegate-tenant"), ["known"]);
    assert_eq!(status(get_as(stack, key, "/members/x")).await, 200);
    assert_eq!(problem(get_as(stack, key, "/members/x"), 429).await, "quota-exceeded");
    assert_eq!(status(get_as(stack, key, "/open/x")).await, 200);
    assert_eq!(status(get_as(stack, key, "/closed")).await, 503);
    assert_eq!(problem(get_as(stack, suspended, "/open/x"), 403).await, "tenant-suspended");
    // Only Redis knows the tenant of this key.
    let reached = stack.origin.requests();
    let request = get_from(stack, "192.0.2.7", "/members/x").bearer_auth(unseen);
    assert_eq!(problem(request, 503).await, "temporary-reduced-capacity");
    assert_eq!(stack.origin.requests(), reached);
    let answer = get_from(stack, "192.0.2.7", "/open/x").bearer_auth(unseen).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(echoed(&body(answer).await, "sluicegate-tenant").is_empty());
}
