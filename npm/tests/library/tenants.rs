//! Tenants: the library reads the documents that the admin API of the deployed Worker writes.

use reqwest::Client;
use serde_json::{Value, json};

use crate::support::{Both, body, header};

fn configuration() -> Value {
    let hour = |limit: u64| {
        json!({ "limits": [
        { "name": "hour", "algorithm": "sliding_log", "limit": limit, "window": "365d" }
    ] })
    };
    json!({
        "identify": ["api_key", "address"],
        "default_plan": "anonymous",
        "timeout": "30s",
        "local_refusals": "0s",
        "on_outage": "closed",
        "tenant_ttl": "1s",
        "plans": { "anonymous": hour(1), "five": hour(5) },
    })
}

async fn whoami(both: &Both, key: &str) -> Value {
    let request = Client::new().get(format!("{}/whoami", both.library.url())).bearer_auth(key);
    body(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_knows_the_tenants_of_the_worker() {
    let both = Both::start(&configuration()).await;
    let overrides = json!({ "hour": { "limit": 7 } });
    let tenant = json!({ "id": "acme", "plan": "five", "overrides": overrides });
    assert_eq!(both.admin("POST", "/tenants", &tenant).await.status(), 201);
    let made = body(both.admin("POST", "/tenants/acme/keys", &json!({})).await).await;
    let key = made["key"].as_str().unwrap();

    assert_eq!(whoami(&both, key).await, json!({ "tenant": "acme", "plan": "five", "status": "active" }));
    let mut mistyped = key.to_owned();
    mistyped.replace_range(key.len() - 1.., if key.ends_with('0') { "1" } else { "0" });
    for wrong in [mistyped.as_str(), "sgk_acme", "secret"] {
        assert_eq!(whoami(&both, wrong).await, Value::Null);
    }

    let check = json!({ "tenant": "acme", "cost": 2 });
    let first = both.library(&check).await;
    assert!(header(&first, "ratelimit").starts_with("\"hour\";r=5;"), "the override applies");
    assert_eq!(body(first).await["limits"].as_array().unwrap().len(), 1, "usage meters are not limits");
    let request = Client::new().get(format!("{}/hello", both.stack.worker.url())).bearer_auth(key);
    assert!(header(&request.send().await.unwrap(), "ratelimit").starts_with("\"hour\";r=4;"));
    assert_eq!(both.api(&check).await["limits"][0]["remaining"], 2);
    assert_eq!(both.library(&check).await.status(), 200);
    assert_eq!(both.library(&check).await.status(), 429);
    let usage = body(both.admin("GET", "/tenants/acme/usage", &Value::Null).await).await;
    assert_eq!(usage["today"]["units"], 7, "what the library charges is metered: {usage}");

    assert_eq!(both.library(&json!({ "tenant": "nobody" })).await.status(), 401);
    let suspended = both.admin("PATCH", "/tenants/acme", &json!({ "status": "suspended" })).await;
    assert_eq!(suspended.status(), 200);
    // A document is used for its time to live.
    let refused = loop {
        let answer = both.library(&json!({ "tenant": "acme", "peek": true })).await;
        if answer.status() == 403 {
            break answer;
        }
        assert_eq!(answer.status(), 200);
    };
    assert_eq!(body(refused).await["title"], "Tenant suspended");
    both.stop().await;
}
