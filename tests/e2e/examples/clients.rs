//! Examples about whom limits count, and what.

use futures_util::future::join_all;
use reqwest::Method;
use sluicegate_devstack::Stack;

use super::Example;
use crate::api::tenant_with_key;
use crate::support::{ADDRESS, client, get, get_as, get_from, header, problem, status, trips, until};

#[tokio::test(flavor = "multi_thread")]
async fn tenants() {
    let stack = Example::read("tenants").start().await;
    let key = tenant_with_key(&stack, "acme", "pro").await;
    let answer = get(&stack, "/v1/exports/1").send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let answer = get(&stack, "/any").send().await.unwrap();
    assert!(header(&answer, "ratelimit").starts_with(r#""hour";r=59;"#));
    let answer = get_as(&stack, &key, "/v1/exports/1").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let left = header(&answer, "ratelimit");
    assert!(left.contains(r#""burst";r=90"#) && left.contains(r#""month";r=999990"#), "{left}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn login_protection() {
    let stack = Example::read("login").replace("POST /login", "POST /status/*").start().await;
    let login = async |result: u16| {
        let url = format!("{}/status/{result}", stack.worker.url());
        status(client().request(Method::POST, url).header(ADDRESS, "192.0.2.1")).await
    };
    for _ in 0..7 {
        assert_eq!(login(200).await, 200);
    }
    // The charge of a successful login is given back after its response.
    until("five logins can fail", async || login(401).await == 401).await;
    until("five failures are the most", async || login(401).await == 429).await;
    assert_eq!(login(200).await, 429);
    assert_eq!(stack.origin.requests_to("/status/401"), 5);
    assert_eq!(status(get_from(&stack, "192.0.2.1", "/any")).await, 200);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_customer() {
    let stack = Example::read("busy-customer").start().await;
    let key = tenant_with_key(&stack, "acme", "business").await;
    until("fewer calls than requests", async || {
        let before = trips(&stack).await;
        let statuses = join_all((0..50).map(|_| status(get_as(&stack, &key, "/any")))).await;
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
        trips(&stack).await - before < 25
    })
    .await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exports() {
    let stack = Example::read("exports").replace("* /exports/*", "* /stream").start().await;
    let open = async || get(&stack, "/stream?n=1000000&every=1").send().await.unwrap();
    let (first, second) = (open().await, open().await);
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 200));
    assert_eq!(problem(get(&stack, "/stream?n=1"), 429).await, "quota-exceeded");
    assert_eq!(status(get(&stack, "/any")).await, 200);
    drop(first);
    until("an export may start", async || status(get(&stack, "/stream?n=1")).await == 200).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_on_trial() {
    let stack = Example::read("trial").start().await;
    let mut last = String::new();
    for _ in 0..105 {
        let answer = get(&stack, "/any").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        last = header(&answer, "server-timing");
    }
    assert!(last.contains("shadow"), "{last}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn networks() {
    let stack = Example::read("networks").start().await;
    let limited = async |stack: &Stack, address: &str| {
        let answer = get_from(stack, address, "/any").send().await.unwrap();
        let left = header(&answer, "ratelimit").split(";t=").next().unwrap_or_default().to_owned();
        (answer.status().as_u16(), left)
    };
    assert_eq!(limited(&stack, "198.51.100.7").await, (200, String::new()));
    assert_eq!(limited(&stack, "203.0.113.66").await.0, 403);
    assert_eq!(limited(&stack, "2001:db8:b:0::1").await, (200, r#""minute";r=59"#.to_owned()));
    assert_eq!(limited(&stack, "2001:db8:b:ff::1").await, (200, r#""minute";r=58"#.to_owned()));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_app() {
    let stack = Example::read("browser-app").start().await;
    let from_page = |page: &str| get_from(&stack, "192.0.2.1", "/any").header("origin", page.to_owned());
    let refused = loop {
        let answer = from_page("https://app.example.com").send().await.unwrap();
        if answer.status() != 200 {
            break answer;
        }
    };
    assert_eq!(refused.status(), 429);
    assert_eq!(header(&refused, "access-control-allow-origin"), "https://app.example.com");
    assert!(header(&refused, "access-control-expose-headers").contains("Retry-After"));
    assert_eq!(stack.origin.requests_to("/any"), 60);
    let answer = from_page("https://elsewhere.example").send().await.unwrap();
    assert_eq!(header(&answer, "access-control-allow-origin"), "");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_customers() {
    let stack = Example::read("users").start().await;
    let key = tenant_with_key(&stack, "acme", "customer").await;
    let left = async |user: &str| {
        let answer = get_as(&stack, &key, "/any").header("x-user", user).send().await.unwrap();
        (answer.status().as_u16(), header(&answer, "ratelimit"))
    };
    for expected in [59, 58] {
        let (status, left) = left("ada").await;
        assert!(status == 200 && left.contains(&format!("\"user\";r={expected};")), "{left}");
    }
    let (status, left) = left("bob").await;
    let all = ["\"user\";r=59;", "\"customer\";r=997;"];
    assert!(status == 200 && all.iter().all(|part| left.contains(part)), "{left}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_in_the_path() {
    let stack = Example::read("projects").start().await;
    for path in
        ["/projects/linux/builds", "/projects/Linux/builds/", "//projects/%6cinux/builds"].iter().cycle().take(5)
    {
        assert_eq!(status(get(&stack, path)).await, 200, "{path}");
    }
    assert_eq!(problem(get(&stack, "/projects/LINUX/builds"), 429).await, "quota-exceeded");
    assert_eq!(status(get(&stack, "/projects/redis/builds")).await, 200);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_origin() {
    let stack = Example::read("weak-origin").replace("limit = 50", "limit = 2").start().await;
    let open = async |address: &str| get_from(&stack, address, "/stream?n=1000000&every=1").send().await.unwrap();
    let (first, second) = (open("192.0.2.1").await, open("192.0.2.2").await);
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 200));
    assert_eq!(problem(get_from(&stack, "192.0.2.3", "/any"), 429).await, "quota-exceeded");
    drop(first);
    until("another client may come", async || status(get_from(&stack, "192.0.2.3", "/any")).await == 200).await;
    stack.stop().await;
}
