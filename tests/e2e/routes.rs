//! Routes: which one applies, what it costs, and for whom.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sluicegate_devstack::Stack;

use crate::api::tenant_with_key;
use crate::log;
use crate::support::{ADDRESS, body, client, get_as, get_from, header, plenty, problem, stack, status, trips};
use crate::{paths, spoof};

pub(crate) fn configuration() -> Value {
    let log =
        |name: &str, limit: u64| json!({ "name": name, "algorithm": "sliding_log", "limit": limit, "window": "1h" });
    let mut config = plenty();
    config["identify"] = json!(["api_key", "address"]);
    config["plans"]["p"]["limits"] = json!([log("plan", 1000)]);
    config["plans"]["narrow"] = json!({ "limits": [log("narrow", 2)] });
    config["plans"]["gold"] = json!({ "limits": [log("gold", 1000)] });
    config["routes"] = json!([
        { "match": "GET /order/:id", "limits": [log("first", 2)] },
        { "match": "* /order/*", "limits": [log("second", 2)] },
        { "match": "POST /cost", "cost": 10, "limits": [log("tokens", 25)] },
        { "match": "GET /planned", "plan": "narrow" },
        { "match": "* /exempt/*", "exempt": true },
        { "match": "GET /lists/*", "allow": ["192.0.2.128/25", "2001:db8:a::/48"], "deny": ["192.0.2.200", "2001:db8:b::/48"],
          "limits": [log("lists", 1)] },
        { "match": "GET /shadow", "shadow": true, "limits": [log("dim", 1)] },
        { "match": "* /v1/chat", "limits": [log("chat", 1)] },
        { "match": "* /admin/*", "require_key": true },
    ]);
    config["log_allowed_one_in"] = json!(0);
    config["log_refused"] = json!("each");
    config
}

/// All tests share one stack; each client has its own address.
#[tokio::test(flavor = "multi_thread")]
async fn routes_apply_to_what_they_match() {
    let stack = stack(configuration()).await;
    the_first_that_matches(&stack).await;
    costs(&stack).await;
    a_plan_for_all(&stack).await;
    exempt(&stack).await;
    lists(&stack).await;
    shadow(&stack).await;
    paths::do_not_escape(&stack).await;
    paths::do_not_open_doors(&stack).await;
    spoof::addresses(&stack).await;
    spoof::tenants(&stack).await;
    log::expect_no_secrets(&stack, &["hunter2-in-a-query"]);
    stack.stop().await;
}

fn send(stack: &Stack, address: &str, method: &str, path: &str) -> RequestBuilder {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    client().request(method, format!("{}{path}", stack.worker.url())).header(ADDRESS, address)
}

async fn the_first_that_matches(stack: &Stack) {
    for (method, path, limit) in [
        ("GET", "/order/1", "first"),
        ("HEAD", "/order/2", "first"),
        ("GET", "/order/1/lines", "second"),
        ("POST", "/order/1", "second"),
        ("GET", "/orders", "plan"),
    ] {
        let answer = send(stack, "192.0.2.1", method, path).send().await.unwrap();
        let policy = header(&answer, "ratelimit-policy");
        let expected = if limit == "plan" {
            "\"plan\";q=1000;w=3600".to_owned()
        } else {
            format!("\"plan\";q=1000;w=3600, \"{limit}\";q=2;w=3600")
        };
        assert_eq!((answer.status().as_u16(), policy), (200, expected), "{method} {path}");
    }
    assert_eq!(problem(send(stack, "192.0.2.1", "GET", "/order/3"), 429).await, "quota-exceeded");
    assert_eq!(problem(send(stack, "192.0.2.1", "DELETE", "/order/3"), 429).await, "quota-exceeded");
    assert_eq!(status(send(stack, "192.0.2.1", "GET", "/orders")).await, 200);
}

/// The limits of plan and route are decided in one call; if one refuses, none is charged.
async fn costs(stack: &Stack) {
    for (expected, limits) in [
        (200, "\"plan\";r=999;t=3600, \"tokens\";r=15;t=3600"),
        (200, "\"plan\";r=998;t=3600, \"tokens\";r=5;t=3600"),
        (429, "\"plan\";r=998, \"tokens\";r=5;t=3600"),
        (429, "\"plan\";r=998, \"tokens\";r=5;t=3600"),
    ] {
        let before = trips(stack).await;
        let answer = send(stack, "192.0.2.2", "POST", "/cost").send().await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "ratelimit").as_str()), (expected, limits));
        assert_eq!(trips(stack).await - before, 1);
    }
    let answer = get_from(stack, "192.0.2.2", "/x").send().await.unwrap();
    assert!(header(&answer, "ratelimit").starts_with("\"plan\";r=997;"), "a plan counts requests, not tokens");
}

