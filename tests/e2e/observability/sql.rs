//! The queries for Analytics Engine, in the document and in the dashboard, on points that the Worker has written.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::clickhouse;
use super::markdown::{blocks, document};
use super::traffic::fields;

/// Fails unless the queries of the document and of the dashboard give the numbers of the traffic. The points of acme
/// stand for ten requests each, the others for one.
pub(super) fn expect_numbers(text: &str, points: &[Value]) {
    let blocks = blocks(text, "sql");
    let mut queries: Vec<_> = blocks.iter().map(|(_, query)| query.clone()).collect();
    let panels = panels();
    queries.extend(panels.iter().map(|(_, query)| query.clone()));
    for query in &queries {
        expect_known_functions(query);
    }
    let (rows, day, bucket) = rows(points);
    let results = clickhouse::run(&rows, &queries);
    let (document, dashboard) = results.split_at(blocks.len());

    let latency = [quantile(points, 0.5), quantile(points, 0.99)];
    let share = 1.0 / 61.0;
    for ((heading, _), result) in blocks.iter().zip(document) {
        let expected = match *heading {
            "Refusals by tenant and limit" => json!([
                { "caller": "acme", "limit_name": "hour", "refusals": 20 },
                { "caller": "ip:203.0.113.1", "limit_name": "hour", "refusals": 1 },
                { "caller": "ip:203.0.113.2", "limit_name": "units", "refusals": 1 },
            ]),
            "Refusals before any limit" => json!([
                { "problem": "key-required", "status": 401, "refusals": 1 },
                { "problem": "temporary-reduced-capacity", "status": 503, "refusals": 1 },
            ]),
            "Share of unjudged requests" => json!([
                { "t": bucket, "requests": 61, "forwarded": share, "refused": share, "admitted_locally": share },
            ]),
            "Latency of the limiter" => json!([
                { "data_center": "FRA", "requests": 57, "p50_ms": latency[0], "p99_ms": latency[1] },
            ]),
            "Top callers" => json!([
                { "caller": "acme", "requests": 50, "units": 30, "refused_share": 0.4 },
                { "caller": "ip:203.0.113.1", "requests": 3, "units": 2, "refused_share": 1.0 / 3.0 },
                { "caller": "ip:203.0.113.6", "requests": 3, "units": 1, "refused_share": 0 },
                { "caller": "ip:203.0.113.2", "requests": 2, "units": 50, "refused_share": 0.5 },
                { "caller": "ip:203.0.113.5", "requests": 2, "units": 1, "refused_share": 0 },
                { "caller": "-", "requests": 1, "units": 0, "refused_share": 0 },
            ]),
            "Cost spent by plan" => json!([
                { "day": day, "plan": "free", "units": 54, "requests": 5 },
                { "day": day, "plan": "pro", "units": 30, "requests": 30 },
            ]),
            other => panic!("no numbers for the query {other}"),
        };
        expect_equal(heading, &json!(result), &expected);
    }
    assert_eq!(blocks.len(), 6);

    // A panel with the same heading shows the same numbers; a chart has a time, and finds something.
    for ((title, _), result) in panels.iter().zip(dashboard) {
        assert!(!result.is_empty(), "{title} finds nothing");
        let same = match title.as_str() {
            "Refusals by caller and limit" => Some("Refusals by tenant and limit"),
            "Refusals before any limit" => Some("Refusals before any limit"),
            "Latency by data center" => Some("Latency of the limiter"),
            "Top callers" => Some("Top callers"),
            _ => None,
        };
        match same {
            Some(heading) => {
                let at = blocks.iter().position(|(other, _)| *other == heading).unwrap();
                expect_equal(title, &json!(result), &json!(document[at]));
            }
            None => {
                assert!(result.iter().all(|row| number(&row["t"]).is_some_and(|t| t > 1e12)), "{title}: {result:?}");
            }
        }
    }
    assert_eq!(panels.len(), 8);
}

