//! `sluicegate usage`.

use serde::Deserialize;

use crate::client::{Call, Client};
use crate::failure::Failure;
use crate::options::Usage;
use crate::report::Report;
use crate::span::span;
use crate::table::{Field, record, table};

#[derive(Deserialize)]
struct Used {
    tenant: String,
    plan: String,
    limits: Vec<Limit>,
    today: Day,
    #[serde(default)]
    history: Vec<Day>,
}

#[derive(Deserialize)]
struct Limit {
    name: String,
    algorithm: String,
    #[serde(rename = "limit")]
    quota: u64,
    used: u64,
    remaining: u64,
    reset_ms: u64,
}

#[derive(Deserialize)]
struct Day {
    day: String,
    units: u64,
}

pub(crate) async fn run(client: &Client, options: &Usage) -> Result<Report, Failure> {
    let answer = client.send(Call::get(&["tenants", &options.tenant, "usage"])).await?;
    let used: Used = answer.read()?;
    Ok(Report::new(text(used, options.days), answer.json()))
}

fn text(used: Used, days: usize) -> String {
    let limits = used.limits.iter().map(|limit| {
        [
            Field::text(&limit.name),
            Field::text(&limit.algorithm),
            Field::number(limit.quota),
            Field::number(limit.used),
            Field::number(limit.remaining),
            Field::Number(span(limit.reset_ms)),
        ]
    });
    let older = used.history.len().saturating_sub(days);
    let today = format!("{} (today)", used.today.day);
    let history = std::iter::once(Day { day: today, ..used.today }).chain(used.history.into_iter().take(days));
    let history = history.map(|Day { day, units }| [Field::text(&day), Field::number(units)]);
    let mut parts = vec![
        record(&[("tenant", used.tenant), ("plan", used.plan)]),
        table(["limit", "algorithm", "quota", "used", "remaining", "full in"], limits.collect()),
        table(["day", "units"], history.collect()),
    ];
    if older > 0 {
        let plural = if older == 1 { "" } else { "s" };
        parts.push(format!("{older} earlier day{plural}: --days {}", days + older));
    }
    parts.join("\n\n")
}