async fn a_plan_for_all(stack: &Stack) {
    let key = tenant_with_key(stack, "planned", "gold").await;
    for (expected, request) in [
        (200, get_from(stack, "192.0.2.3", "/planned")),
        (200, get_from(stack, "192.0.2.3", "/planned")),
        (429, get_from(stack, "192.0.2.3", "/planned")),
        (200, get_as(stack, &key, "/planned")),
        (200, get_as(stack, &key, "/planned")),
        (429, get_as(stack, &key, "/planned")),
    ] {
        let answer = request.send().await.unwrap();
        let policy = header(&answer, "ratelimit-policy");
        assert_eq!((answer.status().as_u16(), policy.as_str()), (expected, "\"narrow\";q=2;w=3600"));
    }
    let answer = get_as(stack, &key, "/x").send().await.unwrap();
    assert_eq!(header(&answer, "ratelimit-policy"), "\"gold\";q=1000;w=3600");
}

async fn exempt(stack: &Stack) {
    let before = trips(stack).await;
    for _ in 0..5 {
        let answer = send(stack, "192.0.2.4", "PUT", "/exempt/all").send().await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "ratelimit").as_str()), (200, ""));
        assert!(header(&answer, "server-timing").ends_with("desc=\"exempt\""));
    }
    assert_eq!(trips(stack).await, before, "Redis is not asked");
}

async fn lists(stack: &Stack) {
    for (address, allowed) in [
        ("192.0.2.128", true),
        ("192.0.2.255", true),
        ("::ffff:192.0.2.129", true),
        ("2001:db8:a:1::1", true),
        ("192.0.2.5", false),
        ("2001:db8:c::1", false),
    ] {
        let policies: Vec<_> = [200, if allowed { 200 } else { 429 }].to_vec();
        for expected in policies {
            let answer = get_from(stack, address, "/lists/x").send().await.unwrap();
            assert_eq!(answer.status(), expected, "{address}");
            assert_eq!(header(&answer, "ratelimit").is_empty(), allowed, "{address}");
        }
    }
    let (before, reached) = (trips(stack).await, stack.origin.requests());
    for address in ["192.0.2.200", "::ffff:192.0.2.200", "2001:db8:b::1"] {
        assert_eq!(problem(get_from(stack, address, "/lists/x"), 403).await, "address-denied", "{address}");
    }
    assert_eq!((trips(stack).await, stack.origin.requests()), (before, reached), "nobody is asked");
    assert_eq!(status(get_from(stack, "192.0.2.200", "/x")).await, 200, "elsewhere it may");
}

async fn shadow(stack: &Stack) {
    let reached = stack.origin.requests_to("/shadow");
    for i in 0..5 {
        let answer = get_from(stack, "192.0.2.6", "/shadow?secret=hunter2-in-a-query").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let policy = header(&answer, "ratelimit-policy");
        assert_eq!(policy, "\"plan\";q=1000;w=3600;shadow, \"dim\";q=1;w=3600;shadow");
        assert!(header(&answer, "ratelimit").contains("\"dim\";r=0;t="));
        assert_eq!(header(&answer, "retry-after"), "", "nobody has to wait");
        let denied = header(&answer, "server-timing").ends_with("desc=\"shadow\"");
        assert_eq!(denied, i > 0, "{}", header(&answer, "server-timing"));
        body(answer).await;
    }
    assert_eq!(stack.origin.requests_to("/shadow") - reached, 5);
    log::wait_for(stack, "\"path\":\"/shadow\"").await;
    crate::support::until("four lines", async || log::of_path(stack, "/shadow").len() == 4).await;
    for line in log::of_path(stack, "/shadow") {
        let told = ["event", "verdict", "shadow", "limits", "route", "subject", "cost"].map(|name| line[name].clone());
        assert_eq!(json!(told), json!(["passed", "deny", true, ["dim"], "GET /shadow", "ip:192.0.2.6", 1]), "{line}");
        assert!(line["retry_ms"].as_u64().unwrap() > 3_500_000, "{line}");
    }
}
