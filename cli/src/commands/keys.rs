//! `sluicegate keys …`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Call, Client};
use crate::failure::Failure;
use crate::options::Keys;
use crate::report::Report;
use crate::table::{Field, record, table};

#[derive(Deserialize)]
struct Listed {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    id: String,
    created: String,
    expires: Option<String>,
}

#[derive(Deserialize)]
struct New {
    #[serde(flatten)]
    record: Key,
    key: String,
}

pub(crate) async fn run(client: &Client, command: &Keys) -> Result<Report, Failure> {
    match command {
        Keys::List { tenant } => list(client, tenant).await,
        Keys::Create { tenant, expires } => create(client, tenant, expires.as_deref()).await,
        Keys::Revoke { tenant, key } => {
            client.send(Call::delete(&["tenants", tenant, "keys", key])).await?;
            Ok(Report::done(format!("revoked {key} of {tenant}")))
        }
    }
}

async fn list(client: &Client, tenant: &str) -> Result<Report, Failure> {
    let answer = client.send(Call::get(&["tenants", tenant, "keys"])).await?;
    let Listed { keys } = answer.read()?;
    if keys.is_empty() {
        return Ok(Report::new("", answer.json()).with_note(format!("{tenant} has no keys")));
    }
    let row = |key: &Key| [Field::text(&key.id), Field::text(&key.created), expiry(key)];
    Ok(Report::new(table(["id", "created", "expires"], keys.iter().map(row).collect()), answer.json()))
}

async fn create(client: &Client, tenant: &str, expires: Option<&str>) -> Result<Report, Failure> {
    let body = expires.map_or_else(|| json!({}), |expires| json!({ "expires": Value::from(expires) }));
    let answer = client.send(Call::post(&["tenants", tenant, "keys"], body)).await?;
    let New { record: Key { id, created, expires }, key } = answer.read()?;
    let expires = expires.unwrap_or_else(|| NEVER.to_owned());
    let text = record(&[("id", id), ("created", created), ("expires", expires), ("key", key)]);
    Ok(Report::new(text, answer.json()).with_note("save the key now: it is not shown again"))
}

fn expiry(key: &Key) -> Field {
    Field::text(key.expires.as_deref().unwrap_or(NEVER))
}

const NEVER: &str = "never";
