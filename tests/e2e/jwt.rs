//! JSON Web Tokens: verified by the runtime's cryptography, with keys from a server.

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sluicegate_devstack::Stack;

use crate::api::tenant_with_key;
use crate::direct_redis::now;
use crate::key_server::KeyServer;
use crate::support::{body, echoed, get, get_from, header, plenty, problem, stack, status, trips};
use crate::tokens::{SigningKey, encode};
use crate::{jwt_keys, log};

pub(crate) fn configuration(jwks: &str) -> Value {
    let hour = |name: &str, limit: u64| json!({ "limits": [{ "name": name, "algorithm": "sliding_log", "limit": limit, "window": "1h" }] });
    let mut config = plenty();
    config["identify"] = json!(["api_key", "jwt", "address"]);
    config["jwt"] = json!({
        "jwks": jwks,
        "issuer": "https://id.example/",
        "audience": ["api", "https://api.example"],
        "plan_claim": "https://id.example/plan",
    });
    config["plans"] = json!({ "p": hour("free", 3), "gold": hour("gold", 1000) });
    config["routes"] = json!([
        { "match": "* /members/*", "require": "jwt" },
        { "match": "* /free/members/*", "require": "jwt", "exempt": true },
        { "match": "* /free/*", "exempt": true },
        { "match": "* /keys/*", "require_key": true },
    ]);
    config
}

fn seconds() -> u64 {
    now().get() / 1000
}

/// The claims of a valid token, with more or others.
pub(crate) fn claims(subject: &str, changes: &Value) -> Value {
    let mut claims =
        json!({ "iss": "https://id.example/", "aud": "api", "exp": seconds() + 600, "iat": seconds(), "sub": subject });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    claims
}

pub(crate) fn with_token(stack: &Stack, address: &str, token: &str, path: &str) -> RequestBuilder {
    get_from(stack, address, path).bearer_auth(token)
}

/// All tests share one stack; each has its own subjects and addresses.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_identify_their_subjects() {
    let keys = [SigningKey::rs256("r"), SigningKey::es256("e"), SigningKey::ed25519("d")];
    let server = KeyServer::start(&keys.each_ref()).await;
    let stack = stack(configuration(&server.url)).await;
    jwt_keys::one_fetch_for_many(&stack, &server, &keys[0]).await;
    each_algorithm(&stack, &keys).await;
    forged_tokens(&stack, &keys).await;
    plans(&stack, &keys[2]).await;
    what_the_origin_gets(&stack, &keys[1]).await;
    beside_api_keys(&stack, &keys[0]).await;
    other_credentials(&stack).await;
    assert_eq!(server.requests(), 1, "all of this with one fetch");
    jwt_keys::rotation(&stack, &server, &keys).await;
    log::expect_no_secrets(&stack, &[&keys[0].token(&claims("alice", &json!({})))[..40]]);
    stack.stop().await;
}

/// Each subject has a quota of its own, wherever it is.
async fn each_algorithm(stack: &Stack, keys: &[SigningKey; 3]) {
    for key in keys {
        let name = format!("user-{}", key.kid);
        let token = key.token(&claims(&name, &json!({})));
        let before = trips(stack).await;
        for (address, remaining) in [("192.0.2.2", 2), ("192.0.2.3", 1), ("2001:db8::1", 0)] {
            let answer = with_token(stack, address, &token, "/x").send().await.unwrap();
            let expected = format!("\"free\";r={remaining}");
            assert!(header(&answer, "ratelimit").starts_with(&expected), "{name}: {}", header(&answer, "ratelimit"));
            assert_eq!(echoed(&body(answer).await, "sluicegate-subject"), [name.as_str()]);
        }
        assert_eq!(trips(stack).await - before, 3, "one call each");
        // Another token of the same subject has the same quota.
        let another = key.token(&claims(&name, &json!({ "jti": "2" })));
        assert_eq!(problem(with_token(stack, "192.0.2.4", &another, "/x"), 429).await, "quota-exceeded");
    }
}

