//! Where the keys for tokens come from, and what happens without them.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate_devstack::{Options, Stack};

use crate::api::api;
use crate::jwt::{claims, configuration, with_token};
use crate::key_server::KeyServer;
use crate::log;
use crate::support::{ADDRESS, body, client, echoed, get_from, header, problem, stack, status, until};
use crate::tokens::{SigningKey, key_set};

/// Many requests of a cold isolate wait for one fetch.
pub(crate) async fn one_fetch_for_many(stack: &Stack, server: &KeyServer, key: &SigningKey) {
    server.hold();
    let requests = (0..20).map(|i| {
        let token = key.token(&claims(&format!("first-{i}"), &json!({})));
        tokio::spawn(status(with_token(stack, "192.0.2.1", &token, "/x")))
    });
    let requests: Vec<_> = requests.collect();
    until("the fetch", async || server.requests() > 0).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.release();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(server.requests(), 1);
}

/// A new key is accepted at once, and a withdrawn one no more.
pub(crate) async fn rotation(stack: &Stack, server: &KeyServer, keys: &[SigningKey; 3]) {
    let new = SigningKey::es256("new");
    server.respond_with(200, &key_set(&[&new, &keys[1]]).to_string()).await;
    let before = server.requests();
    let token = new.token(&claims("rotated", &json!({})));
    until("the new key", async || status(with_token(stack, "192.0.2.60", &token, "/members/x")).await == 200).await;
    assert_eq!(server.requests(), before + 1);
    let old = keys[0].token(&claims("withdrawn", &json!({})));
    assert_eq!(problem(with_token(stack, "192.0.2.61", &old, "/x"), 401).await, "invalid-token");
    let kept = keys[1].token(&claims("kept", &json!({})));
    assert_eq!(status(with_token(stack, "192.0.2.62", &kept, "/members/x")).await, 200);
    // Made-up ids do not lead to a fetch each.
    let stranger = SigningKey::ed25519("x");
    for i in 0..50 {
        let header = json!({ "alg": "EdDSA", "kid": format!("made-up-{i}") }).to_string();
        let token = stranger.sign(&header, &claims("mallory", &json!({})).to_string());
        assert_eq!(status(with_token(stack, "192.0.2.63", &token, "/x")).await, 401);
    }
    assert!(server.requests() <= before + 3, "{} fetches", server.requests() - before);
}

/// Without keys, `on_outage` decides, and a route that needs a token is closed.
#[tokio::test(flavor = "multi_thread")]
async fn without_keys_nobody_passes_as_a_subject() {
    let key = SigningKey::ed25519("d");
    let server = KeyServer::start(&[&key]).await;
    let mut config = configuration(&server.url);
    config["on_outage"] = json!("open");
    config["timeout"] = json!("2s");
    config["routes"] = json!([
        { "match": "* /members/*", "require": "jwt" },
        { "match": "* /closed/*", "on_outage": "closed" },
    ]);
    server.respond_with(500, "down").await;
    let stack = stack(config).await;
    let token = key.token(&claims("alice", &json!({})));
    for path in ["/members/x", "/closed/x"] {
        let answer = with_token(&stack, "192.0.2.1", &token, path).send().await.unwrap();
        assert_eq!(answer.status(), 503, "{path}");
        assert!((1..=5).contains(&header(&answer, "retry-after").parse::<u64>().unwrap()), "{path}");
    }
    let echo = body(with_token(&stack, "192.0.2.2", &token, "/x").send().await.unwrap()).await;
    assert_eq!(echoed(&echo, "sluicegate-subject"), [""; 0]);
    let line = log::wait_for(&stack, "the server answered with status 500").await;
    assert_eq!(line["what"], "jwt keys");
    assert_eq!(server.requests(), 1, "a server that is down is not asked for each request");
    let limited = with_token(&stack, "192.0.2.2", &token, "/x").send().await.unwrap();
    assert!(
        header(&limited, "ratelimit").starts_with("\"free\";r=1"),
        "by the address: {}",
        header(&limited, "ratelimit")
    );
    // A token that is wrong whatever the keys are is refused as always.
    let expired = key.token(&claims("alice", &json!({ "exp": 1 })));
    assert_eq!(problem(with_token(&stack, "192.0.2.3", &expired, "/x"), 401).await, "invalid-token");
    let diagnosis = async || body(api(&stack, "GET", "/diagnosis", &Value::Null).send().await.unwrap()).await;
    let found = diagnosis().await;
    assert_eq!(found["token_keys"], json!({ "usable": 0, "age_ms": null }));
    assert_eq!(found["problems"][0]["check"], "token keys", "{found}");
    assert_eq!(server.requests(), 2, "the diagnosis fetches the keys");
    server.respond_with(200, &key_set(&[&key]).to_string()).await;
    let found = diagnosis().await;
    assert_eq!((&found["token_keys"]["usable"], &found["problems"]), (&json!(1), &json!([])));
    assert_eq!(status(with_token(&stack, "192.0.2.3", &token, "/members/x")).await, 200);
    // Other than 200, too long, or no key set: all are failures, and the keys stay.
    for (status, text) in [(302, "{}".to_owned()), (200, "<html>".to_owned()), (200, " ".repeat(1 << 20))] {
        server.respond_with(status, &text).await;
        let found = diagnosis().await;
        let what = found["problems"][0]["what"].as_str().unwrap();
        assert!(what.starts_with("the keys that verify tokens cannot be fetched: "), "{what}");
        assert_eq!(found["token_keys"]["usable"], 1);
    }
    assert_eq!(status(with_token(&stack, "192.0.2.4", &token, "/members/x")).await, 200);
    stack.stop().await;
}

