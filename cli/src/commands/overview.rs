//! `sluicegate overview`.

use serde::Deserialize;

use crate::client::{Call, Client};
use crate::failure::Failure;
use crate::report::Report;
use crate::span::span;
use crate::table::{Field, table};

#[derive(Deserialize)]
struct Overview {
    as_of: String,
    reported_at: Option<String>,
    day: String,
    top: Vec<Top>,
    near_limit: Vec<Near>,
    more: bool,
}

#[derive(Deserialize)]
struct Top {
    tenant: String,
    plan: String,
    status: String,
    units: u64,
    refused: u64,
}

#[derive(Deserialize)]
struct Near {
    tenant: String,
    limits: Vec<Limit>,
}

#[derive(Deserialize)]
struct Limit {
    name: String,
    route: Option<String>,
    used: u64,
    remaining: u64,
    reset_ms: u64,
}

pub(crate) async fn run(client: &Client) -> Result<Report, Failure> {
    let answer = client.send(Call::get(&["overview"])).await?;
    let overview: Overview = answer.read()?;
    let reported = overview.reported_at.as_deref().unwrap_or("none yet");
    let note = format!("as of {}; newest report of an isolate: {reported}", overview.as_of);
    Ok(Report::new(text(&overview), answer.json()).with_note(note))
}

fn text(overview: &Overview) -> String {
    let top = overview.top.iter().map(|Top { tenant, plan, status, units, refused }| {
        [Field::text(tenant), Field::text(plan), Field::text(status), Field::number(*units), Field::number(*refused)]
    });
    let near = overview.near_limit.iter().flat_map(|near| near.limits.iter().map(|limit| row(&near.tenant, limit)));
    let (top, near): (Vec<_>, Vec<_>) = (top.collect(), near.collect());
    let mut parts = vec![format!("Most units on {}", overview.day)];
    parts.push(if top.is_empty() {
        "none".to_owned()
    } else {
        table(["tenant", "plan", "status", "units", "refused"], top)
    });
    parts.push("At 80 % of a limit or more".to_owned());
    parts.push(if near.is_empty() {
        "none".to_owned()
    } else {
        table(["tenant", "limit", "used", "remaining", "full in"], near)
    });
    if overview.more {
        parts.push("There may be more tenants near a limit.".to_owned());
    }
    parts.join("\n\n")
}

fn row(tenant: &str, limit: &Limit) -> [Field; 5] {
    let name = limit.route.as_ref().map_or(limit.name.clone(), |route| format!("{} of {route}", limit.name));
    [
        Field::text(tenant),
        Field::text(&name),
        Field::number(limit.used),
        Field::number(limit.remaining),
        Field::Number(span(limit.reset_ms)),
    ]
}
