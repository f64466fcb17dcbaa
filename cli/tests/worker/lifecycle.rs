//! The life of a tenant in command lines.

use serde_json::Value;

use crate::run::{Ended, end, program};

/// A Worker with the plans of `tests/admin` and an empty Redis.
struct Worker<'a> {
    url: &'a str,
    token: &'a str,
}

impl Worker<'_> {
    /// Runs a command line and expects this exit code. Arguments contain no spaces.
    async fn run(&self, line: &str, code: i32) -> Ended {
        let mut command = program(&line.split(' ').collect::<Vec<_>>());
        command.env("SLUICEGATE_URL", self.url).env("SLUICEGATE_ADMIN_TOKEN", self.token);
        let ended = end(command).await;
        assert_eq!(ended.code, code, "{line}: {ended:#?}");
        ended
    }

    async fn json(&self, line: &str, code: i32) -> Value {
        let ended = self.run(&format!("{line} --json"), code).await;
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{line}: {error}: {ended:#?}"))
    }

    /// Expects a refusal with this message.
    async fn refused(&self, line: &str, message: &str) {
        let ended = self.run(line, 1).await;
        assert!(ended.stdout.is_empty() && ended.stderr.contains(message), "{line}: {ended:#?}");
    }

    async fn used(&self, limit: &str) -> Value {
        let usage = self.json("usage acme", 0).await;
        usage["limits"].as_array().unwrap().iter().find(|found| found["name"] == limit).unwrap()["used"].clone()
    }
}

/// Creates, changes and deletes a tenant with every command that calls the Worker.
pub(crate) async fn life_of_a_tenant(url: &str, token: &str) {
    let worker = Worker { url, token };
    doctor(&worker).await;
    assert_eq!(worker.run("tenants list", 0).await.stderr, "no tenants\n");
    worker.refused("tenants create acme --plan x", "plan: no plan is named \"x\"").await;
    let created = worker.run("tenants create acme --plan free --metadata owner=Ada", 0).await;
    assert!(created.stdout.starts_with("id        acme\nplan      free\nstatus    active\n"), "{created:#?}");
    worker.refused("tenants create acme --plan free", "acme").await;
    keys(&worker).await;
    changes(&worker).await;
    quota(&worker).await;
    worker.run("tenants create zoo --plan pro --suspended", 0).await;
    let list = worker.run("tenants list", 0).await;
    assert_eq!(list.stdout.lines().count(), 3, "{list:#?}");
    assert_eq!(worker.run("tenants list --max 1", 0).await.stderr, "more tenants follow: --after acme\n");
    assert_eq!(worker.json("tenants list --after acme", 0).await["tenants"][0]["status"], "suspended");
    worker.run("tenants delete acme", 0).await;
    worker.refused("tenants show acme", "acme").await;
}

async fn doctor(worker: &Worker<'_>) {
    let report = worker.json("doctor", 0).await;
    assert_eq!(report["failures"], 0, "{report:#}");
    let names: Vec<_> =
        report["checks"].as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap()).collect();
    let expected = [
        "worker",
        "breaker",
        "admin token",
        "version",
        "origin",
        "redis",
        "round trip",
        "clock",
        "scripts",
        "eviction",
    ];
    assert!(names.starts_with(&expected), "{names:?}");
    let intruder = Worker { token: "wrong", ..*worker };
    assert!(intruder.run("doctor", 1).await.stdout.contains("failure  admin token: rejected"));
    intruder.refused("tenants list", "SLUICEGATE_ADMIN_TOKEN is not the token of this Worker").await;
}

async fn keys(worker: &Worker<'_>) {
    let first = worker.json("keys create acme", 0).await;
    assert!(first["key"].as_str().unwrap().starts_with("sgk_acme_"), "{first}");
    worker.run("keys create acme --expires 2099-01-01T00:00:00Z", 0).await;
    let list = worker.run("keys list acme", 0).await;
    assert!(list.stdout.lines().count() == 3 && list.stdout.contains("2099-01-01T00:00:00Z"), "{list:#?}");
    worker.refused("keys create acme --expires tomorrow", "expires: ").await;
    let revoke = format!("keys revoke acme {}", first["id"].as_str().unwrap());
    worker.run(&revoke, 0).await;
    worker.run(&revoke, 1).await;
    assert_eq!(worker.json("keys list acme", 0).await["keys"].as_array().unwrap().len(), 1);
}

async fn changes(worker: &Worker<'_>) {
    let etag = worker.json("tenants show acme", 0).await["etag"].as_str().unwrap().to_owned();
    worker.run(&format!("tenants update acme --limit day=7@2099-01-01T00:00:00Z --if-match {etag}"), 0).await;
    worker.refused(&format!("tenants update acme --suspend --if-match {etag}"), "look at it with `tenants show`").await;
    worker.refused("tenants update acme --limit day=0", "overrides.day.limit: ").await;
    worker.refused("tenants update acme --limit day=5@soon", "overrides.day.until: ").await;
    let shown = worker.run("tenants show acme", 0).await;
    assert!(shown.stdout.contains("limit     day=7@2099-01-01T00:00:00Z\nmetadata  owner=Ada\n"), "{shown:#?}");
    worker.run("tenants update acme --limit day=8 --no-metadata owner --metadata a=b", 0).await;
    let shown = worker.run("tenants show acme", 0).await;
    assert!(shown.stdout.contains("limit     day=8\nmetadata  a=b\n"), "the old end time is removed: {shown:#?}");
}

async fn quota(worker: &Worker<'_>) {
    let allowed = worker.run("check --tenant acme --cost 8", 0).await;
    assert!(allowed.stdout.starts_with("allowed\n"), "{allowed:#?}");
    let refused = worker.run("check --tenant acme", 1).await;
    assert!(refused.stdout.starts_with("denied: retry in "), "{refused:#?}");
    let never = worker.run("check --tenant acme --cost 9", 1).await;
    assert!(never.stdout.starts_with("denied: can never be allowed"), "{never:#?}");
    assert_eq!(worker.used("day").await, 8);
    worker.run("refund acme 3 --request ticket-7", 0).await;
    let again = worker.run("refund acme 3 --request ticket-7", 0).await;
    assert_eq!(again.stderr, "ticket-7 was already refunded: nothing changed\n");
    assert_eq!(worker.used("day").await, 5);
    worker.run("tenants update acme --no-limit day", 0).await;
    worker.run("reset acme", 0).await;
    assert_eq!(worker.used("day").await, 0);
    let limits = r#"[{"name":"l","algorithm":"sliding_log","limit":1,"window":"1h"}]"#;
    let line = format!("check --subject login:ada --limits {limits}");
    worker.run(&format!("{line} --peek"), 0).await;
    worker.run(&line, 0).await;
    worker.run(&line, 1).await;
}
