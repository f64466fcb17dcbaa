//! JSON Web Tokens: verified by the runtime's cryptography, with keys from a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get as on_get;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sluicegate_devstack::{Options, Stack};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Notify};

use crate::api::{api, tenant_with_key};
use crate::direct_redis::now;
use crate::log;
use crate::support::{ADDRESS, body, client, echoed, get, get_from, header, plenty, problem, stack, status, trips};
use crate::tokens::{SigningKey, encode, key_set};

/// A server of keys.
#[derive(Clone)]
struct KeyServer {
    url: String,
    state: Arc<KeyServerState>,
}

struct KeyServerState {
    /// The status and the body of the response.
    response: Mutex<(u16, String)>,
    requests: AtomicU64,
    /// Whether responses wait for `gate`.
    is_held: std::sync::atomic::AtomicBool,
    gate: Notify,
}

impl KeyServer {
    async fn start(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let state = Arc::new(KeyServerState {
            response: Mutex::new((200, key_set(keys).to_string())),
            requests: AtomicU64::new(0),
            is_held: false.into(),
            gate: Notify::new(),
        });
        let router = Router::new().route("/jwks", on_get(respond)).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        KeyServer { url, state }
    }

    async fn respond_with(&self, status: u16, body: &str) {
        *self.state.response.lock().await = (status, body.to_owned());
    }

    fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }

    fn hold(&self) {
        self.state.is_held.store(true, Ordering::SeqCst);
    }

    fn release(&self) {
        self.state.is_held.store(false, Ordering::SeqCst);
        self.state.gate.notify_waiters();
    }
}

async fn respond(State(state): State<Arc<KeyServerState>>) -> (StatusCode, String) {
    state.requests.fetch_add(1, Ordering::SeqCst);
    let released = state.gate.notified();
    if state.is_held.load(Ordering::SeqCst) {
        released.await;
    }
    let (status, body) = state.response.lock().await.clone();
    (StatusCode::from_u16(status).unwrap(), body)
}

fn configuration(jwks: &str) -> Value {
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
fn claims(subject: &str, changes: &Value) -> Value {
    let mut claims =
        json!({ "iss": "https://id.example/", "aud": "api", "exp": seconds() + 600, "iat": seconds(), "sub": subject });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    claims
}

fn with_token(stack: &Stack, address: &str, token: &str, path: &str) -> RequestBuilder {
    get_from(stack, address, path).bearer_auth(token)
}

/// All tests share one stack; each has its own subjects and addresses.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_identify_their_subjects() {
    let keys = [SigningKey::rs256("r"), SigningKey::es256("e"), SigningKey::ed25519("d")];
    let server = KeyServer::start(&keys.each_ref()).await;
    let stack = stack(configuration(&server.url)).await;
    one_fetch_for_many(&stack, &server, &keys[0]).await;
    each_algorithm(&stack, &keys).await;
    forged_tokens(&stack, &keys).await;
    plans(&stack, &keys[2]).await;
    what_the_origin_gets(&stack, &keys[1]).await;
    beside_api_keys(&stack, &keys[0]).await;
    other_credentials(&stack).await;
    assert_eq!(server.requests(), 1, "all of this with one fetch");
    rotation(&stack, &server, &keys).await;
    log::expect_no_secrets(&stack, &[&keys[0].token(&claims("alice", &json!({})))[..40]]);
    stack.stop().await;
}

/// Many requests of a cold isolate wait for one fetch.
async fn one_fetch_for_many(stack: &Stack, server: &KeyServer, key: &SigningKey) {
    server.hold();
    let requests = (0..20).map(|i| {
        let token = key.token(&claims(&format!("first-{i}"), &json!({})));
        tokio::spawn(status(with_token(stack, "192.0.2.1", &token, "/x")))
    });
    let requests: Vec<_> = requests.collect();
    crate::support::until("the fetch", async || server.requests() > 0).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.release();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    assert_eq!(server.requests(), 1);
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
        ("no subject", with(json!({ "sub": null })), "the token does not name a subject"),
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

/// A new key is accepted at once, and a withdrawn one no more.
async fn rotation(stack: &Stack, server: &KeyServer, keys: &[SigningKey; 3]) {
    let new = SigningKey::es256("new");
    server.respond_with(200, &key_set(&[&new, &keys[1]]).to_string()).await;
    let before = server.requests();
    let token = new.token(&claims("rotated", &json!({})));
    crate::support::until("the new key", async || {
        status(with_token(stack, "192.0.2.60", &token, "/members/x")).await == 200
    })
    .await;
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
    crate::support::until("the keys", async || {
        status(with_token(&stack, "192.0.2.3", &token, "/members/x")).await == 200
    })
    .await;
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
