//! Settling a token bucket, and the maximum that a limit can hold.

use crate::call::{MINUTE, MOST, Settle, T, check, entries, less, more, settle, state};
use crate::support::{Redis, bucket, fixed, log, sliding};

#[test]
fn an_overdrawn_bucket_delays_others_exactly() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 10, 10_000, 10)];
    assert_eq!(check(&mut redis, "s", &limits, 4, T), [1, 6, 0, 4000]);
    assert_eq!(settle(&mut redis, "s", &limits, more(10, T).at(T + 100)), [1, 10]);
    assert_eq!(check(&mut redis, "s", &limits, 0, T), [0, 0, 4000, 14_000], "14 of 10 are owed");
    assert_eq!(check(&mut redis, "s", &limits, 1, T + 100), [0, 0, 4900, 13_900]);
    assert_eq!(check(&mut redis, "s", &limits, 1, T + 4999)[..3], [0, 0, 1]);
    assert_eq!(check(&mut redis, "s", &limits, 1, T + 5000), [1, 0, 0, 10_000]);
}

#[test]
fn a_bucket_refunds_at_most_its_debt() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 10, 10_000, 10)];
    check(&mut redis, "s", &limits, 8, T);
    assert_eq!(settle(&mut redis, "s", &limits, less(3, T)), [1, 3]);
    assert_eq!(check(&mut redis, "s", &limits, 1, T + 500), [1, 4, 0, 5500]);
    let again = Settle { request: "other", ..less(8, T) };
    assert_eq!(settle(&mut redis, "s", &limits, again), [1, 5], "5.5 units were owed, told in whole ones");
    assert_eq!(check(&mut redis, "s", &limits, 0, T + 500), [1, 10, 0, 0]);
}

#[test]
fn a_bucket_settles_in_its_stored_fractions() {
    let mut redis = Redis::start();
    check(&mut redis, "s", &[bucket("b", 100, MINUTE, 100)], 60, T);
    let changed = [bucket("b", 1000, MINUTE, 1000)];
    assert_eq!(settle(&mut redis, "s", &changed, less(10, T)), [1, 10]);
    assert_eq!(state(&mut redis, "s"), format!("b token_bucket 60000 100 1 600|{T} 30000"));
    assert_eq!(check(&mut redis, "s", &changed, 0, T)[1], 950);
}

#[test]
fn a_limit_never_holds_2_53() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 10, 10_000, 10), fixed("f", 10, 10_000), sliding("s", 10, 10_000), log("l", 10, 10_000)];
    check(&mut redis, "s", &limits, 7, T);
    let window = i64::try_from(MOST / 10_000 - 7).unwrap();
    let bucket = i64::try_from((MOST - 7000) / 1000).unwrap();
    let most = MOST.cast_signed() - 7;
    assert_eq!(settle(&mut redis, "s", &limits, more(MOST, T)), [1, bucket, most, window, most]);
    assert_eq!(entries(&mut redis, "s", "l"), [(T, 7), (T, MOST - 7)]);
    let before = redis.dump("s");
    let again = Settle { request: "again", ..more(MOST, T) };
    assert_eq!(settle(&mut redis, "s", &limits, again), [1, 0, 0, 0, 0]);
    assert_eq!(redis.dump("s")[..2], before[..2]);
    let numbers = check(&mut redis, "s", &limits, 1, T + 1);
    assert_eq!([numbers[0], numbers[1], numbers[4], numbers[7], numbers[10]], [0; 5]);
    assert_eq!(numbers[5], 9999);
    assert_eq!(numbers[11], 9999);
    assert_eq!(check(&mut redis, "s", &limits[1..2], 1, T + 10_000)[0], 1);
    assert_eq!(check(&mut redis, "s", &limits[3..], 10, T + 10_000)[0], 1);
    // Expired entries do not matter, whether they are still stored or not.
    let later = Settle { request: "later", ..more(MOST, T + 20_000) };
    assert_eq!(settle(&mut redis, "s", &limits[3..], later), [1, MOST.cast_signed()]);
}
