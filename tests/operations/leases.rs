//! `lua/release.lua` and `lua/reset.lua`.

use crate::call::{MINUTE, T, check, less, settle};
use crate::support::{Redis, bucket, concurrency, log};

#[test]
fn releasing_frees_one_place_once() {
    let mut redis = Redis::start();
    let limits = [concurrency("a", 2, MINUTE), concurrency("b", 3, MINUTE)];
    let keys = ["sg:1:{s}:inflight:a", "sg:1:{s}:inflight:b"];
    let release = |redis: &mut Redis, leases: &[&str]| {
        let mut call = vec!["EVAL", include_str!("../../lua/release.lua"), "2", keys[0], keys[1]];
        call.extend(leases);
        redis.run::<i64>(&call)
    };
    let admits = |redis: &mut Redis, lease: &str| redis.check_leases("s", &limits, &[(1, lease)], T)[0] == 1;
    assert!(admits(&mut redis, "x") && admits(&mut redis, "y") && !admits(&mut redis, "z"));
    assert_eq!(release(&mut redis, &["x"]), 2, "one lease in two sets");
    assert_eq!(release(&mut redis, &["x", "never"]), 0);
    assert!(admits(&mut redis, "z") && !admits(&mut redis, "x"));
    let many: Vec<String> = (0..2500).map(|i| format!("lease-{i}")).chain(["y".to_owned(), "z".to_owned()]).collect();
    assert_eq!(release(&mut redis, &many.iter().map(String::as_str).collect::<Vec<_>>()), 4);
    assert_eq!(redis.run::<i64>(&["DBSIZE"]), 0);
}

#[test]
fn a_reset_deletes_only_its_own_keys() {
    let mut redis = Redis::start();
    let limits = [bucket("b", 10, MINUTE, 10), log("l", 10, MINUTE), concurrency("c", 10, MINUTE)];
    for subject in ["s", "other"] {
        check(&mut redis, subject, &limits, 5, T);
        settle(&mut redis, subject, &limits, less(1, T));
    }
    let others = redis.dump("other");
    let keys: Vec<String> = redis.run(&["KEYS", "sg:1:{s}*"]);
    assert_eq!(keys.len(), 4);
    let mut call = vec!["EVAL", include_str!("../../lua/reset.lua"), "5", "sg:1:{s}:never"];
    call.extend(keys.iter().map(String::as_str));
    assert_eq!(redis.run::<i64>(&call), 4);
    assert_eq!(redis.run::<i64>(&call), 0);
    assert_eq!((redis.dump("s"), redis.dump("other")), (vec![], others));
    assert_eq!(check(&mut redis, "s", &limits, 10, T)[0], 1);
}
