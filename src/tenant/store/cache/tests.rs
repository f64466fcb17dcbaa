//! Tests of the cache, with a clock that the test moves.

use proptest::prelude::*;

use super::*;
use crate::tenant::settings::Settings;

const TTL: u64 = 30_000;
const A_DAY: u64 = 86_400_000;

fn cache(capacity: usize) -> TenantCache {
    TenantCache::new(capacity, Millis::new(TTL))
}

fn id(number: usize) -> TenantId {
    TenantId::new(&format!("t{number}")).unwrap()
}

fn tenant(plan: &str) -> Tenant {
    Tenant::new(Settings::new(plan)).unwrap()
}

fn shared(plan: &str) -> Arc<Tenant> {
    Arc::new(tenant(plan))
}

fn at(ms: u64) -> Millis {
    Millis::new(ms)
}

#[test]
fn entries_are_fresh_for_the_time_to_live_then_stale() {
    for value in [Some("pro"), None] {
        let mut cache = cache(10);
        assert_eq!(cache.lookup(&id(1), at(0)), CacheLookup::Absent);
        let put = cache.put(&id(1), value.map(tenant), at(1000));
        assert_eq!(put, value.map(shared));
        assert_eq!(cache.lookup(&id(1), at(1000)), CacheLookup::Fresh(put.clone()));
        assert_eq!(cache.lookup(&id(1), at(999 + TTL)), CacheLookup::Fresh(put.clone()));
        assert_eq!(cache.lookup(&id(1), at(1000 + TTL)), CacheLookup::Stale { value: put.clone(), refresh: true });
        assert_eq!(cache.lookup(&id(1), at(1000 + TTL)), CacheLookup::Stale { value: put.clone(), refresh: false });
        assert_eq!(cache.lookup(&id(2), at(1000 + TTL)), CacheLookup::Absent);
    }
}

#[test]
fn failed_refresh_is_retried_for_a_day() {
    let mut cache = cache(10);
    cache.put(&id(1), Some(tenant("pro")), at(0));
    let mut refreshes = 0;
    for now in (TTL..A_DAY).step_by(500) {
        match cache.lookup(&id(1), at(now)) {
            CacheLookup::Stale { value, refresh } if now < 2 * TTL => {
                assert_eq!(value, Some(shared("pro")));
                refreshes += u64::from(refresh);
            }
            CacheLookup::Expired { value, read_first } if now >= 2 * TTL => {
                assert_eq!(value, Some(shared("pro")));
                refreshes += u64::from(read_first);
            }
            other => panic!("{now}: {other:?}"),
        }
    }
    assert_eq!(refreshes, (A_DAY - TTL) / 5000, "one every five seconds");
    assert_eq!(cache.lookup(&id(1), at(A_DAY)), CacheLookup::Absent);
    cache.put(&id(1), Some(tenant("free")), at(A_DAY));
    assert_eq!(cache.lookup(&id(1), at(A_DAY)), CacheLookup::Fresh(Some(shared("free"))));
}

#[test]
fn short_time_to_live_is_respected() {
    let mut cache = TenantCache::new(10, Millis::new(1));
    for now in (0..100).step_by(10) {
        cache.put(&id(1), Some(tenant("pro")), at(now));
        assert!(matches!(cache.lookup(&id(1), at(now)), CacheLookup::Fresh(_)));
        assert!(matches!(cache.lookup(&id(1), at(now + 1)), CacheLookup::Stale { refresh: true, .. }), "{now}");
    }
}

#[test]
fn refresh_replaces_the_entry() {
    let mut cache = cache(10);
    cache.put(&id(1), Some(tenant("pro")), at(0));
    assert!(matches!(cache.lookup(&id(1), at(TTL)), CacheLookup::Stale { refresh: true, .. }));
    cache.put(&id(1), None, at(TTL + 100));
    assert_eq!(cache.lookup(&id(1), at(TTL + 100)), CacheLookup::Fresh(None), "the tenant is gone");
    assert_eq!(cache.len(), 1, "the entry is not stored twice");
    assert!(matches!(cache.lookup(&id(1), at(2 * TTL + 100)), CacheLookup::Stale { value: None, refresh: true }));
    cache.put(&id(1), Some(tenant("pro")), at(2 * TTL + 100));
    assert_eq!(
        cache.lookup(&id(1), at(2 * TTL + 100)),
        CacheLookup::Fresh(Some(shared("pro"))),
        "the tenant exists again"
    );
    assert_eq!(cache.len(), 1);
}

#[test]
fn forgotten_entries_are_absent() {
    let mut cache = cache(10);
    cache.put(&id(1), Some(tenant("pro")), at(0));
    cache.put(&id(2), None, at(0));
    cache.forget(&id(1));
    cache.forget(&id(2));
    cache.forget(&id(3));
    assert!(cache.is_empty());
    assert_eq!(cache.lookup(&id(1), at(1)), CacheLookup::Absent);
    assert_eq!(cache.lookup(&id(2), at(1)), CacheLookup::Absent);
}

