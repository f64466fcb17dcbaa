//! What an explanation says is what the gateway does.

use proptest::prelude::*;
use serde_json::Value;
use sluicegate::admin::explain_offline;
use sluicegate::config::{Config, Origin};

use crate::cases::{CANARY, configuration, request};
use crate::gateway::{Done, KEY, NOW, decide};

/// Reads the same from an explanation.
fn said(explanation: &Value) -> (Option<String>, Done) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let subject = || text(&explanation["caller"]["subject"]);
    let done = match explanation["outcome"].as_str().unwrap() {
        "own" => Done::Own,
        "preflight" => Done::Preflight,
        "refused" => Done::Refuse(explanation["refusal"]["status"].as_u64().unwrap().try_into().unwrap()),
        "exempt" => Done::Exempt { subject: subject() },
        "checked" => Done::Check {
            subject: subject(),
            cost: explanation["cost"]["units"].as_u64().unwrap(),
            limits: explanation["limits"]
                .as_array()
                .unwrap()
                .iter()
                .map(|limit| (text(&limit["name"]), text(&limit["key"]), limit["charge"].as_u64().unwrap()))
                .collect(),
            on_outage: match explanation["on_outage"].as_str().unwrap() {
                "open" => "open",
                "closed" => "closed",
                _ => "local",
            },
        },
        other => panic!("{other}"),
    };
    (explanation["route"]["match"].as_str().map(str::to_owned), done)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]
    #[test]
    fn explanations_say_what_the_gateway_does(
        config in configuration(),
        request in request(),
        origin in prop::sample::select(vec!["zone", "https://api.example", "https://api.example/base"]),
    ) {
        let config = config.to_string();
        let answer = explain_offline(&config, Some(origin), &request.to_string(), NOW).unwrap();
        let explanation: Value = serde_json::from_str(&answer).unwrap();
        let parsed = Config::from_json(&config).unwrap();
        let expected = decide(&parsed, &Origin::parse(origin).unwrap(), &request);
        prop_assert_eq!(said(&explanation), expected, "{}", explanation);

        let secret = KEY.reveal().rsplit('_').next().unwrap();
        for secret in [secret, CANARY, "eyJ", "concealed", "wrong"] {
            prop_assert!(!answer.contains(secret), "{} has {}", answer, secret);
        }
        // The limits are those of the plan that is named, and of the route.
        let plan = explanation["caller"]["plan"].as_str();
        let limits = plan.map_or(&[][..], |plan| parsed.plans[plan].limits());
        let mut of_plan = explanation["limits"].as_array().unwrap().iter().filter(|limit| limit["from"] == "plan");
        if explanation["outcome"] == "checked" {
            prop_assert!(limits.iter().map(|limit| limit.name().as_str()).eq(of_plan.by_ref().map(|limit| limit["name"].as_str().unwrap())));
        }
    }
}
