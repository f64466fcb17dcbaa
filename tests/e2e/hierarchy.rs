//! Limits that count by more than the caller: a user within its tenant within everyone, and by segments of the path.

use serde_json::{Value, json};
use sluicegate_devstack::Stack;

use crate::api::{api, tenant_with_key};
use crate::support::{ADDRESS, body, get, get_as, header, plenty, problem, raw, stack, status, trips, until};

fn configuration() -> Value {
    let log = |name: &str, limit: u64, by: &str| json!({ "name": name, "algorithm": "sliding_log", "limit": limit, "window": "1h", "by": by });
    let mut config = plenty();
    config["identify"] = json!(["api_key", "address"]);
    let mut tenant = log("tenant", 4, "");
    tenant.as_object_mut().unwrap().remove("by");
    config["plans"]["nested"] =
        json!({ "limits": [log("user", 2, "header:x-user"), tenant, log("all", 7, "everyone")] });
    config["routes"] = json!([
        { "match": "GET /repos/:repo", "limits": [log("repo", 2, "path:repo")] },
        { "match": "GET /query", "limits": [log("query", 1, "query:user")] },
        { "match": "GET /session", "limits": [log("session", 1, "cookie:session")] },
        { "match": "GET /place", "limits": [log("place", 1, "country"), log("network", 5, "asn"), log("route", 9, "route")] },
        { "match": "GET /one-at-a-time", "limits": [
            { "name": "inflight", "algorithm": "concurrency", "limit": 1, "lease": "1m", "by": "everyone" }
        ] },
    ]);
    config
}

/// All tests share one stack; each client has its own address.
#[tokio::test(flavor = "multi_thread")]
async fn limits_nest() {
    let stack = stack(configuration()).await;
    user_within_tenant_within_everyone(&stack).await;
    a_segment_of_the_path(&stack).await;
    query_and_cookie(&stack).await;
    place_and_route(&stack).await;
    hostile_values(&stack).await;
    a_lease_of_everyone(&stack).await;
    stack.stop().await;
}

/// The status of a request of a tenant's user, and the limits that refused it.
async fn ask(stack: &Stack, key: &str, user: &str) -> (u16, String) {
    let answer = get_as(stack, key, "/x").header("x-user", user).send().await.unwrap();
    let status = answer.status().as_u16();
    if status == 200 {
        return (status, header(&answer, "ratelimit-policy"));
    }
    let problem = body(answer).await;
    (status, problem["violated-policies"].to_string())
}

async fn user_within_tenant_within_everyone(stack: &Stack) {
    let [one, two] = [tenant_with_key(stack, "one", "nested").await, tenant_with_key(stack, "two", "nested").await];
    let policy = "\"user\";q=2;w=3600, \"tenant\";q=4;w=3600, \"all\";q=7;w=3600";
    assert_eq!(ask(stack, &one, "ada").await, (200, policy.to_owned()));
    let before = trips(stack).await;
    for (key, user, status, refused) in [
        (&one, "ada", 200, ""),
        (&one, "ada", 429, "user"),
        (&one, "bob", 200, ""),
        (&one, "bob", 200, ""),
        (&one, "carl", 429, "tenant"),
        (&two, "ada", 200, ""),
        (&two, "ada", 200, ""),
        (&two, "ada", 429, "user"),
        (&two, "bob", 200, ""),
        (&two, "bob", 429, "all"),
        (&one, "dora", 429, "tenant"),
    ] {
        let (found, limits) = ask(stack, key, user).await;
        assert!(found == status && limits.contains(refused), "{user}: {found} {limits}");
    }
    // One call each, and one to read the second tenant.
    assert_eq!(trips(stack).await - before, 11 + 1);

    let usage = |query: &'static str| async move {
        let answer = api(stack, "GET", &format!("/tenants/two/usage{query}"), &Value::Null).send().await.unwrap();
        body(answer).await
    };
    let tenant = usage("").await["limits"].as_array().unwrap().iter().find(|limit| limit["name"] == "tenant").cloned();
    assert_eq!(tenant.unwrap()["used"], 3, "a refusal is not counted");
}

async fn a_segment_of_the_path(stack: &Stack) {
    let from = |path: &str| get(stack, path).header(ADDRESS, "192.0.2.1");
    for (path, expected) in [
        ("/repos/linux", 200),
        ("/repos/LINUX", 200),
        ("/repos/%6cinux/", 429),
        ("/repos/redis", 200),
        ("/repos/linux;v=1", 400),
        ("/repos/linux%2fx", 400),
    ] {
        assert_eq!(status(from(path)).await, expected, "{path}");
    }
    assert_eq!(status(get(stack, "/repos/linux").header(ADDRESS, "192.0.2.2")).await, 200, "within the caller");
    assert_eq!(problem(from("/repos/linux;v=2"), 400).await, "ambiguous-path");
}

async fn query_and_cookie(stack: &Stack) {
    let from = |path: &str| get(stack, path).header(ADDRESS, "192.0.2.3");
    for (query, expected) in [("user=ada", 200), ("x=1&user=%61da", 429), ("user=bob", 200), ("", 200), ("user=", 429)]
    {
        assert_eq!(status(from(&format!("/query?{query}"))).await, expected, "{query}");
    }
    for (cookie, expected) in [("a=1; session=s1", 200), ("session=s1; b=2", 429), ("session=s2", 200)] {
        assert_eq!(status(from("/session").header("cookie", cookie)).await, expected, "{cookie}");
    }
}

/// Outside Cloudflare's network, all clients have the same place.
async fn place_and_route(stack: &Stack) {
    for expected in [200, 429] {
        assert_eq!(status(get(stack, "/place").header(ADDRESS, "192.0.2.4")).await, expected);
    }
    assert_eq!(status(get(stack, "/place").header(ADDRESS, "192.0.2.5")).await, 200, "within the caller");
}

/// Values of any bytes: each is decided, and the keys stay keys.
async fn hostile_values(stack: &Stack) {
    let long = "x".repeat(20_000);
    for (i, query) in ["%00", "%FF%FE", "%0A%0D", "%7B%7D:log:query", "}{", &long].into_iter().enumerate() {
        for expected in ["200", "429"] {
            let (head, _) =
                raw(stack, "GET", &format!("/query?user={query}"), &format!("{ADDRESS}: 192.0.2.9\r\n")).await;
            let found = head.split(' ').nth(1).unwrap();
            assert_eq!(found, expected, "value {i}");
        }
    }
}

/// A lease that one client holds keeps the others out until its request has ended.
async fn a_lease_of_everyone(stack: &Stack) {
    for i in 0..6 {
        until("the last request has ended", async || {
            status(get(stack, "/one-at-a-time").header(ADDRESS, format!("192.0.2.{}", 20 + i))).await == 200
        })
        .await;
    }
}
