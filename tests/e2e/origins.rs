//! Where requests go: a URL with a path, another Worker, the zone's own origin; also by route.

use reqwest::Method;
use serde_json::json;
use sluicegate_devstack::{Options, OriginKind, Stack};

use crate::bare::Bare;
use crate::support::{body, client, echoed, get, header, plenty, status};
use crate::{configuration, proxy, upgrade};

/// A zone has any number of hosts.
#[tokio::test(flavor = "multi_thread")]
async fn each_host_of_a_zone_keeps_its_name() {
    let mut sluicegate = plenty();
    sluicegate["routes"] = json!([{ "match": "* /shop/*", "strip": "/shop" }]);
    let bare = Bare::start_in_zone(sluicegate).await;
    for host in ["api.example.com", "shop.example.org:8443", "xn--bcher-kva.example"] {
        let request = client().post(format!("{}/shop/x?y", bare.url())).header("host", host).body("a body");
        let answer = request.send().await.unwrap();
        assert!(header(&answer, "ratelimit").starts_with("\"plenty\""), "{host}");
        let echo = body(answer).await;
        assert_eq!((&echo["target"], &echo["body"]["text"]), (&json!("/x?y"), &json!("a body")));
        assert_eq!((echoed(&echo, "host"), echoed(&echo, "x-forwarded-host")), (vec![host], vec![host]));
    }
    let redirect = client().get(format!("{}/redirect/302?to=/login", bare.url())).header("host", "a.example");
    let redirect = redirect.send().await.unwrap();
    assert_eq!((redirect.status().as_u16(), header(&redirect, "location")), (302, "/login".to_owned()));
}

/// Starts all parts with this origin. The ends of some bodies are watched.
async fn behind(origin: OriginKind) -> Stack {
    let mut sluicegate = plenty();
    let in_flight = json!([{ "name": "inflight", "algorithm": "concurrency", "limit": 100, "lease": "1m" }]);
    sluicegate["routes"] =
        json!([{ "match": "* /bytes/*", "limits": in_flight }, { "match": "* /gzip", "limits": in_flight }]);
    Stack::start(Options { sluicegate: Some(sluicegate), origin, ..Options::default() })
        .await
        .expect("the stack starts")
}

