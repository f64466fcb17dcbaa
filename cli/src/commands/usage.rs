//! `sluicegate usage`.

use serde::Deserialize;

use crate::client::{Call, Client};
use crate::failure::Failure;
use crate::options::Usage;
use crate::report::Report;
use crate::span::span;
use crate::table::{Field, NONE, record, table};

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
    by: Option<String>,
    /// This and the following are absent if the value by which the limit counts was not given.
    used: Option<u64>,
    remaining: Option<u64>,
    reset_ms: Option<u64>,
}

#[derive(Deserialize)]
struct Day {
    day: String,
    units: u64,
}

pub(crate) async fn run(client: &Client, options: &Usage) -> Result<Report, Failure> {
    let path = ["tenants", &options.tenant, "usage"];
    let call = Call::get(&path);
    let call = match options.subjects.field() {
        Some((_, values)) => call.query("subjects", values.to_string()),
        None => call,
    };
    let answer = client.send(call).await?;
    let used: Used = answer.read()?;
    Ok(Report::new(text(used, options.days), answer.json()))
}

fn text(used: Used, days: usize) -> String {
    let number = |number: Option<u64>| number.map_or_else(|| Field::Number(NONE.to_owned()), Field::number);
    let limits = used.limits.iter().map(|limit| {
        let name = limit.by.as_ref().map_or(limit.name.clone(), |by| format!("{} by {by}", limit.name));
        [
            Field::text(&name),
            Field::text(&limit.algorithm),
            Field::number(limit.quota),
            number(limit.used),
            number(limit.remaining),
            Field::Number(limit.reset_ms.map_or_else(|| NONE.to_owned(), span)),
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
