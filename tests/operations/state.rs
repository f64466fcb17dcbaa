//! The effect of a settlement on the whole packed state.

use crate::call::{MINUTE, Settle, T, check, entries, less, more, settle, state};
use crate::support::{Redis, bucket, concurrency, fixed, log, month, sliding};

#[test]
fn unknown_limits_are_charged_now_and_refund_nothing() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 10, 10_000, 10), fixed("f", 10, 10_000), sliding("s", 10, 10_000)];
    assert_eq!(settle(&mut redis, "s", &limits, less(3, T)), [1, 0, 0, 0]);
    assert_eq!(redis.run::<i64>(&["EXISTS", "sg:1:{s}"]), 0);
    // Charged in the previous window.
    let late = Settle { request: "late", ..more(3, T - 1).at(T + 5) };
    assert_eq!(settle(&mut redis, "s", &limits, late), [1, 3, 0, 3]);
    let text = state(&mut redis, "s");
    assert_eq!(text, format!("b token_bucket 10000 10 1 1000 s sliding_window 10000 10|{} 3000 0 3", T + 5));
    // The missing window is charged at the time of the other limits' numbers.
    let next = Settle { request: "next", ..more(2, T + 2).at(T + 9000) };
    assert_eq!(settle(&mut redis, "s", &limits, next), [1, 2, 2, 2]);
    let text = state(&mut redis, "s");
    let words = "b token_bucket 10000 10 1 1000 s sliding_window 10000 10 f fixed_window 10000 10";
    assert_eq!(text, format!("{words}|{} 5000 2 3 2", T + 5));
    assert_eq!(check(&mut redis, "s", &limits, 0, T + 5), [1, 5, 0, 5000, 8, 0, 9995, 5, 0, 19_995]);
}

#[test]
fn an_older_state_is_advanced_to_the_charge() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 10, 10_000, 10), fixed("f", 10, 10_000), sliding("s", 10, 10_000)];
    let all = [&limits[..], &[month("m", 10), bucket("other", 10, 10_000, 10)]].concat();
    check(&mut redis, "s", &all, 6, T);
    let before = state(&mut redis, "s");
    assert_eq!(settle(&mut redis, "s", &limits, less(2, T + 12_000)), [1, 0, 0, 0], "it was not charged there");
    assert_eq!(state(&mut redis, "s"), before);
    let later = Settle { request: "later", ..more(2, T + 11_000) };
    assert_eq!(settle(&mut redis, "s", &limits, later), [1, 2, 2, 2]);
    assert!(state(&mut redis, "s").ends_with(&format!("|{} 2000 2 2 6 6 0", T + 11_000)), "{}", state(&mut redis, "s"));
}

#[test]
fn other_limits_stay_unchanged() {
    let mut redis = Redis::start();
    let (a, b) = (bucket("a", 10, MINUTE, 10), sliding("b", 10, MINUTE));
    let all = [
        a.clone(),
        log("l", 10, MINUTE),
        b.clone(),
        concurrency("c", 10, MINUTE),
        month("m", 10),
        fixed("f", 10, MINUTE),
    ];
    check(&mut redis, "s", &all, 4, T);
    let before = state(&mut redis, "s");
    let others = |redis: &mut Redis| {
        redis
            .dump("s")
            .into_iter()
            .filter(|(key, _)| key.contains(":log:") || key.contains(":inflight:"))
            .collect::<Vec<_>>()
    };
    let sets = others(&mut redis);
    assert_eq!(settle(&mut redis, "s", &[b, a], less(1, T)), [1, 1, 1]);
    assert_eq!(state(&mut redis, "s"), before.replace(&format!("|{T} 24000 4 0 "), &format!("|{T} 18000 3 0 ")));
    assert_ne!(state(&mut redis, "s"), before);
    assert_eq!(others(&mut redis), sets);
    // All limits of the call at once. A concurrency limit has no cost.
    let rest = Settle { request: "rest", ..less(2, T) };
    assert_eq!(settle(&mut redis, "s", &all, rest), [1, 2, 2, 2, 0, 2, 2]);
    assert_eq!(others(&mut redis)[0], sets[0]);
    assert_eq!(entries(&mut redis, "s", "l"), [(T, 2)]);
}
