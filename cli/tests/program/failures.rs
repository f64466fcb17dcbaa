//! Refused requests and unreachable Workers.

use serde_json::{Value, json};

use crate::fake_worker::{Exchange, FakeWorker};
use crate::run::{end, program, run};

const CALL: &str = "GET /v1/tenants/acme";

#[tokio::test(flavor = "multi_thread")]
async fn refusal_lists_every_invalid_field() {
    let problem = json!({
        "type": "urn:sluicegate:problem:invalid-request", "title": "The request is invalid", "status": 400,
        "detail": "2 fields are wrong",
        "errors": [
            { "path": "overrides.day.limit", "problem": "expected 1 to 9007199254740991, found 0" },
            { "path": "plan", "problem": "no plan is named \"x\" (plans: free, pro)" },
        ],
    });
    let refused = || Exchange::new("POST /v1/tenants", 400, problem.clone());
    let arguments = ["tenants", "create", "acme", "--plan", "x", "--limit", "day=0"];
    let worker = FakeWorker::start([refused()]).await;
    let ended = worker.run(&arguments).await;
    let text = "\
sluicegate: The request is invalid: 2 fields are wrong
  overrides.day.limit: expected 1 to 9007199254740991, found 0
  plan: no plan is named \"x\" (plans: free, pro)
";
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (1, "", text));

    let worker = FakeWorker::start([refused()]).await;
    let ended = worker.run(&[&arguments[..], &["--json"]].concat()).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
    assert_eq!(serde_json::from_str::<Value>(&ended.stderr).unwrap(), problem);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_token_and_missing_api_have_remedies() {
    for (exchange, code, message) in [
        (
            Exchange::problem(CALL, 401, "unauthorized", "The token is wrong"),
            1,
            "sluicegate: The token is wrong\n  (SLUICEGATE_ADMIN_TOKEN is not the token of this Worker; ",
        ),
        (
            Exchange::problem(CALL, 404, "not-found", "Not found"),
            1,
            "sluicegate: Not found\n  (the API exists only if the Worker has the secret: ",
        ),
        (Exchange::new(CALL, 404, Value::Null).text("<html>"), 3, ": nothing is at "),
        (Exchange::new(CALL, 502, Value::Null).text("<html>"), 3, "not a response of sluicegate: status 502"),
        (Exchange::new(CALL, 200, json!({ "hello": 1 })), 3, "the response has an unexpected form: missing field `id`"),
        (
            Exchange::new(CALL, 302, Value::Null).header("location", "https://elsewhere.example/"),
            3,
            "redirects to \"https://elsewhere.example/\" (pass the final address as --url)",
        ),
    ] {
        let worker = FakeWorker::start([exchange]).await;
        let ended = worker.run(&["tenants", "show", "acme"]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (code, ""));
        assert!(ended.stderr.contains(message), "{}", ended.stderr);
        assert!(!ended.stderr.contains("the-admin-token"), "{}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_worker_is_reported_with_the_cause() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = program(&["--url", &format!("http://{free}"), "usage", "acme"]);
    command.env("SLUICEGATE_ADMIN_TOKEN", "t");
    let ended = end(command).await;
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.starts_with(&format!("sluicegate: http://{free}/: ")), "{}", ended.stderr);
    assert!(ended.stderr.contains("Connection refused"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_arguments_are_reported_before_any_request() {
    let ended = run(&["usage", "acme"]).await;
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("no Worker address (pass --url"), "{}", ended.stderr);
    let ended = run(&["usage", "acme", "--url", "https://api.example.com"]).await;
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("SLUICEGATE_ADMIN_TOKEN is not set"), "{}", ended.stderr);

    let mut command = program(&["--url", "http://api.example.com", "usage", "acme"]);
    command.env("SLUICEGATE_ADMIN_TOKEN", "t");
    let ended = end(command).await;
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("would send the admin token unencrypted"), "{}", ended.stderr);

    let worker = FakeWorker::start([]).await;
    let ended = worker.run(&["tenants", "delete", ".."]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (2, "sluicegate: \"..\" is not an id\n"));
    assert_eq!(worker.calls(), []);
}