/// What any origin must allow.
async fn everything_passes(stack: &mut Stack) {
    proxy::method_and_body(stack).await;
    proxy::statuses(stack).await;
    proxy::redirects(stack).await;
    proxy::cookies(stack).await;
    proxy::head(stack).await;
    proxy::encodings(stack).await;
    proxy::volume(stack).await;
    proxy::pieces(stack, "/stream").await;
    proxy::pieces(stack, "/sse").await;
    proxy::a_client_that_goes_away_ends_the_stream(stack).await;
    upgrade::websocket(stack).await;
    upgrade::a_refused_upgrade(stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_worker_is_an_origin() {
    let mut stack = behind(OriginKind::Service).await;
    let answer = get(&stack, "/any//x?a=%20b").send().await.unwrap();
    assert_eq!(header(&answer, "x-second-worker"), "yes");
    let echo = body(answer).await;
    assert_eq!(echoed(&echo, "x-second-worker-url"), [format!("{}/any//x?a=%20b", stack.worker.url())]);
    assert_eq!(echoed(&echo, "x-forwarded-host"), [stack.worker.address().to_string()]);
    assert_eq!(echoed(&echo, "x-forwarded-for"), ["127.0.0.1"]);
    everything_passes(&mut stack).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_zone_is_an_origin() {
    let mut stack = behind(OriginKind::Zone).await;
    let echo = body(get(&stack, "/any//x?a=%20b").send().await.unwrap()).await;
    assert_eq!(echo["target"], "/any//x?a=%20b");
    let host = stack.origin.address().to_string();
    assert_eq!((echoed(&echo, "host"), echoed(&echo, "x-forwarded-host")), (vec![host.as_str()], vec![host.as_str()]));
    everything_passes(&mut stack).await;
    proxy::origin_down(&mut stack).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_may_have_its_own_origin() {
    let other = sluicegate_devstack::Origin::start(0).await.unwrap();
    let (base, nowhere) = (format!("{}/other/base/", other.url()), "https://nowhere.invalid");
    let limit = json!([{ "name": "two", "algorithm": "fixed_window", "limit": 2, "window": "1h" }]);
    let mut sluicegate = plenty();
    sluicegate["cors"] = json!({ "origins": "*" });
    sluicegate["routes"] = json!([
        { "match": "* /ws", "origin": other.url() },
        { "match": "* /prefix/limited/:x", "strip": "/prefix", "limits": limit },
        { "match": "* /prefix/*", "origin": base, "strip": "/prefix" },
        { "match": "* /Two/Parts/*", "strip": "/two/parts", "exempt": true },
        { "match": "* /nowhere/*", "origin": nowhere },
    ]);
    let origin = OriginKind::Path("/base");
    let stack = Stack::start(Options { sluicegate: Some(sluicegate), origin, ..Options::default() }).await.unwrap();
    for (path, server, target) in [
        ("/", &stack.origin, "/base/"),
        ("/x//y?z", &stack.origin, "/base/x//y?z"),
        ("/prefix/x?y=/z", &other, "/other/base/x?y=/z"),
        ("/prefix", &other, "/other/base"),
        ("/prefix/?q", &other, "/other/base/?q"),
        ("//PREFIX//a%2Fb/", &other, "/other/base//a%2Fb/"),
        ("/%70refix/%C3%A9", &other, "/other/base/%C3%A9"),
        ("/two//parts/three", &stack.origin, "/base/three"),
    ] {
        let before = server.requests();
        let echo = body(get(&stack, path).send().await.unwrap()).await;
        assert_eq!(echo["target"], target, "{path}");
        assert_eq!(server.requests() - before, 1, "{path}");
        assert_eq!(echoed(&echo, "host"), [server.address().to_string()], "{path}");
        assert_eq!(echoed(&echo, "x-forwarded-host"), [stack.worker.address().to_string()], "{path}");
    }
    // Two interpretations of these paths have different origins.
    for path in ["/prefix%2Fx", "/prefix/..%2Fx", "/prefix/x/..%2F..%2Fy", "/prefix;/x"] {
        assert_eq!(status(get(&stack, path)).await, 400, "{path}");
    }
    // Some servers would find these outside of the base path, although every interpretation has the same route.
    let reached = (stack.origin.requests(), other.requests());
    for path in ["/..%2Fx", "/x/..%2F..%2Fsecret", "/prefix/..%2Fprefix/x", "/prefix/..;/prefix/x", "/ws/..%2F..%2Fx"] {
        assert_eq!(status(get(&stack, path)).await, 400, "{path}");
        let preflight = client().request(Method::OPTIONS, format!("{}{path}", stack.worker.url()));
        let preflight =
            preflight.header("origin", "https://app.example").header("access-control-request-method", "PUT");
        assert_eq!(status(preflight).await, 204, "{path}: answered, not forwarded");
    }
    assert_eq!((stack.origin.requests(), other.requests()), reached);
    assert_eq!(body(get(&stack, "/x/..%2Fy").send().await.unwrap()).await["target"], "/base/x/..%2Fy");
    // Limits see the client's path.
    for expected in [200, 200, 429] {
        let answer = get(&stack, "/prefix/limited/x").send().await.unwrap();
        assert_eq!(answer.status(), expected);
        if expected == 200 {
            assert_eq!(body(answer).await["target"], "/base/limited/x");
        }
    }
    assert_eq!(status(get(&stack, "/limited/x")).await, 200, "not the path of the route");
    let upload = client().post(format!("{}/prefix/x", stack.worker.url())).body("a body");
    assert_eq!(body(upload.send().await.unwrap()).await["body"]["text"], "a body");
    upgrade::websocket(&stack).await;
    assert_eq!(status(get(&stack, "/nowhere/x")).await, 502);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_a_binding_is_an_error() {
    let reason = r#"ORIGIN: the Worker has no service binding \"API\" (add [[services]] with binding = \"API\""#;
    configuration::expect_broken(plenty(), &[("ORIGIN", "service:API")], reason).await;
    // A variable of this name is no binding.
    let mut config = plenty();
    config["routes"] = json!([{ "match": "GET /x", "origin": "service:UPSTASH_REDIS_REST_URL" }]);
    let reason = r#"routes[0].origin: the Worker has no service binding \"UPSTASH_REDIS_REST_URL\""#;
    configuration::expect_broken(config, &[], reason).await;
}
