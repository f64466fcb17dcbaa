//! The ledger of a tenant's usage, as it is in Redis.
//!
//! The first line has the time, the units used today and in total, the time until the day ends, and the generation of the
//! usage meters. The rest is the ledger; nothing if the tenant has none.

use serde_json::{Value, json};
use sluicegate::limiter::Limiter;
use sluicegate::redis::script::Dialect;
use sluicegate::tenant::TenantId;
use sluicegate::tenant::history::{self, Day, HistoryError};
use sluicegate::time::Millis;

use crate::fake_redis::{FakeRedis, run as run_future};
use crate::input::{Lines, Words};

pub(super) fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let first = lines.text();
    let mut words = Words::new(&first);
    let now = Millis::new(words.number());
    let [day, total, reset, generation] = [(); 4].map(|()| words.number());
    let ledger = String::from_utf8_lossy(lines.rest());
    let value: Value = serde_json::from_str(&ledger).unwrap_or_default();
    let newest = value["day"].as_str().and_then(|day| day.parse::<Day>().ok());
    let ledger = if ledger.is_empty() { json!(null) } else { json!(ledger) };
    // `remaining`, `retry_ms` and `reset_ms` of each meter and of the generation, as `check.lua` replies.
    let left = |used: u64| MAX.saturating_sub(used);
    let meters = json!([1, left(day), 0, reset, left(total), 0, 0, left(generation), 0, 0, 1]);
    let replies = format!("200 {}\n200 {}", json!({ "result": ledger }), json!({ "result": meters }));
    let limiter = Limiter::new(FakeRedis::new(Lines::new(replies.as_bytes())), Dialect::Plain);
    let tenant = TenantId::new("acme").expect("a valid id");
    match run_future(history::read(&limiter, &tenant, now)) {
        Ok(history) => {
            assert_eq!(history.today.units, day.min(MAX));
            assert!(history.days.len() <= 90, "{history:?}");
            // A recorder whose clock was ahead may have closed later days.
            let newest = newest.max(Some(history.today.day.before()));
            assert!(history.days.iter().all(|day| day.units > 0 && Some(day.day) <= newest), "{history:?}");
            assert!(history.days.windows(2).all(|days| days[0].day > days[1].day), "{history:?}");
        }
        Err(HistoryError::Unreadable { problem, .. }) => assert!(!problem.is_empty()),
        Err(HistoryError::Redis(_)) => {}
    }
}

/// 2^53 - 1, the quota of a meter.
const MAX: u64 = (1 << 53) - 1;