async fn forged_tokens(stack: &Stack, keys: &[SigningKey; 3]) {
    let [rsa, ec, ed] = keys;
    let good = claims("mallory", &json!({ "https://id.example/plan": "gold" }));
    let text = good.to_string();
    let with = |changes: Value| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        rsa.token(&claims)
    };
    let stranger = SigningKey::ed25519("d");
    let valid = rsa.token(&good);
    let (signed, signature) = valid.rsplit_once('.').unwrap();
    let (head, _) = signed.split_once('.').unwrap();
    let none = format!("{}.{}.", encode(br#"{"alg":"none"}"#), encode(text.as_bytes()));
    let embedded = json!({ "alg": "EdDSA", "typ": "JWT", "jwk": stranger.jwk() }).to_string();
    let hmac = {
        // The public key as a secret: what a library does that takes the algorithm from the token.
        let secret = rsa.jwk()["n"].as_str().unwrap().to_owned();
        let signed = format!("{}.{}", encode(br#"{"alg":"HS256","kid":"r"}"#), encode(text.as_bytes()));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
        format!("{signed}.{}", encode(aws_lc_rs::hmac::sign(&key, signed.as_bytes()).as_ref()))
    };
    let reached = stack.origin.requests();
    let before = trips(stack).await;
    for (what, token, detail) in [
        ("none", none, "the token is not signed with RS256, ES256 or EdDSA"),
        ("hmac", hmac, "the token is not signed with RS256, ES256 or EdDSA"),
        ("embedded key", stranger.sign(&embedded, &text), "the signature of the token is not valid"),
        ("another key with this id", stranger.token(&good), "the signature of the token is not valid"),
        (
            "wrong algorithm",
            ec.sign(r#"{"alg":"RS256","kid":"e"}"#, &text),
            "the token is signed with an unknown key (kid)",
        ),
        ("wrong id", ed.sign(r#"{"alg":"EdDSA","kid":"r"}"#, &text), "the token is signed with an unknown key (kid)"),
        (
            "other claims",
            format!("{head}.{}.{signature}", encode(claims("root", &json!({})).to_string().as_bytes())),
            "the signature of the token is not valid",
        ),
        ("no signature", format!("{signed}."), "the signature of the token is not valid"),
        ("half a signature", format!("{signed}.{}", &signature[..200]), "the signature of the token is not valid"),
        ("expired", with(json!({ "exp": seconds() - 31 })), "the token has expired (exp)"),
        ("too early", with(json!({ "nbf": seconds() + 60 })), "the token is not valid yet (nbf)"),
        ("no end", with(json!({ "exp": null })), "the token cannot be read: its exp is not a time"),
        ("wrong issuer", with(json!({ "iss": "https://evil.example/" })), "the token is from another issuer (iss)"),
        ("wrong audience", with(json!({ "aud": ["web"] })), "the token is for another audience (aud)"),
        ("no subject", with(json!({ "sub": null })), "the token does not name a subject of 1 to 1024 bytes"),
        (
            "two subjects",
            rsa.sign(r#"{"alg":"RS256","kid":"r"}"#, &text.replacen('{', r#"{"sub":"root","#, 1)),
            "the token cannot be read: its claims are not a JSON object without duplicate keys",
        ),
        ("too long", with(json!({ "groups": "x".repeat(13_000) })), "the token is too long"),
    ] {
        for path in ["/x", "/members/x", "/free/members/x"] {
            let answer = with_token(stack, "192.0.2.10", &token, path).send().await.unwrap();
            let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{detail}\"");
            assert_eq!((answer.status().as_u16(), header(&answer, "www-authenticate")), (401, challenge), "{what}");
            let problem = body(answer).await;
            assert_eq!(
                (&problem["type"], &problem["detail"]),
                (&json!("urn:sluicegate:problem:invalid-token"), &json!(detail)),
                "{what}"
            );
        }
    }
    assert_eq!((stack.origin.requests(), trips(stack).await), (reached, before), "nobody is asked");
    assert_eq!(status(with_token(stack, "192.0.2.10", &valid, "/x")).await, 200);
    for almost in [json!({ "exp": seconds() - 20 }), json!({ "nbf": seconds() + 20 }), json!({ "aud": ["web", "api"] })]
    {
        assert_eq!(status(with_token(stack, "192.0.2.10", &with(almost), "/members/x")).await, 200);
    }
}

async fn plans(stack: &Stack, key: &SigningKey) {
    for (plan, policy) in [
        (json!("gold"), "\"gold\";q=1000;w=3600"),
        (json!(null), "\"free\";q=3;w=3600"),
        (json!("platinum"), "\"free\";q=3;w=3600"),
        (json!(["gold"]), "\"free\";q=3;w=3600"),
    ] {
        let token = key.token(&claims(&format!("planned {plan}"), &json!({ "https://id.example/plan": plan })));
        let answer = with_token(stack, "192.0.2.20", &token, "/x").send().await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "ratelimit-policy").as_str()), (200, policy), "{plan}");
    }
    let line = log::wait_for(stack, "platinum").await;
    assert_eq!(line["what"], "jwt plan");
    let error = line["error"].as_str().unwrap();
    assert_eq!(error, "no plan is named \"platinum\" in the configuration; the default plan applies");
}

async fn what_the_origin_gets(stack: &Stack, key: &SigningKey) {
    let token = key.token(&claims("auth0|é 100%", &json!({ "https://id.example/plan": "gold" })));
    let request = with_token(stack, "192.0.2.30", &token, "/x").header("Sluicegate-Subject", "root");
    let echo = body(request.send().await.unwrap()).await;
    assert_eq!(echoed(&echo, "sluicegate-subject"), ["auth0|%C3%A9%20100%25"]);
    assert_eq!(echoed(&echo, "authorization"), [format!("Bearer {token}")]);
    assert_eq!(echoed(&echo, "sluicegate-tenant"), [""; 0]);
    // Where a route needs a token, also without limits.
    let echo = body(with_token(stack, "192.0.2.30", &token, "/free/members/x").send().await.unwrap()).await;
    assert_eq!(echoed(&echo, "sluicegate-subject"), ["auth0|%C3%A9%20100%25"]);
    for path in ["/x", "/free/x"] {
        let request = get_from(stack, "192.0.2.31", path).header("sluicegate-subject", "root");
        let echo = body(request.header("sluicegate_subject", "root").send().await.unwrap()).await;
        assert_eq!(echoed(&echo, "sluicegate-subject"), [""; 0], "{path}");
        assert_eq!(echoed(&echo, "sluicegate_subject"), [""; 0], "{path}");
    }
}

async fn beside_api_keys(stack: &Stack, key: &SigningKey) {
    let api_key = tenant_with_key(stack, "acme", "gold").await;
    let token = key.token(&claims("acme", &json!({})));
    // The same name, and a quota of its own.
    let both = || with_token(stack, "192.0.2.40", &token, "/x").header("x-api-key", &api_key);
    let echo = body(both().send().await.unwrap()).await;
    assert_eq!(echoed(&echo, "sluicegate-tenant"), ["acme"], "the first that applies");
    assert_eq!(echoed(&echo, "sluicegate-subject"), [""; 0]);
    let answer = with_token(stack, "192.0.2.40", &token, "/x").send().await.unwrap();
    assert!(header(&answer, "ratelimit").starts_with("\"free\";r=2"), "{}", header(&answer, "ratelimit"));
    // A route says what it needs.
    let echo = body(both().send().await.unwrap()).await;
    assert_eq!(echoed(&echo, "sluicegate-tenant"), ["acme"]);
    let members = with_token(stack, "192.0.2.40", &token, "/members/x").header("x-api-key", &api_key);
    let echo = body(members.send().await.unwrap()).await;
    assert_eq!((echoed(&echo, "sluicegate-tenant"), echoed(&echo, "sluicegate-subject")), (vec![], vec!["acme"]));
    let key_alone = get_from(stack, "192.0.2.40", "/members/x").header("x-api-key", &api_key);
    assert_eq!(problem(key_alone, 401).await, "token-required");
    assert_eq!(problem(with_token(stack, "192.0.2.40", &token, "/keys/x"), 401).await, "key-required");
    // With a key of nobody, the token counts.
    let wrong = format!("{}0", &api_key[..api_key.len() - 1]);
    let echo =
        body(with_token(stack, "192.0.2.40", &token, "/x").header("x-api-key", wrong).send().await.unwrap()).await;
    assert_eq!(echoed(&echo, "sluicegate-subject"), ["acme"]);
}

/// What is not a JSON Web Token is for the origin, and the address counts.
async fn other_credentials(stack: &Stack) {
    for (i, credentials) in
        ["Bearer opaque", "Bearer a.b.c", "Basic YTpi", "Bearer a.b.c.d.e", "eyJhbGciOiJub25lIn0.e30."]
            .into_iter()
            .enumerate()
    {
        let send = |path| get_from(stack, &format!("192.0.2.{}", 50 + i), path).header("authorization", credentials);
        let answer = send("/x").send().await.unwrap();
        assert!(header(&answer, "ratelimit").starts_with("\"free\";r=2"), "{credentials}");
        assert_eq!(echoed(&body(answer).await, "authorization"), [credentials]);
        assert_eq!(problem(send("/members/x"), 401).await, "token-required", "{credentials}");
    }
    assert_eq!(problem(get(stack, "/members/x"), 401).await, "token-required");
}