/// An isolate without keys fetches them again when their server is back.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_fetched_again_after_an_outage() {
    let key = SigningKey::ed25519("d");
    let server = KeyServer::start(&[&key]).await;
    server.respond_with(500, "down").await;
    let stack = stack(configuration(&server.url)).await;
    let token = key.token(&claims("alice", &json!({})));
    assert_eq!(status(with_token(&stack, "192.0.2.3", &token, "/members/x")).await, 503);
    server.respond_with(200, &key_set(&[&key]).to_string()).await;
    until("the keys", async || status(with_token(&stack, "192.0.2.3", &token, "/members/x")).await == 200).await;
    assert_eq!(server.requests(), 2);
    stack.stop().await;
}

/// The golden tokens, which `tests/jwt` verifies natively, get the same answers from the runtime's cryptography.
#[tokio::test(flavor = "multi_thread")]
async fn golden_tokens_are_accepted_or_refused() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/tokens.json")).unwrap();
    let mut config = configuration("variable:KEYS");
    config["plans"]["p"] = config["plans"]["gold"].clone();
    let vars = vec![("KEYS".to_owned(), json!({ "keys": vectors["keys"] }).to_string())];
    let options = Options { sluicegate: Some(config), vars, ..Options::default() };
    let stack = Stack::start(options).await.expect("the stack starts");
    for case in vectors["cases"].as_array().unwrap() {
        let answer =
            with_token(&stack, "192.0.2.1", case["token"].as_str().unwrap(), "/members/x").send().await.unwrap();
        let (status, body) = (answer.status().as_u16(), body(answer).await);
        if let Some(error) = case["error"].as_str() {
            assert_eq!((status, &body["detail"]), (401, &json!(error)), "{}", case["name"]);
        } else {
            let subject = case["subject"].as_str().unwrap().replace('é', "%C3%A9");
            assert_eq!(
                (status, echoed(&body, "sluicegate-subject")),
                (200, vec![subject.as_str()]),
                "{}",
                case["name"]
            );
        }
    }
    stack.stop().await;
}

/// Keys from a variable, a header of its own, and a subject by header behind a proxy.
#[tokio::test(flavor = "multi_thread")]
async fn keys_may_come_from_a_variable() {
    let key = SigningKey::rs256("r");
    let mut config = configuration("variable:KEYS");
    config["jwt"]["header"] = json!("Cf-Access-Jwt-Assertion");
    config["jwt"]["subject_claim"] = json!("email");
    config["identify"] = json!(["jwt", "header:X-User", "address"]);
    let vars = vec![("KEYS".to_owned(), key_set(&[&key]).to_string())];
    let options = Options { sluicegate: Some(config), vars, ..Options::default() };
    let stack = Stack::start(options).await.expect("the stack starts");
    let token = key.token(&claims("opaque", &json!({ "email": "ann@example.com" })));
    let send = |address: &str| get_from(&stack, address, "/x");
    let echo = body(send("192.0.2.1").header("cf-access-jwt-assertion", &token).send().await.unwrap()).await;
    assert_eq!(echoed(&echo, "sluicegate-subject"), ["ann@example.com"]);
    let elsewhere = send("192.0.2.1").bearer_auth(&token).send().await.unwrap();
    assert_eq!(echoed(&body(elsewhere).await, "sluicegate-subject"), [""; 0]);
    let long = "x".repeat(5000);
    for (i, (user, remaining)) in
        [("bob", 2), ("bob", 1), ("carol", 2), ("a:b", 2), ("a%3Ab", 2), (&long, 2), (&long, 1)].into_iter().enumerate()
    {
        let answer = send(&format!("192.0.2.{}", 100 + i)).header("x-user", user).send().await.unwrap();
        let expected = format!("\"free\";r={remaining}");
        assert!(header(&answer, "ratelimit").starts_with(&expected), "{user}: {}", header(&answer, "ratelimit"));
    }
    let answer = send("192.0.2.200").header("x-user", "").send().await.unwrap();
    assert!(header(&answer, "ratelimit").starts_with("\"free\";r=2"), "an empty value is none");
    let answer = client().get(format!("{}/members/x", stack.worker.url())).header(ADDRESS, "192.0.2.1");
    assert_eq!(problem(answer.header("x-user", "bob"), 401).await, "token-required");
    stack.stop().await;
}
