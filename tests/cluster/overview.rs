//! The overview of tenants whose keys are on all nodes.

use sluicegate::config::Config;
use sluicegate::limit::usage::{self, Usage};
use sluicegate::limit::{Limit, LimitName, Window};
use sluicegate::limiter::{Decider, Limiter, Now};
use sluicegate::redis::script::Dialect;
use sluicegate::tenant::overview::{self, Sightings};
use sluicegate::tenant::store::{Create, TenantStore};
use sluicegate::tenant::{Settings, Tenant, TenantId};
use sluicegate::time::Millis;

use crate::harness::traffic::START;
use crate::start;

#[tokio::test]
async fn tenants_of_all_nodes_are_read_at_once() {
    let (bridge, _cluster) = start().await;
    let limiter = Limiter::new(bridge.transport.clone(), Dialect::Plain);
    let config = r#"{"default_plan":"p","plans":{"p":{"limits":[
        {"name":"month","algorithm":"fixed_window","limit":30,"window":"month"}]}}}"#;
    let config = Config::from_json(config).unwrap();
    let month = Limit::fixed_window(LimitName::new("month").unwrap(), 30, Window::Month).unwrap();
    let (limits, now) = (usage::with_meters(&[month]), Millis::new(START));
    let mut sightings = Sightings::default();
    for units in 1..=30 {
        let id = TenantId::new(&format!("t{units}")).unwrap();
        let created = TenantStore::of(&limiter).create(&id, Tenant::new(Settings::new("p")).unwrap()).await.unwrap();
        assert!(matches!(created, Create::Created(_)));
        let verdict = limiter.check(&id.subject(), &limits, units, Now::At(now)).await.unwrap();
        let (verdict, used) = usage::split(verdict);
        assert_eq!(used, Some(Usage { day: units, total: units }));
        sightings.note(&id, &verdict, used.unwrap(), Decider::Redis, now);
    }
    assert_eq!(sightings.take_report(now).send(&limiter, now).await, Ok(0), "places are free");
    let overview = overview::read(&limiter, &config, now).await.unwrap();
    let top: Vec<u64> = overview.top.iter().map(|tenant| tenant.units).collect();
    assert_eq!(top, (11..=30).rev().collect::<Vec<_>>());
    let near: Vec<&str> = overview.near.iter().map(|tenant| tenant.id.as_str()).collect();
    assert_eq!(near, ["t30", "t29", "t28", "t27", "t26", "t25", "t24"]);
}
