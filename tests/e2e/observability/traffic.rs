//! Requests of every kind to one Worker, and what it has written about them.

use reqwest::RequestBuilder;
use serde_json::{Map, Value, json};

use crate::bare::{Bare, TOKEN};
use crate::support::{ADDRESS, body, client, status, until};

/// A Worker that has served the requests.
pub(super) struct Traffic {
    bare: Bare,
    /// The data points, one per request.
    pub(super) points: Vec<Value>,
}

fn configuration() -> Value {
    let hour =
        |name: &str, limit: u64| json!({ "name": name, "algorithm": "sliding_log", "limit": limit, "window": "1h" });
    json!({
        "identify": ["api_key", "address"],
        "default_plan": "free",
        "timeout": "30s",
        "local_refusals": "0s",
        // No isolate reports to the overview, which would fail during the outage.
        "usage": false,
        "on_outage": "closed",
        "log_allowed_one_in": 1,
        "plans": { "free": { "limits": [hour("hour", 2)] }, "pro": { "limits": [hour("hour", 3)] } },
        "routes": [
            { "match": "GET /open", "on_outage": "open" },
            { "match": "GET /local", "on_outage": "local" },
            { "match": "GET /costly", "cost": 50, "limits": [hour("units", 60)] },
            { "match": "GET /members", "require_key": true },
            { "match": "GET /health", "exempt": true },
            { "match": "GET /dead", "exempt": true, "origin": "http://127.0.0.1:9" },
            { "match": "GET /try", "shadow": true, "limits": [hour("dim", 1)] },
        ],
    })
}

/// The requests: caller, path, status, and the point's route, verdict, limit, decider, plan, problem and cost.
#[rustfmt::skip]
const REQUESTS: [(&str, &str, u16, [&str; 6], u64); 18] = [
    ("acme", "/a", 200, ["-", "allow", "", "redis", "pro", ""], 1),
    ("acme", "/a", 200, ["-", "allow", "", "redis", "pro", ""], 1),
    ("acme", "/a", 200, ["-", "allow", "", "redis", "pro", ""], 1),
    ("acme", "/a", 429, ["-", "deny", "hour", "redis", "pro", "quota-exceeded"], 1),
    ("acme", "/a", 429, ["-", "deny", "hour", "redis", "pro", "quota-exceeded"], 1),
    ("203.0.113.1", "/a", 200, ["-", "allow", "", "redis", "free", ""], 1),
    ("203.0.113.1", "/a", 200, ["-", "allow", "", "redis", "free", ""], 1),
    ("203.0.113.1", "/a", 429, ["-", "deny", "hour", "redis", "free", "quota-exceeded"], 1),
    ("203.0.113.2", "/costly", 200, ["GET /costly", "allow", "", "redis", "free", ""], 50),
    ("203.0.113.2", "/costly", 429, ["GET /costly", "deny", "units", "redis", "free", "quota-exceeded"], 50),
    ("203.0.113.3", "/members", 401, ["GET /members", "refused", "", "", "", "key-required"], 0),
    ("203.0.113.4", "/health", 200, ["GET /health", "exempt", "", "", "", ""], 0),
    ("203.0.113.4", "/dead", 502, ["GET /dead", "exempt", "", "", "", ""], 0),
    ("203.0.113.5", "/try", 200, ["GET /try", "allow", "", "redis", "free", ""], 1),
    ("203.0.113.5", "/try", 200, ["GET /try", "shadow", "dim", "redis", "free", ""], 1),
    // From here on, Redis is unavailable.
    ("203.0.113.6", "/open", 200, ["GET /open", "unjudged", "", "", "free", ""], 1),
    ("203.0.113.6", "/a", 503, ["-", "refused", "", "", "free", "temporary-reduced-capacity"], 1),
    ("203.0.113.6", "/local", 200, ["GET /local", "allow", "", "memory", "free", ""], 1),
];

/// The requests before Redis becomes unavailable.
const JUDGED: usize = 15;

