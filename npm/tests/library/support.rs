//! The deployed Worker, and a Worker that uses the library, over the same Redis.

use std::fs;
use std::path::{Path, PathBuf};

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use sluicegate_devstack::worker::WorkerOptions;
use sluicegate_devstack::{Options, Stack, Worker};
use tempfile::TempDir;

/// The two Workers.
pub(crate) struct Both {
    /// `npm/tests/worker/index.ts`.
    pub(crate) library: Worker,
    pub(crate) stack: Stack,
    _folder: TempDir,
}

impl Both {
    /// Starts both with the same configuration.
    pub(crate) async fn start(sluicegate: &Value) -> Self {
        let stack = Stack::start(Options { sluicegate: Some(sluicegate.clone()), ..Options::default() });
        let stack = stack.await.expect("the stack starts");
        let folder = tempfile::tempdir().unwrap();
        let wrangler = fs::read_to_string(root().join("wrangler.toml")).unwrap();
        let wrangler: Value = toml::from_str(&wrangler).unwrap();
        let config = json!({
            "name": "library",
            "main": root().join("npm/tests/worker/index.ts"),
            "compatibility_date": wrangler["compatibility_date"],
            "compatibility_flags": wrangler["compatibility_flags"],
            "vars": { "SLUICEGATE": sluicegate, "UPSTASH_REDIS_REST_URL": stack.network.url() },
        });
        let path = folder.path().join("wrangler.json");
        fs::write(&path, config.to_string()).unwrap();
        let secrets = folder.path().join(".dev.vars");
        fs::write(&secrets, format!("UPSTASH_REDIS_REST_TOKEN={}\n", stack.secrets.rest_token)).unwrap();
        let library = Worker::start(WorkerOptions { env_file: Some(secrets), ..WorkerOptions::new(root(), path) });
        Both { library: library.await.expect("the Worker starts"), stack, _folder: folder }
    }

    /// Checks with the API of the deployed Worker.
    pub(crate) async fn api(&self, check: &Value) -> Value {
        let answer = self.admin("POST", "/check", check).await;
        assert_eq!(answer.status(), 200);
        body(answer).await
    }

    /// Checks with the library.
    pub(crate) async fn library(&self, check: &Value) -> Response {
        post(&format!("{}/check", self.library.url()), check).send().await.unwrap()
    }

    /// Calls the admin API.
    pub(crate) async fn admin(&self, method: &str, path: &str, body: &Value) -> Response {
        let url = format!("{}/_sluicegate/v1{path}", self.stack.worker.url());
        let call = Client::new().request(method.parse().unwrap(), url).bearer_auth(&self.stack.secrets.admin_token);
        call.header("content-type", "application/json").body(body.to_string()).send().await.unwrap()
    }

    pub(crate) async fn stop(mut self) {
        self.library.stop().await;
        self.stack.stop().await;
    }
}

pub(crate) fn post(url: &str, body: &Value) -> RequestBuilder {
    Client::new().post(url).header("content-type", "application/json").body(body.to_string())
}

pub(crate) async fn body(answer: Response) -> Value {
    serde_json::from_slice(&answer.bytes().await.unwrap()).expect("the body is JSON")
}

/// Returns the value of a header, or an empty string.
pub(crate) fn header(answer: &Response, name: &str) -> String {
    answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
