//! `sluicegate reset` and `sluicegate refund`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Call, Client};
use crate::failure::Failure;
use crate::options::{Refund, Subjects};
use crate::report::Report;
use crate::table::{Field, table};

#[derive(Deserialize)]
struct Refunded {
    refunded: bool,
    #[serde(default)]
    limits: Vec<Limit>,
}

#[derive(Deserialize)]
struct Limit {
    name: String,
    units: u64,
}

pub(crate) async fn reset(client: &Client, tenant: &str, subjects: &Subjects) -> Result<Report, Failure> {
    let body = Value::Object(subjects.field().into_iter().collect());
    client.send(Call::post(&["tenants", tenant, "reset"], body)).await?;
    Ok(Report::done(format!("reset {tenant}")))
}

pub(crate) async fn refund(client: &Client, options: &Refund) -> Result<Report, Failure> {
    let mut body = json!({ "units": options.units, "request": options.request });
    if let (Value::Object(members), Some(time)) = (&mut body, &options.charged_at) {
        members.insert("charged_at".to_owned(), Value::from(time.as_str()));
    }
    if let Value::Object(members) = &mut body {
        members.extend(options.subjects.field());
    }
    let answer = client.send(Call::post(&["tenants", &options.tenant, "refund"], body)).await?;
    let Refunded { refunded, limits } = answer.read()?;
    if !refunded {
        let note = format!("{} was already refunded: nothing changed", options.request);
        return Ok(Report::new("", answer.json()).with_note(note));
    }
    let row = |limit: &Limit| [Field::text(&limit.name), Field::number(limit.units)];
    Ok(Report::new(table(["limit", "refunded"], limits.iter().map(row).collect()), answer.json()))
}