#[test]
fn entry_read_longest_ago_is_evicted_first() {
    let mut cache = cache(4);
    for number in 0..3 {
        cache.put(&id(number), Some(tenant("pro")), at(0));
    }
    cache.put(&id(0), Some(tenant("pro")), at(1));
    assert!(matches!(cache.lookup(&id(1), at(2)), CacheLookup::Fresh(_)), "a lookup does not count as a read");
    cache.put(&id(3), Some(tenant("pro")), at(3));
    let known: Vec<_> = (0..4).filter(|number| cache.lookup(&id(*number), at(3)) != CacheLookup::Absent).collect();
    assert_eq!(known, [0, 2, 3]);
}

#[test]
fn unknown_ids_evict_no_tenant() {
    let mut cache = cache(100);
    for number in 0..75 {
        cache.put(&id(number), Some(tenant("pro")), at(0));
    }
    for number in 1000..5000 {
        cache.put(&id(number), None, at(1));
    }
    assert_eq!(cache.len(), 100);
    assert!((0..75).all(|number| matches!(cache.lookup(&id(number), at(2)), CacheLookup::Fresh(Some(_)))));
}

#[test]
fn clock_going_back_keeps_nothing_fresh_for_longer() {
    let mut cache = cache(10);
    cache.put(&id(1), Some(tenant("pro")), at(10 * A_DAY));
    assert!(matches!(cache.lookup(&id(1), at(10 * A_DAY - TTL)), CacheLookup::Stale { refresh: true, .. }));
    assert_eq!(cache.lookup(&id(1), at(0)), CacheLookup::Absent);
}

/// One operation on the cache.
#[derive(Debug, Clone)]
enum Step {
    Lookup,
    Put(Option<u8>),
    Forget,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Lookup),
        3 => prop::option::weighted(0.7, any::<u8>()).prop_map(Step::Put),
        1 => Just(Step::Forget),
    ]
}

proptest! {
    #[test]
    fn any_traffic_follows_the_rules(
        capacity in 2_usize..12,
        steps in prop::collection::vec((0_u64..12_000, 0_usize..8, step()), 1..300),
    ) {
        let mut cache = cache(capacity);
        let mut now = 0;
        // For each id: the value last put, when, and when a caller last claimed its next read.
        let mut known: HashMap<usize, (Option<u8>, u64, u64)> = HashMap::new();
        for (pause, number, step) in steps {
            now += pause;
            match step {
                Step::Put(value) => {
                    cache.put(&id(number), value.map(|plan| tenant(&plan.to_string())), at(now));
                    known.insert(number, (value, now, now));
                    prop_assert!(matches!(cache.lookup(&id(number), at(now)), CacheLookup::Fresh(_)), "the newest entry stays");
                }
                Step::Forget => {
                    cache.forget(&id(number));
                    known.remove(&number);
                }
                Step::Lookup => {
                    let lookup = cache.lookup(&id(number), at(now));
                    let Some((value, read, claimed)) = known.get_mut(&number) else {
                        prop_assert_eq!(lookup, CacheLookup::Absent);
                        continue;
                    };
                    let expected = value.map(|plan| Arc::new(tenant(&plan.to_string())));
                    match lookup {
                        CacheLookup::Fresh(found) => {
                            prop_assert!(now < *read + TTL, "fresh beyond the time to live");
                            prop_assert_eq!(found, expected);
                        }
                        CacheLookup::Stale { value: found, refresh } => {
                            prop_assert!((*read + TTL..*read + 2 * TTL).contains(&now));
                            prop_assert_eq!(found, expected);
                            prop_assert_eq!(refresh, now >= *claimed + 5000, "one at a time, and again after a failure");
                            if refresh {
                                *claimed = now;
                            }
                        }
                        CacheLookup::Expired { value: found, read_first } => {
                            prop_assert!(now >= *read + 2 * TTL);
                            prop_assert_eq!(found, expected);
                            prop_assert_eq!(read_first, now >= *claimed + 5000, "one at a time, and again after a failure");
                            if read_first {
                                *claimed = now;
                            }
                        }
                        CacheLookup::Absent => {}
                    }
                }
            }
            prop_assert!(cache.len() <= capacity);
            prop_assert!(cache.tenants.entries.len() == cache.tenants.order.len());
            prop_assert!(cache.absent.entries.len() == cache.absent.order.len());
        }
    }

    #[test]
    fn nothing_is_evicted_below_capacity(capacity in 4_usize..40) {
        let mut cache = cache(capacity);
        let tenants = capacity - capacity / 4;
        for number in 0..capacity {
            cache.put(&id(number), (number < tenants).then(|| tenant("pro")), at(0));
        }
        prop_assert_eq!(cache.len(), capacity);
        for number in 0..capacity {
            prop_assert!(matches!(cache.lookup(&id(number), at(0)), CacheLookup::Fresh(_)));
        }
    }
}
