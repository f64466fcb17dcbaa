//! What the API says about a request, and what the Worker then does with it.

use reqwest::Method;
use serde_json::{Value, json};
use sluicegate_devstack::Stack;

use crate::api::{api, tenant_with_key};
use crate::jwt::claims;
use crate::key_server::KeyServer;
use crate::log;
use crate::support::{ADDRESS, body, client, header, plenty, stack, trips};
use crate::tokens::SigningKey;

fn configuration(jwks: &str) -> Value {
    let hour =
        |name: &str, limit: u64| json!({ "name": name, "algorithm": "sliding_window", "limit": limit, "window": "1h" });
    let mut config = plenty();
    config["identify"] = json!(["api_key", "jwt", "header:x-user", "address"]);
    config["jwt"] = json!({ "jwks": jwks, "issuer": "https://id.example/", "audience": "api", "plan_claim": "plan" });
    config["cors"] = json!({ "origins": "*", "preflight": "answer" });
    config["plans"] = json!({
        "p": { "limits": [hour("hour", 100)] },
        "pro": { "limits": [hour("burst", 300), { "name": "user", "algorithm": "fixed_window", "limit": 50, "window": "1d", "by": "header:x-user" }] },
    });
    config["routes"] = json!([
        { "match": "GET /free", "exempt": true },
        { "match": "POST /chat", "cost": "json:/max_tokens | 10", "limits": [hour("tokens", 80)] },
        { "match": "* /prefix/*", "strip": "/prefix", "set": { "x-own": "v" }, "remove": ["x-other"], "cost": 3 },
        { "match": "* /keyed", "require_key": true },
        { "match": "* /members", "require": "jwt" },
        { "match": "* /denied", "deny": ["192.0.2.0/24"] },
    ]);
    config
}

/// Explains a request, which must not reach Redis but for the lookup of a key, sends it, and compares.
async fn agree(stack: &Stack, request: Value) -> Value {
    let answer = api(stack, "POST", "/explain", &request).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{request}");
    let said = body(answer).await;

    let method = Method::from_bytes(request["method"].as_str().unwrap().as_bytes()).unwrap();
    let mut sent = client().request(method, format!("{}{}", stack.worker.url(), request["path"].as_str().unwrap()));
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        sent = sent.header(name, value.as_str().unwrap());
    }
    sent = sent.header(ADDRESS, request["address"].as_str().unwrap());
    if !request["body"].is_null() {
        sent = sent.body(request["body"].to_string());
    }
    let answer = sent.send().await.unwrap();
    let status = answer.status().as_u16();
    match said["outcome"].as_str().unwrap() {
        "checked" => {
            assert_eq!(status, 200, "{said}");
            let limits = said["limits"].as_array().unwrap();
            let expected = |each: &dyn Fn(&Value) -> String| limits.iter().map(each).collect::<Vec<_>>();
            let policies = expected(&|limit| format!("{};q={};", limit["name"], limit["limit"]));
            let left = |limit: &Value| limit["limit"].as_u64().unwrap() - limit["charge"].as_u64().unwrap();
            let remaining = expected(&|limit| format!("{};r={};", limit["name"], left(limit)));
            for (name, expected) in [("ratelimit-policy", policies), ("ratelimit", remaining)] {
                let found = header(&answer, name);
                let items: Vec<_> = found.split(", ").collect();
                let matches = items.len() == expected.len()
                    && items.iter().zip(&expected).all(|(item, expected)| item.starts_with(expected.as_str()));
                assert!(matches, "{name}: {found}, not {expected:?}: {said}");
            }
        }
        "exempt" => assert_eq!((status, header(&answer, "ratelimit")), (200, String::new()), "{said}"),
        "preflight" => assert_eq!(status, 204, "{said}"),
        "refused" => {
            assert_eq!(said["refusal"]["status"], status, "{said}");
            let problem = body(answer).await;
            assert_eq!(said["refusal"]["detail"], problem["detail"]);
            return said;
        }
        other => panic!("{other}: {said}"),
    }
    if status == 200 {
        reached_origin_as_said(&body(answer).await, &said["onward"]);
    }
    said
}

