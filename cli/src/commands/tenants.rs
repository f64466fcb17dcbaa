//! `sluicegate tenants …`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::client::{Answer, Call, Client};
use crate::failure::Failure;
use crate::options::{Assignment, Create, LimitOverride, List, Tenants, Update};
use crate::report::Report;
use crate::table::{Field, NONE, record, table};

#[derive(Deserialize)]
struct Tenant {
    id: String,
    plan: String,
    status: String,
    #[serde(default)]
    overrides: BTreeMap<String, Override>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Override {
    limit: u64,
    burst: Option<u64>,
    until: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    tenants: Vec<Value>,
    cursor: Option<String>,
}

pub(crate) async fn run(client: &Client, command: &Tenants) -> Result<Report, Failure> {
    match command {
        Tenants::List(options) => list(client, options).await,
        Tenants::Create(options) => {
            let answer = client.send(Call::post(&["tenants"], new_document(options))).await?;
            Ok(show(&answer)?.with_note(format!("created {}", options.tenant)))
        }
        Tenants::Show { tenant } => show(&client.send(Call::get(&["tenants", tenant])).await?),
        Tenants::Update(options) => {
            let path = ["tenants", &options.tenant];
            let call = Call::patch(&path, merge_patch(options)).if_match(options.if_match.as_deref());
            Ok(show(&client.send(call).await?)?.with_note(format!("updated {}", options.tenant)))
        }
        Tenants::Delete { tenant, if_match } => {
            client.send(Call::delete(&["tenants", tenant]).if_match(if_match.as_deref())).await?;
            Ok(Report::done(format!("deleted {tenant}")))
        }
    }
}

/// Lists the tenants of all pages.
async fn list(client: &Client, options: &List) -> Result<Report, Failure> {
    let mut tenants: Vec<Value> = Vec::new();
    let mut cursor = options.after.clone();
    loop {
        let wanted = options.max.map_or(PAGE_SIZE, |max| max.saturating_sub(tenants.len() as u64));
        let mut call = Call::get(&["tenants"]).query("limit", wanted.min(PAGE_SIZE).to_string());
        if let Some(cursor) = &cursor {
            call = call.query("cursor", cursor.clone());
        }
        let page: Page = client.send(call).await?.read()?;
        tenants.extend(page.tenants);
        let stuck = page.cursor == cursor;
        cursor = page.cursor;
        if cursor.is_none() || stuck || options.max.is_some_and(|max| tenants.len() as u64 >= max) {
            break;
        }
    }
    let json = json!({ "tenants": tenants, "cursor": cursor });
    let rows = tenants.iter().map(|tenant| row(tenant.clone())).collect::<Result<Vec<_>, _>>()?;
    let text = if rows.is_empty() { String::new() } else { table(["id", "plan", "status", "keys", "overrides"], rows) };
    let report = Report::new(text, json);
    Ok(match cursor {
        Some(cursor) => report.with_note(format!("more tenants follow: --after {cursor}")),
        None if tenants.is_empty() => report.with_note("no tenants"),
        None => report,
    })
}

fn row(tenant: Value) -> Result<[Field; 5], Failure> {
    let tenant: Tenant = Answer { body: tenant, etag: None }.read()?;
    let overrides: Vec<_> = tenant.overrides.keys().map(String::as_str).collect();
    Ok([
        Field::text(&tenant.id),
        Field::text(&tenant.plan),
        Field::text(&tenant.status),
        Field::number(tenant.keys.len() as u64),
        Field::optional(Some(overrides.join(", ").as_str()).filter(|text| !text.is_empty())),
    ])
}

fn show(answer: &Answer) -> Result<Report, Failure> {
    let tenant: Tenant = answer.read()?;
    let mut lines = vec![
        ("id", tenant.id),
        ("plan", tenant.plan),
        ("status", tenant.status),
        ("keys", tenant.keys.len().to_string()),
        ("etag", answer.etag.clone().unwrap_or_else(|| NONE.to_owned())),
    ];
    lines.extend(tenant.overrides.iter().map(|(name, quota)| ("limit", quota.text(name))));
    lines.extend(tenant.metadata.iter().map(|(key, value)| ("metadata", format!("{key}={value}"))));
    Ok(Report::new(record(&lines), answer.json()))
}

impl Override {
    /// Formats the override in the syntax of `--limit`.
    fn text(&self, name: &str) -> String {
        let burst = self.burst.map(|burst| format!(":{burst}")).unwrap_or_default();
        let until = self.until.as_ref().map(|until| format!("@{until}")).unwrap_or_default();
        format!("{name}={}{burst}{until}", self.limit)
    }
}

/// Returns the document of a new tenant.
fn new_document(options: &Create) -> Value {
    let overrides = options.limits.iter().map(|limit| (limit.name.clone(), quota(limit, false)));
    let mut body = json!({ "id": options.tenant, "plan": options.plan });
    set(&mut body, "status", options.suspended.then(|| json!("suspended")));
    set(&mut body, "overrides", object(overrides));
    set(&mut body, "metadata", object(options.metadata.iter().map(metadata_entry)));
    body
}

/// Returns the changes as a merge patch (RFC 7396): null removes a field.
fn merge_patch(options: &Update) -> Value {
    let overrides = options.limits.iter().map(|limit| (limit.name.clone(), quota(limit, true)));
    let removals = |names: &[String]| names.iter().map(|name| (name.clone(), Value::Null)).collect::<Vec<_>>();
    let status = match (options.suspend, options.activate) {
        (true, _) => Some("suspended"),
        (_, true) => Some("active"),
        _ => None,
    };
    let mut body = json!({});
    set(&mut body, "plan", options.plan.as_deref().map(Value::from));
    set(&mut body, "status", status.map(Value::from));
    set(&mut body, "overrides", object(removals(&options.no_limits).into_iter().chain(overrides)));
    set(
        &mut body,
        "metadata",
        object(removals(&options.no_metadata).into_iter().chain(options.metadata.iter().map(metadata_entry))),
    );
    body
}

/// Returns an override. In a patch, an absent field is an explicit null: otherwise a field of the old override would
/// stay.
fn quota(LimitOverride { limit, burst, until, .. }: &LimitOverride, patch: bool) -> Value {
    let mut quota = json!({ "limit": limit });
    let absent = patch.then_some(Value::Null);
    set(&mut quota, "burst", burst.map(Value::from).or(absent.clone()));
    set(&mut quota, "until", until.as_deref().map(Value::from).or(absent));
    quota
}

fn metadata_entry(Assignment { key, value }: &Assignment) -> (String, Value) {
    (key.clone(), Value::from(value.as_str()))
}

/// Returns the members as an object, or `None` if there are none.
fn object(members: impl IntoIterator<Item = (String, Value)>) -> Option<Value> {
    let members: Map<String, Value> = members.into_iter().collect();
    (!members.is_empty()).then_some(Value::Object(members))
}

fn set(body: &mut Value, name: &str, value: Option<Value>) {
    if let (Value::Object(members), Some(value)) = (body, value) {
        members.insert(name.to_owned(), value);
    }
}

/// The maximum number of tenants in a page.
const PAGE_SIZE: u64 = 100;
