//! `timeout` bounds the decision of a request, not each of its round trips.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate_devstack::Fault;
use tokio::time::sleep;

use super::answer::{Answer, PATH};
use super::site::{Site, configuration};
use crate::bare::TOKEN;
use crate::support::{ADDRESS, body, client};

#[tokio::test(flavor = "multi_thread")]
async fn one_deadline_covers_all_round_trips() {
    let mut sluicegate = configuration("open", TIMEOUT);
    sluicegate["identify"] = json!(["api_key", "address"]);
    sluicegate["tenant_ttl"] = json!("1ms");
    let site = Site::start(sluicegate).await;
    let to = |path: &str| client().get(site.bare.url() + path).header(ADDRESS, "192.0.2.1");

    site.bare.network.inject(Fault::Delay(TRIP)).await;
    let answer = Answer::of(to(PATH)).await;
    assert!(answer.is_unjudged(), "EVALSHA and EVAL: {answer:?}");
    site.bare.network.heal().await;

    let key = key_of_a_tenant(&site).await;
    let answer = Answer::of(to(PATH).bearer_auth(&key)).await;
    assert!(answer.is_admitted(), "{answer:?}");
    // After twice its `tenant_ttl`, a document is read before it is used.
    sleep(Duration::from_millis(10)).await;
    site.bare.network.inject(Fault::Delay(TRIP)).await;
    let answer = Answer::of(to(PATH).bearer_auth(&key)).await;
    assert!(answer.is_unjudged(), "tenant and EVALSHA: {answer:?}");
}

/// Creates a tenant with an API key, and returns the key.
async fn key_of_a_tenant(site: &Site) -> String {
    let post = async |path: &str, document: Value| {
        let request = client().post(format!("{}/_sluicegate/v1{path}", site.bare.url())).bearer_auth(TOKEN);
        let answer =
            request.header("content-type", "application/json").body(document.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{path}");
        body(answer).await
    };
    post("/tenants", json!({ "id": "acme", "plan": "p" })).await;
    post("/tenants/acme/keys", json!({})).await["key"].as_str().unwrap().to_owned()
}

/// Longer than one round trip, shorter than two.
const TIMEOUT: Duration = Duration::from_secs(2);
const TRIP: Duration = Duration::from_millis(1200);
