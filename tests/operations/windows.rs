//! Settling fixed and sliding windows.

use crate::call::{MINUTE, Settle, T, check, less, more, settle, state};
use crate::support::{Redis, fixed, month, sliding};

#[test]
fn a_fixed_window_settles_within_the_window() {
    let mut redis = Redis::start();
    for (name, limits, end) in [
        ("span", [fixed("f", 10, MINUTE)], MINUTE),
        // 2027-02-01T00:00:00Z is 16 days and 16 h after T.
        ("month", [month("f", 10)], 1_440_000_000_u64),
    ] {
        check(&mut redis, name, &limits, 5, T + 10);
        assert_eq!(settle(&mut redis, name, &limits, less(2, T + 10).at(T + 20)), [1, 2]);
        assert_eq!(check(&mut redis, name, &limits, 1, T + 20)[1], 6);
        let more = Settle { request: "more", ..more(9, T + 10) };
        assert_eq!(settle(&mut redis, name, &limits, more), [1, 9]);
        let numbers = check(&mut redis, name, &limits, 1, T + 20);
        assert_eq!(numbers[..3], [0, 0, (end - 20).cast_signed()], "{name}");
        assert_eq!(check(&mut redis, name, &limits, 1, T + end - 1)[0], 0);
        assert_eq!(check(&mut redis, name, &limits, 4, T + end)[..2], [1, 6]);
        for (request, units) in [("late", (0, 3)), ("later", (3, 0))] {
            let late = Settle { now: T + end, charged_at: T + end - 1, request, more: units.0, less: units.1 };
            assert_eq!(settle(&mut redis, name, &limits, late), [1, 0], "its window is over");
        }
        let full = Settle { request: "full", ..less(9, T + end) };
        assert_eq!(settle(&mut redis, name, &limits, full), [1, 4], "never more than was used");
        assert_eq!(check(&mut redis, name, &limits, 0, T + end)[1], 10);
    }
}

#[test]
fn a_sliding_window_settles_in_the_charged_window() {
    let mut redis = Redis::start();
    let limits = [sliding("w", 100, MINUTE)];
    check(&mut redis, "s", &limits, 50, T);
    check(&mut redis, "s", &limits, 10, T + MINUTE);
    let settle = |redis: &mut Redis, request, charged_at, more, less| {
        settle(redis, "s", &limits, Settle { now: T + MINUTE, charged_at, request, more, less })
    };
    assert_eq!(settle(&mut redis, "a", T + MINUTE - 1, 0, 20), [1, 20]);
    assert!(state(&mut redis, "s").ends_with(" 10 30"));
    assert_eq!(settle(&mut redis, "b", T, 5, 0), [1, 5]);
    assert!(state(&mut redis, "s").ends_with(" 10 35"));
    assert_eq!(settle(&mut redis, "c", T + MINUTE, 0, 20), [1, 10]);
    assert!(state(&mut redis, "s").ends_with(" 0 35"));
    assert_eq!(settle(&mut redis, "d", T + MINUTE, 200, 0), [1, 200]);
    assert!(state(&mut redis, "s").ends_with(" 200 35"));
    for (request, more, less) in [("e", 5, 0), ("f", 0, 5)] {
        assert_eq!(settle(&mut redis, request, T - 1, more, less), [1, 0], "two windows ago");
    }
    // 200 units count half in the middle of the next window.
    assert_eq!(check(&mut redis, "s", &limits, 1, T + MINUTE)[2], 90_300);
    assert_eq!(check(&mut redis, "s", &limits, 1, T + MINUTE + 90_299)[0], 0);
    assert_eq!(check(&mut redis, "s", &limits, 1, T + MINUTE + 90_300)[0], 1);
}

#[test]
fn months_match_the_calendar() {
    let mut redis = Redis::start();
    let limits = [month("m", 10)];
    for (first, last) in [
        ("0 the epoch", 2_678_399_999_u64),
        ("951782400000 2000-02-29", 951_868_799_999),
        ("951868800000 2000-03-01", 954_547_199_999),
        ("1706745600000 2024-02-01", 1_709_251_199_999),
        ("1767225600000 2026-01-01", 1_769_903_999_999),
        ("1767139200000 2025-12-31", 1_767_225_599_999),
        ("4105123200000 2100-02-01", 4_107_542_399_999),
        ("4107456000000 2100-02-28", 4_107_542_399_999),
    ] {
        let (first, name) = first.split_once(' ').unwrap();
        let first: u64 = first.parse::<u64>().unwrap().max(1);
        check(&mut redis, name, &limits, 5, last);
        assert_eq!(settle(&mut redis, name, &limits, less(2, first).at(last)), [1, 2], "{name}");
        let next = Settle { request: "next", ..more(1, last + 1) };
        assert_eq!(settle(&mut redis, name, &limits, next), [1, 1], "{name}");
        assert!(state(&mut redis, name).ends_with(" 1"), "{name}: a new month begins with {}", last + 1);
    }
}
