//! Examples about users who are known by name.

use serde_json::json;

use super::Example;
use crate::direct_redis::now;
use crate::key_server::KeyServer;
use crate::support::{body, echoed, get_from, header, problem};
use crate::tokens::SigningKey;

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_provider() {
    let key = SigningKey::rs256("2026-10");
    let server = KeyServer::start(&[&key]).await;
    let example = Example::read("identity-provider");
    let stack = example.replace("https://id.example.com/.well-known/jwks.json", &server.url).start().await;
    let token = |subject: &str, plan: Option<&str>| {
        let exp = now().get() / 1000 + 600;
        key.token(&json!({
            "iss": "https://id.example.com/", "aud": "https://api.example.com", "exp": exp, "sub": subject, "plan": plan,
        }))
    };
    for (address, plan, left) in [("192.0.2.1", None, 29), ("192.0.2.2", None, 28)] {
        let request = get_from(&stack, address, "/account/me").bearer_auth(token("ann", plan));
        let answer = request.send().await.unwrap();
        assert!(header(&answer, "ratelimit").starts_with(&format!(r#""minute";r={left};"#)), "{address}");
        assert_eq!(echoed(&body(answer).await, "sluicegate-subject"), ["ann"]);
    }
    let pro = get_from(&stack, "192.0.2.1", "/any").bearer_auth(token("bob", Some("pro"))).send().await.unwrap();
    assert!(header(&pro, "ratelimit").starts_with(r#""minute";r=599;"#));
    assert_eq!(problem(get_from(&stack, "192.0.2.1", "/account/me"), 401).await, "token-required");
    let visitor = get_from(&stack, "192.0.2.1", "/any").send().await.unwrap();
    assert!(header(&visitor, "ratelimit").starts_with(r#""minute";r=29;"#));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy() {
    let stack = Example::read("behind-proxy").start().await;
    for (user, left) in [("ann", 119), ("ann", 118), ("bob", 119)] {
        let request = get_from(&stack, "192.0.2.1", "/any").header("x-authenticated-user", user);
        let answer = request.send().await.unwrap();
        assert!(header(&answer, "ratelimit").starts_with(&format!(r#""minute";r={left};"#)), "{user}");
    }
    stack.stop().await;
}
