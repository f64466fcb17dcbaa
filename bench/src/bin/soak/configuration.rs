//! The limits of the Worker.

use std::time::Duration;

use serde_json::{Value, json};

/// Returns the variable `SLUICEGATE`: every algorithm, and every setting that leads to work after the response.
pub(crate) fn configuration() -> Value {
    let places = json!([{ "name": "places", "algorithm": "concurrency", "limit": 6, "lease": LEASE_TEXT }]);
    let one = |name: &str, algorithm: &str, limit: u64, window: &str| json!([{ "name": name, "algorithm": algorithm, "limit": limit, "window": window }]);
    json!({
        "identify": ["api_key", "address"],
        "default_plan": "anonymous",
        "on_outage": "open",
        "timeout": "250ms",
        "plans": {
            "anonymous": { "limits": [
                { "name": "second", "algorithm": "token_bucket", "limit": 40, "window": "1s" },
                { "name": "minute", "algorithm": "sliding_window", "limit": 1500, "window": "1m" },
            ] },
            "free": { "limits": [
                { "name": "second", "algorithm": "sliding_window", "limit": 15, "window": "1s" },
                { "name": "day", "algorithm": "fixed_window", "limit": 1_000_000_000, "window": "day" },
            ] },
            "pro": { "limits": [
                { "name": "second", "algorithm": "token_bucket", "limit": 100, "window": "1s" },
                { "name": "inflight", "algorithm": "concurrency", "limit": 8, "lease": LEASE_TEXT },
            ] },
        },
        "routes": [
            { "match": "GET /status/200", "exempt": true },
            { "match": "GET /status/*", "limits": one("failing", "sliding_log", 5, "1s"), "refund_on": ["5xx"],
              "on_outage": "closed" },
            { "match": "GET /headers", "require_key": true, "cost": 10, "settle": "x-tokens-used",
              "limits": one("tokens", "token_bucket", 2000, "10s"), "on_outage": "closed" },
            { "match": "GET /log/*", "limits": one("log", "sliding_log", 10, "1s"), "on_outage": "closed" },
            { "match": "GET /window/*", "limits": one("window", "sliding_window", 50, "10s"), "on_outage": "local" },
            { "match": "GET /fixed/*", "limits": one("fixed", "fixed_window", 200, "minute"), "on_outage": "open" },
            { "match": "GET /shadow/*", "limits": one("shadow", "sliding_log", 5, "1s"), "shadow": true },
            { "match": "GET /bytes/*", "limits": places, "on_outage": "closed" },
            { "match": "POST /upload", "limits": places, "cost": 2, "count_on": ["200"], "on_outage": "closed" },
            { "match": "* /broken", "limits": places, "on_outage": "local" },
            { "match": "* /stream", "limits": places, "settle": "x-tokens-used", "cost": 5, "on_outage": "local" },
            { "match": "* /sse", "limits": places, "on_outage": "local" },
            { "match": "* /slow/*", "limits": places, "on_outage": "open" },
        ],
    })
}

/// The tenants and their plans.
pub(crate) const TENANTS: [(&str, &str); 4] =
    [("free-1", "free"), ("free-2", "free"), ("pro-1", "pro"), ("pro-2", "pro")];

/// How long a lease counts if nobody releases it.
pub(crate) const LEASE: Duration = Duration::from_secs(10);
const LEASE_TEXT: &str = "10s";

#[cfg(test)]
mod tests {
    use sluicegate::config::Config;

    use super::*;

    #[test]
    fn the_worker_accepts_the_configuration() {
        Config::from_json(&configuration().to_string()).unwrap();
        assert_eq!(LEASE_TEXT, format!("{LEASE:?}"));
    }
}