impl Traffic {
    pub(super) async fn send() -> Self {
        let mut bare = Bare::start_main(configuration(), include_str!("recorder.js")).await;
        let key = create_tenant(&bare).await;
        for (number, (caller, path, expected, ..)) in REQUESTS.into_iter().enumerate() {
            if number == JUDGED {
                bare.bridge.stop().await;
            }
            let request = client().get(format!("{}{path}", bare.url()));
            let request = if caller == "acme" { request.bearer_auth(&key) } else { request.header(ADDRESS, caller) };
            assert_eq!(status(request).await, expected, "{number}: {caller} {path}");
        }
        let mut points = Vec::new();
        until("all points are written", async || {
            points = bare.log().lines().filter_map(point).collect();
            points.len() == REQUESTS.len()
        })
        .await;
        Self { bare, points }
    }

    /// Fails unless each point says what its request was.
    pub(super) fn expect_points(&self) {
        for (point, (caller, path, status, texts, cost)) in self.points.iter().zip(REQUESTS) {
            let row = fields(point);
            let index = match texts[1] {
                "refused" if texts[5] == "key-required" => "-".to_owned(),
                _ if caller == "acme" => "acme".to_owned(),
                _ => format!("ip:{caller}"),
            };
            assert_eq!(row["index1"], index, "{path}: {point}");
            let columns = ["blob1", "blob2", "blob3", "blob6", "blob7", "blob8"];
            assert_eq!(columns.map(|column| row[column].as_str().unwrap()), texts, "{path}: {point}");
            assert_eq!((&row["blob4"], &row["blob5"]), (&"FRA".into(), &"DE".into()), "{point}");
            let refusal = if texts[5].is_empty() { 0 } else { status };
            assert_eq!([&row["double1"], &row["double4"]], [&json!(cost), &json!(refusal)], "{path}: {point}");
            assert!(row["double3"].as_u64().is_some(), "{point}");
        }
        let remaining = |number: usize| fields(&self.points[number])["double2"].clone();
        assert_eq!([remaining(0), remaining(1), remaining(2)], [json!(2), json!(1), json!(0)]);
    }

    /// Returns the lines of the log, with the summary of the second refusal of acme, which comes after ten seconds.
    pub(super) async fn lines_with_summary(&self) -> Vec<Value> {
        let lines =
            || self.bare.log().lines().filter(|line| point(line).is_none()).filter_map(crate::log::json).collect();
        let mut found: Vec<Value> = lines();
        until("the summary", async || {
            self.bare.head("/health").await;
            found = lines();
            found.iter().any(|line| line.get("seconds").is_some())
        })
        .await;
        found
    }
}

/// Returns the point in a line of the log.
fn point(line: &str) -> Option<Value> {
    serde_json::from_str(line.split_once("data point ")?.1).ok()
}

/// Returns a point as a row: its values by column.
pub(super) fn fields(point: &Value) -> Map<String, Value> {
    let kinds = [("indexes", "index"), ("blobs", "blob"), ("doubles", "double")];
    let columns = kinds.into_iter().flat_map(|(kind, name)| {
        let values = point[kind].as_array().unwrap().iter().enumerate();
        values.map(move |(number, value)| (format!("{name}{}", number + 1), value.clone()))
    });
    columns.collect()
}

/// Creates the tenant `acme` under the plan `pro` and returns its key.
async fn create_tenant(bare: &Bare) -> String {
    let post = |path: &str, body: Value| -> RequestBuilder {
        let request = client().post(format!("{}/_sluicegate/v1{path}", bare.url())).bearer_auth(TOKEN);
        request.header("content-type", "application/json").body(body.to_string())
    };
    assert_eq!(status(post("/tenants", json!({ "id": "acme", "plan": "pro" }))).await, 201);
    let created = body(post("/tenants/acme/keys", json!({})).send().await.unwrap()).await;
    created["key"].as_str().unwrap().to_owned()
}
