//! `sluicegate explain`.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use sluicegate::admin::explain_offline;
use sluicegate_validate::printable;

use crate::client::{Answer, Call, Client};
use crate::failure::Failure;
use crate::host;
use crate::options::Explain;
use crate::report::Report;
use crate::table::{Field, record, table};
use crate::validate;

#[derive(Deserialize)]
struct Explanation {
    outcome: String,
    route: Option<Route>,
    caller: Option<Caller>,
    limits: Vec<LimitInForce>,
    cost: Option<Cost>,
    onward: Option<Onward>,
    steps: Vec<String>,
}

#[derive(Deserialize)]
struct Route {
    index: usize,
    #[serde(rename = "match")]
    pattern: String,
}

#[derive(Deserialize)]
struct Caller {
    kind: String,
    subject: String,
    plan: Option<String>,
    verified: Option<bool>,
}

#[derive(Deserialize)]
struct Cost {
    units: u64,
    from: String,
}

#[derive(Deserialize)]
struct LimitInForce {
    name: String,
    algorithm: String,
    limit: u64,
    window: Option<String>,
    lease: Option<String>,
    by: Option<String>,
    charge: u64,
    key: String,
}

#[derive(Deserialize)]
struct Onward {
    url: String,
    set: Vec<String>,
    removed: Vec<String>,
}

/// Asks a Worker. Requests without a host get that of the Worker.
pub(crate) async fn online(client: &Client, options: &Explain) -> Result<Report, Failure> {
    let mut request = request(options)?;
    if let Some(Value::Object(headers)) = request.get_mut("headers")
        && !headers.keys().any(|name| name.eq_ignore_ascii_case("host"))
    {
        headers.insert("host".to_owned(), client.host().into());
    }
    report(&client.send(Call::post(&["explain"], Value::Object(request))).await?)
}

/// Explains by a configuration in a file.
pub(crate) fn offline(options: &Explain, file: &Path) -> Result<Report, Failure> {
    let deployed = match validate::deployed(file, options.env.as_deref())? {
        Ok(deployed) => deployed,
        Err(report) => return Ok(report),
    };
    let mut request = request(options)?;
    request.extend(options.plan.as_ref().map(|plan| ("plan".to_owned(), plan.as_str().into())));
    let request = Value::Object(request).to_string();
    let answer = explain_offline(&deployed.config, deployed.origin.as_deref(), &request, host::now());
    let body = serde_json::from_str(&answer.map_err(Failure::Usage)?);
    let body = body.map_err(|error| Failure::Usage(format!("the explanation is not JSON: {error}")))?;
    report(&Answer { body, etag: None })
}

fn request(options: &Explain) -> Result<Map<String, Value>, Failure> {
    let mut headers = Map::new();
    for header in &options.headers {
        let text = match header.strip_prefix('@') {
            Some(path) => host::read_named(Path::new(path))?,
            None => header.clone(),
        };
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let expected = || Failure::Usage("--header: expected NAME: VALUE, for example 'x-user: ada'".to_owned());
            let (name, value) = line.split_once(':').ok_or_else(expected)?;
            headers.insert(name.trim().to_owned(), value.trim().into());
        }
    }
    let mut request = Map::new();
    let mut add = |name: &str, value: Value| drop(request.insert(name.to_owned(), value));
    add("method", options.method.as_str().into());
    add("path", options.path.as_str().into());
    add("headers", Value::Object(headers));
    if let Some(address) = &options.address {
        add("address", address.as_str().into());
    }
    if let Some(country) = &options.country {
        add("country", country.as_str().into());
    }
    if let Some(asn) = options.asn {
        add("asn", asn.into());
    }
    if let Some(path) = &options.body {
        add("body", host::read_named(path)?.into());
    }
    Ok(request)
}

fn report(answer: &Answer) -> Result<Report, Failure> {
    let explanation: Explanation = answer.read()?;
    let success = explanation.outcome != "refused";
    Ok(Report { success, ..Report::new(text(&explanation), answer.json()) })
}

fn text(explanation: &Explanation) -> String {
    let mut parts = vec![explanation.outcome.clone()];
    let mut fields = Vec::new();
    if let Some(Route { index, pattern }) = &explanation.route {
        fields.push(("route", format!("routes[{index}]: {pattern}")));
    }
    if let Some(caller) = &explanation.caller {
        let assumed = if caller.verified == Some(false) { ", not verified" } else { "" };
        fields.push(("caller", format!("{} ({}{assumed})", caller.subject, caller.kind)));
        fields.extend(caller.plan.clone().map(|plan| ("plan", plan)));
    }
    if let Some(Cost { units, from }) = &explanation.cost {
        fields.push(("cost", format!("{units} ({from})")));
    }
    if let Some(Onward { url, set, removed }) = &explanation.onward {
        fields.push(("origin", url.clone()));
        fields.extend((!set.is_empty()).then(|| ("sets", set.join(", "))));
        fields.extend((!removed.is_empty()).then(|| ("removes", removed.join(", "))));
    }
    parts.extend((!fields.is_empty()).then(|| record(&fields)));
    if !explanation.limits.is_empty() {
        let row = |limit: &LimitInForce| {
            [
                Field::text(&limit.name),
                Field::text(&limit.algorithm),
                Field::number(limit.limit),
                Field::optional(limit.window.as_deref().or(limit.lease.as_deref())),
                Field::optional(limit.by.as_deref()),
                Field::number(limit.charge),
                Field::text(&limit.key),
            ]
        };
        let rows = explanation.limits.iter().map(row).collect();
        parts.push(table(["limit", "algorithm", "quota", "window", "by", "charge", "key"], rows));
    }
    let steps = explanation.steps.iter().enumerate().map(|(i, step)| format!("{}. {}", i + 1, printable(step)));
    parts.push(steps.collect::<Vec<_>>().join("\n"));
    parts.join("\n\n")
}
