//! `sluicegate check`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::client::{Call, Client};
use crate::failure::Failure;
use crate::options::Check;
use crate::report::Report;
use crate::span::span;
use crate::table::{Field, NONE, table};

#[derive(Deserialize)]
struct Verdict {
    allowed: bool,
    retry_ms: Option<u64>,
    limits: Vec<Budget>,
}

#[derive(Deserialize)]
struct Budget {
    name: String,
    remaining: u64,
    /// 0 if this limit allows the request, -1 or absent if it never will.
    retry_ms: Option<i64>,
    reset_ms: u64,
}

pub(crate) async fn run(client: &Client, options: &Check) -> Result<Report, Failure> {
    let answer = client.send(Call::post(&["check"], request_body(options))).await?;
    let verdict: Verdict = answer.read()?;
    let report = Report::new(text(&verdict), answer.json());
    Ok(Report { success: verdict.allowed, ..report })
}

fn request_body(options: &Check) -> Value {
    let mut body = Map::new();
    let named = [
        ("tenant", options.tenant.as_deref()),
        ("subject", options.subject.as_deref()),
        ("plan", options.plan.as_deref()),
        ("lease", options.lease.as_deref()),
    ];
    body.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?)))));
    body.extend(options.limits.iter().map(|limits| ("limits".to_owned(), limits.clone())));
    body.extend(options.subjects.field());
    body.insert("cost".to_owned(), json!(options.cost));
    body.insert("peek".to_owned(), json!(options.peek));
    Value::Object(body)
}

fn text(verdict: &Verdict) -> String {
    let outcome = match (verdict.allowed, verdict.retry_ms) {
        (true, _) => "allowed".to_owned(),
        (false, Some(ms)) => format!("denied: retry in {}", span(ms)),
        (false, None) => "denied: can never be allowed (the cost exceeds the capacity of a limit)".to_owned(),
    };
    let row = |budget: &Budget| {
        let retry = match budget.retry_ms.map(u64::try_from) {
            Some(Ok(0)) => NONE.to_owned(),
            Some(Ok(ms)) => span(ms),
            Some(Err(_)) | None => "never".to_owned(),
        };
        [
            Field::text(&budget.name),
            Field::number(budget.remaining),
            Field::Number(retry),
            Field::Number(span(budget.reset_ms)),
        ]
    };
    let rows = verdict.limits.iter().map(row).collect();
    format!("{outcome}\n\n{}", table(["limit", "remaining", "retry in", "full in"], rows))
}
