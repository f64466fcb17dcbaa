//! All tenants at a glance: the order, the limits, and what is left out.

use serde_json::{Value, json};
use sluicegate::tenant::overview::Sightings;

use crate::service::{NOON, Service};

const DAY: u64 = 86_400_000;

/// Plans with large limits, and a route with a limit of its own.
fn config() -> Value {
    let tokens = json!({ "name": "tokens", "algorithm": "fixed_window", "limit": 100, "window": "hour" });
    json!({
        "default_plan": "monthly",
        "timeout": "30s",
        "plans": {
            "monthly": { "limits": [
                { "name": "month", "algorithm": "fixed_window", "limit": 1000, "window": "month" },
                { "name": "burst", "algorithm": "token_bucket", "limit": 500, "window": "10s", "burst": 1000 },
            ] },
            "log": { "limits": [{ "name": "hour", "algorithm": "sliding_log", "limit": 100, "window": "1h" }] },
            "huge": { "limits": [
                { "name": "month", "algorithm": "fixed_window", "limit": 1_000_000_000, "window": "month" },
            ] },
        },
        "routes": [{ "match": "POST /v1/chat", "limits": [tokens] }],
    })
}

async fn start() -> Service {
    Service::with(&config()).await
}

/// Charges units to a tenant, and returns whether they were admitted.
async fn charge(service: &Service, tenant: &str, cost: u64) -> bool {
    let reply = service.call("POST", "/check", json!({ "tenant": tenant, "cost": cost })).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body["allowed"].as_bool().unwrap()
}

