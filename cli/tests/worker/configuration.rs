//! A configuration in KV: a Worker takes it over while it runs, and keeps the last good one.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use sluicegate_devstack::{Options, Stack};
use tokio::process::Command;
use tokio::time::Instant;

use crate::run::{Ended, end, program};

/// The storage of a running Worker, and a wrangler configuration that names it.
struct Storage {
    root: PathBuf,
    folder: tempfile::TempDir,
    state: PathBuf,
}

impl Storage {
    fn of(stack: &Stack) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = json!({ "name": "sluicegate", "compatibility_date": "2026-01-01", "kv_namespaces": namespaces() });
        std::fs::write(folder.path().join("wrangler.json"), config.to_string()).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
        Storage { root, folder, state: stack.worker.state() }
    }

    /// Runs `sluicegate config …` on a file with this text.
    async fn config(&self, command: &str, text: &str) -> Ended {
        let (config, file) = (self.folder.path().join("wrangler.json"), self.folder.path().join("sluicegate.toml"));
        std::fs::write(&file, text).unwrap();
        let mut line = program(&["config", command]);
        if command != "pull" {
            line.arg(&file);
        }
        line.arg("--config").arg(config).args(["--local", "--persist-to"]).arg(&self.state);
        end(self.with_tools(line)).await
    }

    /// Puts a text into KV that nobody has validated.
    async fn put(&self, text: &str) {
        let mut command = Command::new("npx");
        command.args(["wrangler", "kv", "key", "put", "config", text, "--binding", "SLUICEGATE_CONFIG", "--local"]);
        command.arg("--config").arg(self.folder.path().join("wrangler.json"));
        command.arg("--persist-to").arg(&self.state);
        let output = self.with_tools(command).output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// Lets a command find the pinned wrangler and Node, and write only into the folder.
    fn with_tools(&self, mut command: Command) -> Command {
        let tools = self.root.join("node_modules/.bin");
        let path = env::split_paths(&env::var_os("PATH").unwrap()).collect::<Vec<_>>();
        command.current_dir(&self.root).env("PATH", env::join_paths([tools].into_iter().chain(path)).unwrap());
        for name in ["TMPDIR", "XDG_CONFIG_HOME", "WRANGLER_LOG_PATH", "npm_config_cache"] {
            command.env(name, self.folder.path());
        }
        command.env("NODE_DISABLE_COMPILE_CACHE", "1").env("CI", "true").kill_on_drop(true);
        command
    }
}

fn namespaces() -> Value {
    json!([{ "binding": "SLUICEGATE_CONFIG", "id": "0123456789abcdef0123456789abcdef" }])
}

fn configuration(limit: u64) -> String {
    format!(
        r#"
default_plan = "p"
timeout = "30s"

[plans.p]
limits = [{{ name = "l", algorithm = "fixed_window", limit = {limit}, window = "day" }}]
"#
    )
}

/// Starts a Worker whose configuration is in KV, and read again each second.
async fn start_on_kv() -> Stack {
    let vars = [("SLUICEGATE", ""), ("SLUICEGATE_CONFIG_TTL", "1s")];
    Stack::start(Options {
        configuration: vec![("kv_namespaces".to_owned(), namespaces())],
        vars: vars.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..Options::default()
    })
    .await
    .unwrap()
}

