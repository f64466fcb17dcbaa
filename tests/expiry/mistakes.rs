//! The properties in this folder detect scripts whose keys live too long or too short.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{TestCaseError, TestRunner};

use crate::clocked::Clocked;
use crate::{acts, forgetting, lives, skew, traffic};

#[test]
fn an_expiry_off_by_one_millisecond_is_detected() {
    for mistake in [Some("ms + 1"), Some("math.max(ms - 1, 1)"), None] {
        let server = Clocked::with(mistake);
        let cases = (traffic::changing(30), acts::acts(30));
        assert!(is_found(cases, |(calls, acts)| lives::follow(&server, &calls, &acts)), "{mistake:?}");
    }
}

#[test]
fn a_key_that_expires_too_early_is_detected() {
    for mistake in [Some("math.max(ms - 1, 1)"), Some("math.max(math.floor(ms / 2), 1)")] {
        let server = Clocked::with(mistake);
        assert!(is_found(traffic::changing(40), |calls| forgetting::compare(&server, calls)), "{mistake:?}");
    }
}

#[test]
fn a_missing_grace_period_is_detected() {
    let server = Clocked::with(Some("math.max(ms - 1000, 1)"));
    assert!(is_found(skew::skewed(), |traffic| skew::promised(&server, &traffic)));
}

/// Whether a few hundred cases are enough.
fn is_found<S: Strategy>(cases: S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) -> bool {
    let mut runner = TestRunner::deterministic();
    (0..400).any(|_| property(cases.new_tree(&mut runner).unwrap().current()).is_err())
}
