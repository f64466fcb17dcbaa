//! Limits that count by more than the caller, on a cluster: within a caller as on a single Redis, for everyone not at all.

use std::cell::RefCell;

use serde_json::{Value, json};
use sluicegate::admin::{Admin, Call};
use sluicegate::config::source::ConfigSource;
use sluicegate::config::{Config, Origin};
use sluicegate::gateway::EventRing;
use sluicegate::limit::{By, InvalidCheck, Limit, LimitName, Subject};
use sluicegate::limiter::{CheckError, Limiter, Now};
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{HttpTransport, Token};
use sluicegate::time::Millis;

use crate::{RunningBridge, info, one_name_per_node, start};

fn limit(name: &str) -> Limit {
    Limit::sliding_log(LimitName::new(name).unwrap(), 2, Millis::from_secs(3600)).unwrap()
}

fn limiter(bridge: &RunningBridge) -> Limiter<&HttpTransport> {
    Limiter::new(&bridge.transport, Dialect::Plain)
}

#[tokio::test]
async fn values_of_a_caller_are_in_its_slot() {
    let (bridge, cluster) = start().await;
    let header = By::Header("x-user".into());
    let bucket = Limit::token_bucket(LimitName::new("tenant").unwrap(), 3, Millis::from_secs(3600), None).unwrap();
    let limits = [limit("user").counting_by(header.clone()), bucket, limit("place").counting_by(By::Country)];
    let key = |name: &str| Subject::named(name).state_key();
    let at = Now::At(Millis::new(1_800_000_000_000));
    for tenant in one_name_per_node(&cluster, |i| format!("tenant{i}"), key).await {
        for (user, country, allowed) in
            [("ada", "CH", true), ("ada", "DE", true), ("ada", "CH", false), ("bob", "CH", true), ("bob", "DE", false)]
        {
            let subject = Subject::named(&tenant).with(&header, user.as_bytes()).with(&By::Country, country.as_bytes());
            let verdict = limiter(&bridge).check(&subject, &limits, 1, at).await.unwrap();
            assert_eq!(verdict.is_allow(), allowed, "{tenant} {user} {country}: {verdict:?}");
        }
    }
}

#[tokio::test]
async fn everyone_is_refused_with_the_remedy() {
    let (bridge, cluster) = start().await;
    let subject = Subject::named("acme").with(&By::Everyone, b"");
    let limits = [limit("own"), limit("all").counting_by(By::Everyone)];
    let at = Now::At(Millis::new(1_800_000_000_000));
    let error = limiter(&bridge).check(&subject, &limits, 1, at).await.unwrap_err();
    assert!(matches!(&error, CheckError::Invalid(InvalidCheck::Slots { .. })), "{error:?}");
    assert!(error.to_string().contains("(use a Redis that is not a cluster, or remove the limit)"), "{error}");
    assert_eq!(info(&cluster, "keyspace", "db0:keys="), [0, 0, 0], "nothing is charged");

    let all = json!({ "name": "all", "algorithm": "token_bucket", "limit": 5, "window": "1s", "by": "everyone" });
    let own = json!({ "name": "own", "algorithm": "token_bucket", "limit": 5, "window": "1s" });
    for (limits, problems) in [(json!([own, all]), 1), (json!([own]), 0)] {
        let config =
            json!({ "default_plan": "p", "timeout": "30s", "clock": "redis", "plans": { "p": { "limits": limits } } });
        let config = Config::from_json(&config.to_string()).unwrap();
        let (limiter, token) = (limiter(&bridge), Token::new("admin").unwrap());
        let clock = || Millis::new(1_800_000_000_000);
        let admin = Admin {
            config: &config,
            origin: &Origin::Zone,
            limiter: &limiter,
            token: &token,
            clock: &clock,
            token_keys: None,
            rejected_config: None,
            url: None,
            breaker: None,
            source: &ConfigSource::Variable,
            tokens: None,
            events: &RefCell::new(EventRing::new(0)),
            sightings: &RefCell::default(),
        };
        let call = Call { method: "GET", path: "/diagnosis", authorization: Some("Bearer admin"), ..Call::default() };
        let answer: Value = serde_json::from_str(&admin.answer(&call, [0; 20]).await.body).unwrap();
        let found = answer["problems"].as_array().unwrap();
        let of_everyone = found.iter().filter(|problem| problem["check"] == "everyone").count();
        assert_eq!(of_everyone, problems, "{answer}");
    }
}