async fn overview(service: &Service) -> Value {
    let reply = service.call("GET", "/overview", Value::Null).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

/// Returns the tenants of a list.
fn tenants(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|entry| entry["tenant"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn overview_without_reports_is_empty() {
    let service = start().await;
    let expected = json!({
        "as_of": "2026-11-23T12:00:00Z", "reported_at": null, "day": "2026-11-23",
        "top": [], "near_limit": [], "more": false,
    });
    assert_eq!(overview(&service).await, expected);
}

#[tokio::test]
async fn twenty_tenants_are_listed_by_their_units_of_today() {
    let service = start().await;
    for i in 1..=25 {
        let tenant = format!("t{i:02}");
        service.tenant(&tenant, "monthly").await;
        assert!(charge(&service, &tenant, i).await);
    }
    assert!(service.report().await && !service.report().await);
    service.advance(1500);
    // Not reported: an eighth more would be.
    assert!(charge(&service, "t25", 3).await);
    let found = overview(&service).await;
    let listed: Vec<String> = (6..=25).rev().map(|i| format!("t{i:02}")).collect();
    assert_eq!(tenants(&found["top"]), listed);
    let first = json!({ "tenant": "t25", "plan": "monthly", "status": "active", "units": 28, "refused": 0 });
    assert_eq!(found["top"][0], first, "the units are those of now");
    assert_eq!(
        (&found["reported_at"], &found["as_of"]),
        (&json!("2026-11-23T12:00:00Z"), &json!("2026-11-23T12:00:01.500Z"))
    );
    assert_eq!((&found["near_limit"], &found["more"]), (&json!([]), &json!(false)));

    service.advance(DAY);
    assert!(charge(&service, "t01", 7).await);
    service.report().await;
    let found = overview(&service).await;
    assert_eq!((tenants(&found["top"]), &found["day"]), (vec!["t01"], &json!("2026-11-24")));
}

#[tokio::test]
async fn limits_are_those_in_force_now() {
    let service = start().await;
    service.tenant("plain", "monthly").await;
    let overrides = json!({ "month": { "limit": 2000, "until": "2026-11-23T13:00:00Z" } });
    let body = json!({ "id": "raised", "plan": "monthly", "overrides": overrides });
    assert_eq!(service.call("POST", "/tenants", body).await.status, 201);
    for tenant in ["plain", "raised"] {
        assert!(charge(&service, tenant, 850).await);
    }
    service.report().await;
    let found = overview(&service).await;
    let (now, next_month) = (NOON, 1_796_083_200_000_u64);
    let month = |reset_ms: u64| json!({ "name": "month", "algorithm": "fixed_window", "limit": 1000, "used": 850, "remaining": 150, "reset_ms": reset_ms });
    let burst = json!({ "name": "burst", "algorithm": "token_bucket", "limit": 500, "used": 850, "remaining": 150, "reset_ms": 17_000 });
    let near = |tenant: &str, limits: Value| json!({ "tenant": tenant, "plan": "monthly", "status": "active", "limits": limits });
    assert_eq!(
        found["near_limit"],
        json!([near("plain", json!([month(next_month - now), burst])), near("raised", json!([burst]))])
    );

    // The bucket refills, and without a request the override ends.
    service.advance(3_600_000);
    let found = overview(&service).await;
    let month = month(next_month - now - 3_600_000);
    assert_eq!(found["near_limit"], json!([near("plain", json!([month])), near("raised", json!([month]))]));
    // The next month.
    service.advance(next_month - now);
    assert_eq!(overview(&service).await["near_limit"], json!([]));
}

#[tokio::test]
async fn a_tenant_at_its_monthly_limit_stays_while_it_is_idle() {
    let service = start().await;
    service.tenant("acme", "monthly").await;
    assert!(charge(&service, "acme", 1000).await && !charge(&service, "acme", 1).await);
    service.report().await;
    service.advance(3 * DAY);
    // Others report on other days, more than there are places for their units.
    for i in 0..70 {
        let tenant = format!("busy-{i}");
        service.tenant(&tenant, "monthly").await;
        charge(&service, &tenant, 5).await;
    }
    while service.report().await {}
    let found = overview(&service).await;
    assert_eq!(tenants(&found["near_limit"]), ["acme"]);
    assert_eq!(found["near_limit"][0]["limits"][0]["used"], 1000);
    assert!(!tenants(&found["top"]).contains(&"acme"));
    assert_eq!(found["top"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn suspended_tenants_stay_and_deleted_ones_go() {
    let service = start().await;
    for tenant in ["stays", "suspended", "deleted", "reset", "elsewhere"] {
        service.tenant(tenant, "monthly").await;
        assert!(charge(&service, tenant, 900).await);
    }
    service.report().await;
    let patch = |plan: &str, status: &str| json!({ "plan": plan, "status": status });
    assert_eq!(service.call("PATCH", "/tenants/suspended", patch("monthly", "suspended")).await.status, 200);
    assert_eq!(service.call("PATCH", "/tenants/elsewhere", patch("huge", "active")).await.status, 200);
    assert_eq!(service.call("DELETE", "/tenants/deleted", Value::Null).await.status, 204);
    assert_eq!(service.call("POST", "/tenants/reset/reset", Value::Null).await.status, 204);
    let found = overview(&service).await;
    assert_eq!(tenants(&found["top"]), ["elsewhere", "stays", "suspended"]);
    assert_eq!(tenants(&found["near_limit"]), ["stays", "suspended"]);
    for list in ["top", "near_limit"] {
        assert_eq!(found[list].as_array().unwrap().last().unwrap()["status"], "suspended");
    }
}

#[tokio::test]
async fn sliding_logs_are_shown_as_they_were_seen() {
    let service = start().await;
    service.tenant("acme", "log").await;
    assert!(charge(&service, "acme", 90).await);
    service.report().await;
    service.advance(60_000);
    let hour = json!({
        "name": "hour", "algorithm": "sliding_log", "limit": 100, "used": 90, "remaining": 10,
        "reset_ms": 3_540_000, "as_of": "2026-11-23T12:00:00Z",
    });
    assert_eq!(overview(&service).await["near_limit"][0]["limits"], json!([hour]));
    service.advance(3_540_000);
    assert_eq!(overview(&service).await["near_limit"], json!([]), "the log is full again");
}

#[tokio::test]
async fn limits_of_routes_are_shown_with_their_route() {
    let service = start().await;
    service.tenant("acme", "huge").await;
    let tokens = config()["routes"][0]["limits"][0].clone();
    let body = json!({ "tenant": "acme", "cost": 80, "limits": [tokens] });
    assert_eq!(service.call("POST", "/check", body).await.body["allowed"], true);
    service.report().await;
    let tokens = json!({
        "name": "tokens", "algorithm": "fixed_window", "limit": 100, "used": 80, "remaining": 20,
        "reset_ms": 3_600_000, "route": "POST /v1/chat",
    });
    assert_eq!(overview(&service).await["near_limit"][0]["limits"], json!([tokens]));
}

#[tokio::test]
async fn refusals_are_counted_for_each_day() {
    let service = start().await;
    service.tenant("acme", "monthly").await;
    assert!(charge(&service, "acme", 1000).await);
    for _ in 0..17 {
        assert!(!charge(&service, "acme", 1).await);
    }
    service.report().await;
    assert_eq!(overview(&service).await["top"][0]["refused"], 17);
    // Another isolate adds its own.
    service.sightings.take();
    for _ in 0..5 {
        assert!(!charge(&service, "acme", 1).await);
    }
    service.report().await;
    assert_eq!(overview(&service).await["top"][0]["refused"], 22);
}

#[tokio::test]
async fn only_requests_of_tenants_are_reported() {
    let service = start().await;
    service.tenant("acme", "monthly").await;
    let peek = json!({ "tenant": "acme", "peek": true });
    assert_eq!(service.call("POST", "/check", peek).await.body["allowed"], true);
    let body = json!({ "subject": "someone", "plan": "monthly", "cost": 900 });
    assert_eq!(service.call("POST", "/check", body).await.body["allowed"], true);
    assert!(!service.report().await);
}

#[tokio::test]
async fn an_unreadable_document_does_not_hide_the_others() {
    let mut service = start().await;
    for tenant in ["good", "bad"] {
        service.tenant(tenant, "monthly").await;
        assert!(charge(&service, tenant, 900).await);
    }
    service.report().await;
    service.redis::<()>(&["SET", "sg:1:{bad}:tenant", "{"]);
    let reply = service.call("GET", "/overview", Value::Null).await;
    assert_eq!((reply.status, tenants(&reply.body["top"])), (200, vec!["good"]));
    assert!(reply.failure.unwrap().contains("tenant bad"));
    for garbage in ["x", "1\ngood 1 2 3", "1\n\u{0}"] {
        service.redis::<()>(&["SET", "sg:1:overview", garbage]);
        assert_eq!(overview(&service).await["top"], json!([]), "{garbage:?}");
    }
}

/// Several isolates see more tenants than there are places. No tenant that is missing has used more than an eighth more
/// than the last one that is listed.
#[tokio::test]
async fn a_missing_tenant_has_used_little_more_than_the_last_one() {
    let service = start().await;
    let (count, isolates) = (90_usize, [const { std::cell::RefCell::<Option<Sightings>>::new(None) }; 3]);
    let name = |tenant: usize| format!("t{tenant}");
    for tenant in 0..count {
        service.tenant(&name(tenant), "huge").await;
    }
    let mut units = vec![0_u64; count];
    let mut random = 7_u64;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    for step in 0..1500 {
        let (tenant, isolate) = (usize::try_from(next(count as u64)).unwrap(), &isolates[step % 3]);
        let cost = 1 + next(1 + 10 * tenant as u64);
        service.sightings.replace(isolate.take().unwrap_or_default());
        assert!(charge(&service, &name(tenant), cost).await);
        units[tenant] += cost;
        if step % 7 < 3 {
            service.report().await;
        }
        isolate.replace(Some(service.sightings.take()));
    }
    for isolate in &isolates {
        service.sightings.replace(isolate.take().unwrap());
        service.advance(30_000);
        while service.report().await {}
    }
    let found = overview(&service).await;
    let listed = found["top"].as_array().unwrap();
    assert_eq!(listed.len(), 20);
    for entry in listed {
        let tenant: usize = entry["tenant"].as_str().unwrap()[1..].parse().unwrap();
        assert_eq!(entry["units"], units[tenant], "exact, whatever was reported");
        units[tenant] = 0;
    }
    let last = listed[19]["units"].as_u64().unwrap();
    let most = units.iter().max().unwrap();
    assert!(*most <= last + last / 8 + 1, "{most} is missing, {last} is the last one");
}
