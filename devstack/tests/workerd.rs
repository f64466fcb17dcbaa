//! A Worker in a bare workerd.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{eventually, processes, root};
use serde_json::json;
use sluicegate_devstack::workerd::{Binding, Code, Compatibility, Config, Module, Workerd, WorkerdError};

async fn start(script: &str) -> Result<Workerd, WorkerdError> {
    let config = Config {
        modules: vec![Module { name: "index.js", code: Code::Script(script.into()) }],
        bindings: vec![
            Binding { name: "TEXT", value: json!("a \"b\" \u{e9}") },
            Binding { name: "OBJECT", value: json!({ "list": [1] }) },
        ],
        compatibility: Compatibility::read(&root().join("wrangler.toml")).unwrap(),
        zone: None,
        inspector: false,
    };
    Workerd::start(&root().join("node_modules/.bin/workerd"), &config).await
}

#[tokio::test]
async fn a_worker_has_its_bindings_and_its_log_can_be_read() {
    let script = "export default { fetch(request, env) {
        console.error('an error'); console.log('a remark'); return Response.json(env);
    } };";
    let workerd = start(script).await.unwrap();
    let body = reqwest::get(format!("http://{}", workerd.address())).await.unwrap().text().await.unwrap();
    assert_eq!(body, r#"{"TEXT":"a \"b\" é","OBJECT":{"list":[1]}}"#);
    for line in ["an error", "a remark"] {
        eventually("the log has the line", || workerd.log().contains(line)).await;
    }
}

#[tokio::test]
async fn the_process_ends_with_the_value() {
    let workerd = start("export default { fetch() {} };").await.unwrap();
    let process = workerd.process();
    let runs = || processes().iter().any(|running| running.id == process);
    assert!(runs());
    drop(workerd);
    eventually("the process ends", || !runs()).await;
}

#[tokio::test]
async fn an_error_quotes_the_log() {
    let error = start("this is no script").await.unwrap_err().to_string();
    assert!(error.starts_with("workerd did not start: it ended: "), "{error}");
    assert!(error.contains("SyntaxError"), "{error}");
}
