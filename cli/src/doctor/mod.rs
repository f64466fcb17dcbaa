//! `sluicegate doctor`: diagnoses a deployment and names a remedy for each problem.

mod diagnosis;
mod finding;

use serde_json::Value;

use crate::client::{self, Call, Client};
use crate::failure::Failure;
use crate::problem::{NO_API, Problem, WRONG_TOKEN};
use crate::report::Report;
use diagnosis::Diagnosis;
use finding::Finding;

pub(crate) async fn run(url: Option<&str>, token: &str) -> Result<Report, Failure> {
    let mut findings = Vec::new();
    let answers = match client::health(url).await {
        Ok((status, body)) => {
            let text = |name: &str| body.get(name).and_then(Value::as_str);
            findings.push(health(status.as_u16(), text("status"), text("part")));
            findings.extend(text("breaker").map(breaker));
            true
        }
        Err(Failure::NoAnswer(problem)) => {
            findings.push(Finding::failure("worker", problem, "check --url, and that the Worker is deployed"));
            false
        }
        Err(other) => return Err(other),
    };
    if answers {
        let of_admin = admin(url, token, &findings).await?;
        findings.extend(of_admin);
    }
    Ok(finding::report(&findings))
}

/// Interprets the response of `/_sluicegate/health`.
fn health(http: u16, status: Option<&str>, part: Option<&str>) -> Finding {
    match (status, part) {
        (Some("ok"), _) => Finding::ok("worker", "serving"),
        (Some("failing"), Some("configuration")) => Finding::failure(
            "worker",
            "its configuration is invalid",
            "run `sluicegate validate` on the deployed file; `wrangler tail` shows the error",
        ),
        (Some("failing"), part) => Finding::failure(
            "worker",
            format!("is failing: {}", part.unwrap_or("no reason given")),
            "`wrangler tail` shows why; for redis, check UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN",
        ),
        _ => Finding::failure(
            "worker",
            format!("not sluicegate (status {http})"),
            "check --url, and that its route leads to the Worker",
        ),
    }
}

/// Interprets the state of the circuit breaker in the isolate that answered.
fn breaker(state: &str) -> Finding {
    match state {
        "closed" => Finding::ok("breaker", "closed"),
        _ => Finding::warning(
            "breaker",
            format!("{state}: calls to Redis failed, and `on_outage` decides about requests"),
            "fix what `redis` names; the breaker closes by itself within seconds",
        ),
    }
}

/// Requests the diagnosis from the admin API. It does not repeat what is `known`.
async fn admin(url: Option<&str>, token: &str, known: &[Finding]) -> Result<Vec<Finding>, Failure> {
    let client = match Client::new(url, token) {
        Ok(client) => client,
        Err(Failure::Usage(problem)) => {
            return Ok(vec![Finding::failure("admin token", problem, "export SLUICEGATE_ADMIN_TOKEN=…")]);
        }
        Err(other) => return Err(other),
    };
    let answer = match client.send(Call::get(&["diagnosis"])).await {
        Ok(answer) => answer,
        Err(Failure::Refused(problem)) => return Ok(vec![refusal(&problem)]),
        Err(Failure::NoAnswer(problem)) => return Ok(vec![Finding::failure("admin api", problem, NO_API)]),
        Err(other) => return Err(other),
    };
    let token = Finding::ok("admin token", "accepted");
    Ok(match answer.read::<Diagnosis>() {
        Ok(diagnosis) => std::iter::once(token).chain(diagnosis.findings(known)).collect(),
        Err(problem) => {
            let remedy = "use the sluicegate command of the Worker's version";
            vec![token, Finding::failure("diagnosis", problem.to_string(), remedy)]
        }
    })
}

fn refusal(problem: &Problem) -> Finding {
    match problem.name() {
        "unauthorized" => Finding::failure("admin token", "rejected", WRONG_TOKEN),
        "not-found" => Finding::failure("admin api", "does not exist", NO_API),
        _ => Finding::failure("admin api", problem.to_string(), "`wrangler tail` shows why"),
    }
}