/// Compares what the origin got with what was said.
fn reached_origin_as_said(echo: &Value, onward: &Value) {
    assert!(onward["url"].as_str().unwrap().ends_with(echo["target"].as_str().unwrap()), "{onward}: {echo}");
    let got = |name: &Value| echo["headers"].as_array().unwrap().iter().any(|pair| pair[0] == *name);
    assert!(onward["set"].as_array().unwrap().iter().all(got), "{onward}: {echo}");
    assert!(!onward["removed"].as_array().unwrap().iter().any(got), "{onward}: {echo}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_does_what_an_explanation_says() {
    let (signer, stranger) = (SigningKey::ed25519("d"), SigningKey::ed25519("d"));
    let server = KeyServer::start(&[&signer]).await;
    let stack = stack(configuration(&server.url)).await;
    let key = tenant_with_key(&stack, "acme", "pro").await;
    let bearer = |token: &str| json!({ "authorization": format!("Bearer {token}") });

    // The caller is a header, so that each of these requests meets limits that are full.
    for (method, path, headers, sent, outcome, route) in [
        ("GET", "/x?y=1", json!({ "x-user": "a" }), Value::Null, "checked", Value::Null),
        ("GET", "/free", json!({ "x-user": "b" }), Value::Null, "exempt", json!(0)),
        ("POST", "/chat", json!({ "x-user": "c" }), json!({ "max_tokens": 70 }), "checked", json!(1)),
        ("POST", "/chat", json!({ "x-user": "d" }), json!({ "max_tokens": 999 }), "checked", json!(1)),
        ("POST", "/chat", json!({ "x-user": "e" }), json!({}), "checked", json!(1)),
        (
            "PUT",
            "/prefix/a?b",
            json!({ "x-user": "f", "x-other": "1", "x-forwarded-for": "1" }),
            json!({}),
            "checked",
            json!(2),
        ),
        ("GET", "/keyed", json!({}), Value::Null, "refused", json!(3)),
        ("GET", "/keyed", json!({ "x-api-key": key, "x-user": "ada" }), Value::Null, "checked", json!(3)),
        ("GET", "/keyed", json!({ "x-api-key": format!("{key}x") }), Value::Null, "refused", json!(3)),
        (
            "GET",
            "/members",
            bearer(&signer.token(&claims("alice", &json!({ "plan": "p" })))),
            Value::Null,
            "checked",
            json!(4),
        ),
        ("GET", "/members", bearer(&stranger.token(&claims("alice", &json!({})))), Value::Null, "refused", json!(4)),
        ("GET", "/denied", json!({}), Value::Null, "refused", json!(5)),
        ("GET", "/free%2F..%2Fkeyed", json!({}), Value::Null, "refused", Value::Null),
        (
            "OPTIONS",
            "/keyed",
            json!({ "origin": "https://app.example", "access-control-request-method": "GET" }),
            Value::Null,
            "preflight",
            json!(3),
        ),
    ] {
        let request =
            json!({ "method": method, "path": path, "headers": headers, "address": "192.0.2.7", "body": sent });
        let request = without_nulls(request);
        let said = agree(&stack, request).await;
        assert_eq!((&said["outcome"], &said["route"]["index"]), (&json!(outcome), &route), "{said}");
        let kind = &said["caller"]["kind"];
        assert!(*kind != "tenant" && *kind != "token" || said["caller"]["verified"] == true, "{said}");
    }

    let before = trips(&stack).await;
    let request = json!({ "method": "GET", "path": "/x" });
    assert_eq!(api(&stack, "POST", "/explain", &request).send().await.unwrap().status(), 200);
    assert_eq!(trips(&stack).await, before, "without a key, an explanation needs no Redis");

    let shown = body(api(&stack, "GET", "/configuration", &Value::Null).send().await.unwrap()).await;
    assert_eq!(shown["source"], json!({ "kind": "variable", "name": "SLUICEGATE", "ttl": null, "rejected": null }));
    assert_eq!(
        (&shown["routes"][2]["set"], &shown["plans"]["p"]["limits"][0]["limit"]),
        (&json!(["x-own"]), &json!(100))
    );
    log::expect_no_secrets(&stack, &[&key]);
    stack.stop().await;
}

fn without_nulls(mut request: Value) -> Value {
    request.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    request
}
