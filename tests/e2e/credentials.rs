//! The credentials that an origin gets, and those that it does not get.

use serde_json::json;
use sluicegate_devstack::{Options, Stack};

use crate::api::tenant_with_key;
use crate::support::{body, client, echoed, get, plenty, status};
use crate::{configuration, log};

/// The secret that routes send.
const CANARY: &str = "canary-4f1c9a7e2b6d8035";

#[tokio::test(flavor = "multi_thread")]
async fn the_origin_gets_the_credentials_of_its_route() {
    let mut config = plenty();
    config["identify"] = json!(["api_key", "address"]);
    config["log_allowed_one_in"] = json!(1);
    config["log_refused"] = json!("each");
    config["routes"] = json!([
        { "match": "* /keeps/*", "forward_key": true },
        { "match": "* /exempt/*", "exempt": true },
        {
            "match": "* /llm/*", "strip": "/llm", "remove": ["Cookie", "x-internal"],
            "set": { "Authorization": "Bearer {secret:ORIGIN_CANARY}", "x-basic": "u:{secret:ORIGIN_CANARY};", "x-from": "edge" },
        },
        { "match": "* /denied", "deny": ["0.0.0.0/0", "::/0"], "set": { "x-secret": "{secret:ORIGIN_CANARY}" } },
        { "match": "* /down", "origin": "http://127.0.0.1:9", "set": { "x-secret": "{secret:ORIGIN_CANARY}" } },
    ]);
    let secrets = vec![("ORIGIN_CANARY".to_owned(), CANARY.to_owned())];
    let stack = Stack::start(Options { sluicegate: Some(config), secrets, ..Options::default() }).await.unwrap();
    let key = tenant_with_key(&stack, "acme", "p").await;

    keys_stay_here(&stack, &key).await;
    headers_are_set_and_removed(&stack, &key).await;
    secrets_are_not_shown(&stack, &key).await;
    stack.stop().await;
}

async fn keys_stay_here(stack: &Stack, key: &str) {
    let unknown = format!("{}A", &key[..key.len() - 1]);
    for sent in [key, &unknown, "sgk_acme_", "sgk_"] {
        for path in ["/any", "/exempt/any"] {
            let request = get(stack, path).header("x-api-key", sent).header("authorization", format!("bearer  {sent}"));
            let echo = body(request.send().await.unwrap()).await;
            assert!(!echo.to_string().contains("sgk_"), "{path}, {sent}: {echo}");
        }
    }
    let echo = body(get(stack, "/any").bearer_auth(key).send().await.unwrap()).await;
    assert_eq!(echoed(&echo, "sluicegate-tenant"), ["acme"]);
    // Some clients send their key in several ways.
    let request = get(stack, "/any").header("x-api-key", key).header("authorization", format!("Basic x, Bearer {key}"));
    let request = request.header("x_api_key", key).header("api-key", key).header("cookie", format!("a=b; key={key}"));
    let echo = body(request.send().await.unwrap()).await;
    assert!(!echo.to_string().contains("sgk_"), "{echo}");
    assert_eq!(echoed(&echo, "sluicegate-tenant"), ["acme"]);
    let tab = get(stack, "/any").header("authorization", format!("Bearer\t{key}"));
    let echo = body(tab.send().await.unwrap()).await;
    assert_eq!((echoed(&echo, "authorization"), echoed(&echo, "sluicegate-tenant")), (vec![], vec!["acme"]));
    // Other credentials are for the origin.
    let request = get(stack, "/any").header("x-api-key", key).bearer_auth("of the origin");
    let echo = body(request.send().await.unwrap()).await;
    assert_eq!((echoed(&echo, "authorization"), echoed(&echo, "x-api-key")), (vec!["Bearer of the origin"], vec![]));
    assert_eq!(echoed(&echo, "sluicegate-tenant"), ["acme"]);
    let echo = body(get(stack, "/keeps/x").header("x-api-key", key).send().await.unwrap()).await;
    assert_eq!((echoed(&echo, "x-api-key"), echoed(&echo, "sluicegate-tenant")), (vec![key], vec!["acme"]));
}

async fn headers_are_set_and_removed(stack: &Stack, key: &str) {
    let url = format!("{}/llm/v1/chat", stack.worker.url());
    let request = client().post(url).bearer_auth(key).header("cookie", "a=b").header("X-Internal", "1");
    // To some origins these are the same headers.
    let request = request.header("x_internal", "1").header("x_basic", "of the client");
    let request = request.header("x-basic", "of the client").header("x-from", "a").header("x-from", "b").body("{}");
    let echo = body(request.send().await.unwrap()).await;
    assert_eq!((&echo["target"], &echo["body"]["text"]), (&json!("/v1/chat"), &json!("{}")));
    assert_eq!(echoed(&echo, "authorization"), [format!("Bearer {CANARY}")]);
    assert_eq!(echoed(&echo, "x-basic"), [format!("u:{CANARY};")]);
    assert_eq!(echoed(&echo, "x-from"), ["edge"]);
    for gone in ["cookie", "x-internal", "x_internal", "x_basic"] {
        assert!(echoed(&echo, gone).is_empty(), "{gone}: {echo}");
    }
    let echo = body(get(stack, "/other").header("cookie", "a=b").send().await.unwrap()).await;
    assert_eq!((echoed(&echo, "cookie"), echoed(&echo, "authorization")), (vec!["a=b"], vec![]));
}

/// No log, error or response of sluicegate has the secret.
async fn secrets_are_not_shown(stack: &Stack, key: &str) {
    for (path, expected) in [("/denied", 403), ("/down", 502), ("/llm/status/500", 500), ("/llm%2Fx", 400)] {
        let answer = get(stack, path).send().await.unwrap();
        let (found, head) = (answer.status().as_u16(), format!("{:?}", answer.headers()));
        let text = answer.text().await.unwrap();
        assert_eq!(found, expected, "{path}: {text}");
        assert!(!head.contains(CANARY) && !text.contains(CANARY), "{path}: {head} {text}");
    }
    for path in ["/_sluicegate/v1/diagnosis", "/_sluicegate/v1/tenants", "/_sluicegate/health"] {
        let answer = get(stack, path).bearer_auth(&stack.secrets.admin_token).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert!(!answer.text().await.unwrap().contains(CANARY), "{path}");
    }
    assert_eq!(status(get(stack, "/last")).await, 200);
    log::wait_for(stack, "/last").await;
    assert!(log::lines(stack).len() > 15, "every decision is logged: {}", stack.worker.log().text());
    log::expect_no_secrets(stack, &[CANARY, key]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_is_an_error_that_names_it() {
    let mut config = plenty();
    config["routes"] = json!([{ "match": "GET /x", "set": { "x-secret": "{secret:ORIGIN_CANARY}" } }]);
    let reason = "ORIGIN_CANARY: is not set (run `wrangler secret put ORIGIN_CANARY`; routes[0].set.x-secret needs it)";
    configuration::expect_broken(config, &[], reason).await;
}
