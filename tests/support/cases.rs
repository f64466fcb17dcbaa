//! The number of cases per property: a default in an ordinary run, `CASES` in a long one.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::FileFailurePersistence;

/// A configuration of `cases` cases. Failed cases are saved beside the test, in files that end in `regressions`.
pub(crate) fn config(cases: u32, regressions: &'static str) -> ProptestConfig {
    ProptestConfig {
        cases: std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(cases),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource(regressions))),
        ..ProptestConfig::default()
    }
}
