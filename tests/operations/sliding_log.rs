//! Settling a sliding log.

use crate::call::{MOST, Settle, T, check, check_batch, entries, less, more, settle};
use crate::support::{Redis, log};

#[test]
fn a_log_is_charged_after_its_newest_entry() {
    let mut redis = Redis::start();
    let limits = [log("l", 10, 1000)];
    check(&mut redis, "s", &limits, 4, T);
    check(&mut redis, "s", &limits, 3, T + 300);
    assert_eq!(settle(&mut redis, "s", &limits, more(8, T).at(T + 600)), [1, 8]);
    assert_eq!(entries(&mut redis, "s", "l"), [(T, 4), (T + 300, 3), (T + 300, 8)]);
    assert_eq!(check(&mut redis, "s", &limits, 1, T + 600), [0, 0, 700, 700], "15 of 10 units are counted");
    assert_eq!(check(&mut redis, "s", &limits, 1, T + 1299)[0], 0);
    assert_eq!(check(&mut redis, "s", &limits, 1, T + 1300), [1, 9, 0, 1000]);
    let late = Settle { request: "late", ..more(5, T + 300).at(T + 1300) };
    assert_eq!(settle(&mut redis, "s", &limits, late), [1, 0], "it has left the window");
    let empty = Settle { request: "empty", ..more(5, T).at(T + 999) };
    assert_eq!(settle(&mut redis, "e", &limits, empty), [1, 5]);
    assert_eq!(entries(&mut redis, "e", "l"), [(T, 5)]);
}

#[test]
fn a_log_gives_back_from_the_charge_on() {
    let mut redis = Redis::start();
    let limits = [log("l", 100, 1000)];
    for (time, cost) in [(0, 9), (100, 2), (100, 3), (200, 4), (300, 5)] {
        check(&mut redis, "s", &limits, cost, T + time);
    }
    assert_eq!(settle(&mut redis, "s", &limits, less(7, T + 50).at(T + 400)), [1, 7]);
    assert_eq!(entries(&mut redis, "s", "l"), [(T, 9), (T + 200, 2), (T + 300, 5)]);
    // The differences of the numbers are right: each unit leaves the window with its entry.
    for (at, remaining) in [(400, 84), (1000, 93), (1199, 93), (1200, 95), (1299, 95), (1300, 100)] {
        assert_eq!(check(&mut redis, "s", &limits, 0, T + at)[1], remaining, "at {at}");
    }
    assert_eq!(check(&mut redis, "s", &limits, 91, T + 400)[2], 600, "16 are counted, 7 have to leave: 9 do, at 1000");
}

#[test]
fn a_log_keeps_its_newest_entry() {
    let mut redis = Redis::start();
    let limits = [log("l", 10, 1000)];
    check(&mut redis, "s", &limits, 10, T);
    // A clock that is ahead advances the log. Then this request turns out to cost nothing.
    check(&mut redis, "s", &limits, 3, T + 1500);
    assert_eq!(settle(&mut redis, "s", &limits, less(3, T + 1500)), [1, 3]);
    assert_eq!(entries(&mut redis, "s", "l"), [(T + 1500, 0)]);
    assert_eq!(check(&mut redis, "s", &limits, 10, T + 600)[..2], [1, 0]);
    assert_eq!(entries(&mut redis, "s", "l"), [(T + 1500, 0), (T + 1500, 10)], "not at 600");
    let other = Settle { request: "other", ..less(10, T + 1500) };
    assert_eq!(settle(&mut redis, "s", &limits, other), [1, 10]);
    assert_eq!(entries(&mut redis, "s", "l"), [(T + 1500, 0)]);
}

#[test]
fn a_log_gives_back_nothing_outside_the_window() {
    let mut redis = Redis::start();
    let limits = [log("l", 10, 1000)];
    check(&mut redis, "s", &limits, 5, T);
    check(&mut redis, "s", &limits, 7, T + 1000);
    // Its own entry is gone, and the newer one belongs to another request.
    assert_eq!(settle(&mut redis, "s", &limits, less(5, T).at(T + 1000)), [1, 0]);
    let behind = Settle { request: "behind", ..less(5, T).at(T + 10) };
    assert_eq!(settle(&mut redis, "s", &limits, behind), [1, 0], "whatever the caller's clock says");
    assert_eq!(entries(&mut redis, "s", "l"), [(T + 1000, 7)]);
}

#[test]
fn a_long_log_beyond_2_53_is_renumbered() {
    let mut redis = Redis::start();
    let limits = [log("l", MOST, 10_000)];
    check(&mut redis, "s", &limits, MOST - 5000, T);
    check(&mut redis, "s", &limits, 3000, T + 1000);
    check_batch(&mut redis, "s", &limits, &vec![1; 2000], T + 1001);
    // More than 2^53 units came before these.
    check(&mut redis, "s", &limits, 4000, T + 10_000);
    check_batch(&mut redis, "s", &limits, &vec![2; 1500], T + 10_001);
    let remaining = |used: u64| (MOST - used).cast_signed();
    assert_eq!(check(&mut redis, "s", &limits, 0, T + 10_001)[1], remaining(3000 + 2000 + 4000 + 3000));
    assert_eq!(settle(&mut redis, "s", &limits, less(4500, T + 1000).at(T + 10_001)), [1, 4500]);
    assert_eq!(entries(&mut redis, "s", "l").len(), 500 + 1 + 1500);
    assert_eq!(check(&mut redis, "s", &limits, 0, T + 10_001)[1], remaining(500 + 4000 + 3000));
    assert_eq!(check(&mut redis, "s", &limits, 0, T + 11_001)[1], remaining(4000 + 3000));
    assert_eq!(check(&mut redis, "s", &limits, MOST - 3000, T + 11_001)[2], 8999, "the entry of 4000 has to leave");
    assert_eq!(check(&mut redis, "s", &limits, MOST - 2999, T + 11_001)[2], 9000, "and one of 2");
}
