//! The costs in Redis commands and requests in the table of `docs/operations.md` match the counts of Redis.

use sluicegate::limit::{By, LeaseId, Limit, Subject, usage};
use sluicegate::limiter::{Correction, Now};
use sluicegate::redis::{self, Command};
use sluicegate::tenant::TenantId;

use crate::cost_meter::{AT, Cost, CostMeter, MINUTE, name, packed};
use crate::document;

/// Returns the cost `more` less the cost `less`.
fn difference(more: Cost, less: Cost) -> Cost {
    (more.0 - less.0, more.1 - less.1)
}

/// Returns the additional cost of each limit of this kind, for an allowed and a denied check. Each denies the third
/// request.
async fn cost_per_limit(meter: &mut CostMeter, kind: impl Fn(&str) -> Limit) -> [Cost; 2] {
    let without = meter.allow_and_deny_costs(&packed(2)).await;
    let one = meter.allow_and_deny_costs(&[packed(300), vec![kind("a")]].concat()).await;
    let two = meter.allow_and_deny_costs(&[packed(300), vec![kind("b"), kind("c")]].concat()).await;
    let [allowed, denied] = [0, 1].map(|i| difference(one[i], without[i]));
    assert_eq!([0, 1].map(|i| difference(two[i], one[i])), [allowed, denied], "two limits cost twice as much as one");
    [allowed, denied]
}

#[tokio::test]
async fn documented_costs_match_what_redis_counts() {
    let mut meter = CostMeter::start().await;
    let mut table: Vec<(&str, Cost)> = Vec::new();

    let [allowed, denied] = meter.allow_and_deny_costs(&packed(2)).await;
    table.push(("a request that packed limits admit", allowed));
    table.push(("a request that they refuse", denied));
    table.push(("a request that is refused from memory", meter.repeated_refusal_cost(&packed(2)).await));
    // The first time loads the script that gives back.
    meter.prefetch_costs(&packed(300)).await;
    let [taking, spending, giving_back] = meter.prefetch_costs(&packed(300)).await;
    table.push(("a request whose units were taken in advance", spending));
    table.push(("taking units in advance, more", difference(taking, allowed)));
    table.push((
        "giving back what is left of them; twice that if some limits count requests and others do not",
        giving_back,
    ));
    let metered = meter.allow_and_deny_costs(&usage::with_meters(&packed(2))).await;
    table.push(("counting the usage of a tenant, more", difference(metered[0], allowed)));
    let by = |text: &str, by: By| Limit::token_bucket(name(text), 300, MINUTE, None).unwrap().counting_by(by);
    let further = [by("place", By::Country), by("all", By::Everyone)];
    let one_more = meter.allow_and_deny_costs(&[packed(2), further[..1].to_vec()].concat()).await;
    let two_more = meter.allow_and_deny_costs(&[packed(2), further.to_vec()].concat()).await;
    let more = [0, 1].map(|i| difference(one_more[i], [allowed, denied][i]));
    assert_eq!([0, 1].map(|i| difference(two_more[i], one_more[i])), more, "two cost twice as much as one");
    table.push(("each further subject of limits with `by` that admit, more", more[0]));
    table.push(("each further subject of limits with `by`, if a limit refuses, more", more[1]));
    meter.reset(&[]).await;
    table
        .push(("`clock = \"redis\"`, more", difference(meter.check_cost(&packed(2), true, Now::Redis).await, allowed)));

    let log = |text: &str| Limit::sliding_log(name(text), 2, MINUTE).unwrap();
    let [allowed, denied] = cost_per_limit(&mut meter, log).await;
    table.push(("each `sliding_log` that admits, more", allowed));
    table.push(("each `sliding_log` that refuses, more", denied));
    let inflight = |text: &str| Limit::concurrency(name(text), 2, MINUTE).unwrap();
    let [allowed, denied] = cost_per_limit(&mut meter, inflight).await;
    table.push(("each `concurrency` that admits, more", allowed));
    table.push(("each `concurrency` that refuses, more", denied));
    meter.check_cost(&[inflight("d")], true, AT).await;
    for id in ["that-loads-the-script".to_owned(), format!("lease-{}", meter.leases)] {
        meter.take_cost();
        meter.limiter.release(&Subject::named("acme"), &[inflight("d")], &LeaseId::new(&id).unwrap()).await.unwrap();
    }
    table.push(("the end of a lease", meter.take_cost()));

    meter.check_cost(&packed(300), true, AT).await;
    table.push((
        "a cost at packed limits that is corrected upwards",
        meter.settle_cost(&packed(300), Correction::Charge(2)).await,
    ));
    table.push(("… downwards, or to nothing", meter.settle_cost(&packed(300), Correction::GiveBack(1)).await));
    let several = [packed(300), further[..1].to_vec()].concat();
    meter.check_cost(&several, true, AT).await;
    for (what, correction, of_one) in [
        ("… each further subject, upwards, more", Correction::Charge(3), Correction::Charge(4)),
        ("… each further subject, downwards, more", Correction::GiveBack(2), Correction::GiveBack(3)),
    ] {
        let one = meter.settle_cost(&packed(300), of_one).await;
        table.push((what, difference(meter.settle_cost(&several, correction).await, one)));
    }

    meter.create_tenant("acme").await;
    meter.take_cost();
    assert!(meter.tenants().get(&TenantId::new("acme").unwrap()).await.unwrap().is_some());
    table.push(("reading a tenant", meter.take_cost()));
    redis::run::<String>(meter.limiter.transport(), Command::new("PING")).await.unwrap();
    table.push(("the health, once a second at most", meter.take_cost()));

    let [reporting, reading] = CostMeter::start().await.overview_costs().await;
    table.push(("a report for the overview, whatever the number of its tenants", reporting));
    table.push(("the overview, whatever the number of tenants", reading));

    meter.reset(&packed(1)).await;
    meter.recorder_cost(1, &["acme"]).await;
    table.push(("a run of the cron trigger that has nothing to do", meter.recorder_cost(1, &[]).await));
    let one = meter.recorder_cost(2, &["acme"]).await;
    meter.create_tenant("bolt").await;
    meter.recorder_cost(3, &["acme", "bolt"]).await;
    let two = meter.recorder_cost(4, &["acme", "bolt"]).await;
    let used = difference(two, one);
    let idle = difference(meter.recorder_cost(5, &["acme"]).await, one);
    table.push(("once a day, all tenants together", difference(one, used)));
    table.push(("once a day, a tenant that used something", used));
    table.push(("once a day, one that did not", idle));

    let text = document("docs/operations.md");
    let below = text.split_once("\n| what | commands | requests |\n").expect("the table").1;
    let documented: Vec<&str> = below.lines().skip(1).take_while(|line| line.starts_with('|')).collect();
    let counted: Vec<String> =
        table.iter().map(|(what, (commands, requests))| format!("| {what} | {commands} | {requests} |")).collect();
    assert_eq!(documented, counted, "\n{}", counted.join("\n"));
}
