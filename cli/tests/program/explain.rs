//! `sluicegate explain`.

use std::fs;

use serde_json::{Value, json};

use crate::fake_worker::{Exchange, FakeWorker};
use crate::run::{Ended, end, program};
use crate::validate::VALID;

/// Explains a request by a file of this text, in its own folder, which also has `key.txt` and `body.json`.
async fn offline(name: &str, text: &str, arguments: &[&str]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), text).unwrap();
    fs::write(folder.path().join("key.txt"), "X-API-Key: sgk_acme_wrong\n\nx-user: ada\n").unwrap();
    fs::write(folder.path().join("body.json"), r#"{"max_tokens":5}"#).unwrap();
    let mut command = program(&[&["explain", "--config", name], arguments].concat());
    command.current_dir(folder.path());
    end(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_explains_a_request() {
    let explanation = json!({
        "outcome": "refused",
        "refusal": { "status": 401, "problem": "key-required", "detail": "this path needs an API key" },
        "route": { "index": 2, "match": "POST /v1/chat" },
        "caller": null, "limits": [], "cost": null, "settle": [], "shadow": false, "on_outage": null, "onward": null,
        "steps": ["The first route that matches is routes[2]: POST /v1/chat.", "The request is refused."],
    });
    let worker = FakeWorker::start([Exchange::new("POST /v1/explain", 200, explanation.clone())]).await;
    let arguments =
        ["explain", "POST", "/v1/chat?x", "-H", "X-User: ada: 1", "--address", "::1", "--country", "DE", "--asn", "7"];
    let ended = worker.run(&arguments).await;
    let text = "\
refused

route  routes[2]: POST /v1/chat

1. The first route that matches is routes[2]: POST /v1/chat.
2. The request is refused.
";
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (1, text, ""));
    let host = worker.url.strip_prefix("http://").unwrap();
    let sent = json!({
        "method": "POST", "path": "/v1/chat?x", "headers": { "X-User": "ada: 1", "host": host },
        "address": "::1", "country": "DE", "asn": 7,
    });
    assert_eq!(worker.call().body, sent);

    let worker = FakeWorker::start([Exchange::new("POST /v1/explain", 200, explanation.clone())]).await;
    let ended = worker.run(&["explain", "GET", "/", "-H", "Host: a.example", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&ended.stdout).unwrap(), explanation);
    assert_eq!(worker.call().body["headers"], json!({ "Host": "a.example" }));
}

#[tokio::test]
async fn a_file_explains_a_request_without_a_worker() {
    let config = format!(
        "{VALID}\n[[vars.SLUICEGATE.routes]]\nmatch = \"POST /chat\"\ncost = \"json:/max_tokens | 2\"\nset = {{ x-own = \"v\" }}\n"
    );
    let request = ["POST", "/chat", "-H", "@key.txt", "--address", "203.0.113.7", "--body", "body.json"];
    let ended = offline("wrangler.toml", &config, &request).await;
    let text = "\
checked

route   routes[0]: POST /chat
caller  ip:203.0.113.7 (address)
plan    free
cost    5 (json:/max_tokens)
origin  https://api.example.com/chat
sets    x-forwarded-for, x-forwarded-host, x-forwarded-proto, x-own

LIMIT  ALGORITHM     QUOTA  WINDOW  BY  CHARGE  KEY
burst  token_bucket     20  10s     -        5  sg:1:{ip:203.0.113.7}

1. The first route that matches is routes[0]: POST /chat.
2. The caller is ip:203.0.113.7, with the limits of the plan free.
3. The request tells its cost, 5, in json:/max_tokens.
4. Limits that are charged its cost: burst.
5. The cost is 5.
6. One call to Redis checks all limits: if one of them denies the request, nothing is charged and the status is 429.
7. While Redis is unavailable, the request is forwarded without a check.
8. Allowed, the request is sent to https://api.example.com/chat.
";
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, text, ""));
    let alone = "default_plan = \"p\"\nidentify = [\"api_key\", \"address\"]\n[plans.p]\nlimits = [{ name = \"l\", algorithm = \"sliding_log\", limit = 1, window = \"1m\" }]\n";
    let ended = offline("sluicegate.toml", alone, &["GET", "/x", "-H", "@key.txt", "--json"]).await;
    let explanation: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.code, &explanation["onward"]["origin"]), (0, &json!("zone")));
    assert!(!ended.stdout.contains("wrong"), "{}", ended.stdout);
}

#[tokio::test]
async fn what_cannot_be_explained_is_named() {
    let invalid = VALID.replace("limit = 200", "limit = 0");
    let ended = offline("wrangler.toml", &invalid, &["GET", "/"]).await;
    let problem = "wrangler.toml: vars.SLUICEGATE.plans.pro.limits[0].limit: expected 1 to 9007199254740991, found 0\n1 problem\n";
    assert_eq!((ended.code, ended.stdout.as_str()), (1, problem));
    for (arguments, problem) in [
        (&["GET", "x"][..], "path: expected a path like"),
        (&["GET", "/", "-H", "x"], "--header: expected NAME: VALUE, for example 'x-user: ada'"),
        (&["GET", "/", "-H", "@none"], "none: cannot be read: "),
        (&["GET", "/", "--plan", "gold"], "plan: no plan is named \"gold\" (plans: free, pro)"),
    ] {
        let ended = offline("wrangler.toml", VALID, arguments).await;
        assert!(ended.code == 2 && ended.stderr.contains(problem), "{}", ended.stderr);
    }
    let start = VALID.find("[vars.SLUICEGATE]").unwrap();
    let in_kv = format!("{}[[kv_namespaces]]\nbinding = \"SLUICEGATE_CONFIG\"\nid = \"x\"\n", &VALID[..start]);
    let ended = offline("wrangler.toml", &in_kv, &["GET", "/"]).await;
    assert!(ended.stderr.contains("the configuration is in KV (run `sluicegate config pull`"), "{}", ended.stderr);
}