/// Waits until the Worker responds with this status and, if it is 200, this quota.
async fn until_served(stack: &Stack, status: u16, quota: u64) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let response = reqwest::get(format!("{}/hello", stack.worker.url())).await.unwrap();
        let policy = response.headers().get("ratelimit-policy").map(|value| value.to_str().unwrap().to_owned());
        let expected = (status == 200).then(|| format!("\"l\";q={quota};w=86400"));
        if response.status().as_u16() == status && policy == expected {
            return;
        }
        assert!(Instant::now() < deadline, "status {}, {policy:?}, not {status}, {expected:?}", response.status());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_follows_the_configuration_in_kv() {
    let stack = start_on_kv().await;
    let storage = Storage::of(&stack);
    until_served(&stack, 500, 0).await;
    let nothing = storage.config("pull", "").await;
    assert!(nothing.code == 3 && nothing.stderr.contains("has no key \"config\""), "{nothing:#?}");

    let pushed = storage.config("push", &configuration(1000)).await;
    assert_eq!((pushed.code, pushed.stdout.as_str()), (0, ""), "{pushed:#?}");
    until_served(&stack, 200, 1000).await;
    let pulled: Value = serde_json::from_str(&storage.config("pull", "").await.stdout).unwrap();
    assert_eq!(pulled["plans"]["p"]["limits"][0]["limit"], 1000);

    // What is broken does not get there,
    let broken = storage.config("push", &configuration(0)).await;
    assert!(broken.code == 1 && broken.stdout.contains("plans.p.limits[0].limit: expected 1 to"), "{broken:#?}");
    let differs = storage.config("diff", &configuration(2000)).await;
    let difference = "plans.p.limits[0].limit: 1000 in KV, 2000 in the file\n";
    assert_eq!((differs.code, differs.stdout.as_str()), (1, difference), "{differs:#?}");
    let equal = storage.config("diff", &configuration(1000)).await;
    assert_eq!((equal.code, equal.stdout.as_str()), (0, "no difference\n"));

    // and if it gets there in another way, the last good one stays in force.
    storage.put(r#"{"default_plan":"none"}"#).await;
    let reason = "missing field `plans`";
    let deadline = Instant::now() + Duration::from_secs(30);
    while !stack.worker.log().text().contains(reason) {
        assert!(Instant::now() < deadline, "nothing is logged: {}", stack.worker.log().text());
        until_served(&stack, 200, 1000).await;
    }
    assert!(stack.worker.log().text().contains("the last one stays in force"));
    let mut doctor = program(&["doctor", "--url", &stack.worker.url()]);
    doctor.env("SLUICEGATE_ADMIN_TOKEN", &stack.secrets.admin_token);
    let told = end(doctor).await;
    assert!(told.stdout.contains(reason) && told.stdout.contains("sluicegate config push"), "{told:#?}");
    until_served(&stack, 200, 1000).await;

    storage.config("push", &configuration(3000)).await;
    until_served(&stack, 200, 3000).await;
    let lines = stack.worker.log().text().lines().filter(|line| line.contains(reason)).count();
    assert_eq!(lines, 1, "logged once");
    stack.stop().await;
}

/// A new configuration with the same rules for tokens does not need the server of their keys.
#[tokio::test(flavor = "multi_thread")]
async fn keys_for_tokens_survive_a_new_configuration() {
    // Its header is {"alg":"EdDSA"}, its claims are valid, and its signature is not.
    const TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJpIiwiYXVkIjoiYSIsImV4cCI6OTk5OTk5OTk5OSwic3ViIjoiYW5uIn0.\
        bm8gc2lnbmF0dXJl";
    let stack = start_on_kv().await;
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let keys = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": x }] });
    stack.origin.serve("jwks", "application/json", keys.to_string().into_bytes());
    let storage = Storage::of(&stack);
    let with_tokens = |limit, audience| {
        let jwks = format!("{}/served/jwks", stack.origin.url());
        let rules = format!("[jwt]\njwks = \"{jwks}\"\nissuer = \"i\"\naudience = [\"a\", \"{audience}\"]\n");
        configuration(limit).replace("default_plan", "identify = [\"jwt\", \"address\"]\ndefault_plan") + &rules
    };
    let refused = async || {
        let request = reqwest::Client::new().get(format!("{}/x", stack.worker.url())).bearer_auth(TOKEN);
        let body: Value = serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
        assert_eq!(body["detail"], "the signature of the token is not valid");
        stack.origin.requests_to("/served/jwks")
    };
    for (limit, audience, fetches) in [(1000, "b", 1), (2000, "b", 1), (3000, "c", 2)] {
        let pushed = storage.config("push", &with_tokens(limit, audience)).await;
        assert_eq!(pushed.code, 0, "{pushed:#?}");
        until_served(&stack, 200, limit).await;
        assert_eq!(refused().await, fetches, "{limit} {audience}");
    }
    stack.stop().await;
}