/// Returns the rows that the points become, and the starts of their day and of their five minutes. They are two minutes old.
/// The same rows, forty days old, must not count.
fn rows(points: &[Value]) -> (Vec<Value>, String, String) {
    #[expect(clippy::disallowed_methods, reason = "ClickHouse compares with the time of this machine")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (five_minutes, a_day) = (300, 86_400);
    // In the middle of one interval, and not in the future.
    let time = now / five_minutes * five_minutes - five_minutes / 2;
    let row = |point: &Value, time: u64, weight: u64| {
        let mut row = fields(point);
        row.insert("timestamp".to_owned(), time.into());
        row.insert("_sample_interval".to_owned(), weight.into());
        Value::Object(row)
    };
    let recent = points.iter().map(|point| row(point, time, if point["indexes"][0] == "acme" { 10 } else { 1 }));
    let old = points.iter().map(|point| row(point, time - 40 * a_day, 1000));
    let text = |seconds: u64| {
        let time = humantime::format_rfc3339_seconds(UNIX_EPOCH + std::time::Duration::from_secs(seconds)).to_string();
        time.trim_end_matches('Z').replace('T', " ")
    };
    (recent.chain(old).collect(), text(time / a_day * a_day), text(time / five_minutes * five_minutes))
}

/// Returns the quantile of the milliseconds of decisions by Redis, each point as often as requests that it stands for.
fn quantile(points: &[Value], level: f64) -> f64 {
    let by_redis = points.iter().filter(|point| fields(point)["blob6"] == "redis");
    let mut values: Vec<f64> = by_redis
        .flat_map(|point| {
            let weight = if point["indexes"][0] == "acme" { 10 } else { 1 };
            std::iter::repeat_n(number(&fields(point)["double3"]).unwrap(), weight)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "57 values"
    )]
    let rank = (values.len() as f64 * level).ceil() as usize;
    values[rank - 1]
}

/// Returns title and query of each panel of the dashboard, with its macros expanded as the plugin does it for the last hour.
fn panels() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&document("docs/grafana/worker.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let query = |panel: &Value| {
        let [target] = &panel["targets"].as_array().unwrap()[..] else { panic!("{panel}") };
        let column = target["dateTimeColDataType"].as_str().unwrap();
        let query = target["query"].as_str().unwrap();
        query
            .replace("$timeSeries", &format!("(intDiv(toUInt32({column}), $interval) * $interval) * 1000"))
            .replace("$timeFilter", &format!("{column} >= toDateTime(toUInt32(now()) - 3600) AND {column} <= now()"))
            .replace("$interval", "60")
            .replace("$dataset", "sluicegate")
    };
    panels.map(|panel| (panel["title"].as_str().unwrap().to_owned(), query(panel))).collect()
}

/// Fails if a query calls a function that Analytics Engine does not have.
fn expect_known_functions(query: &str) {
    for (at, _) in query.match_indices('(') {
        let before = &query[..at];
        let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap();
        // The parameters of a quantile end before its arguments begin.
        let known = word.is_empty() || FUNCTIONS.contains(&word) || before.ends_with(" * ");
        assert!(known, "Analytics Engine has no function {word}: {query}");
    }
}

/// Compares with numbers as numbers: `ClickHouse` writes some integers as texts.
fn expect_equal(what: &str, found: &Value, expected: &Value) {
    match (found, expected) {
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).for_each(|(a, b)| expect_equal(what, a, b));
        }
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            b.iter().for_each(|(name, b)| expect_equal(&format!("{what}: {name}"), &a[name], b));
        }
        _ => match (number(found), number(expected)) {
            (Some(a), Some(b)) => assert!((a - b).abs() < 1e-9, "{what}: {found}, expected {expected}"),
            _ => assert_eq!(found, expected, "{what}"),
        },
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// The functions that the queries may use (Cloudflare documentation, "Workers Analytics Engine SQL Reference").
const FUNCTIONS: [&str; 9] =
    ["SUM", "sumIf", "quantileExactWeighted", "NOW", "now", "toStartOfInterval", "toDateTime", "toUInt32", "intDiv"];
