//! A fuzz target under libFuzzer. `SLUICEGATE_TARGET` selects it; the arguments are those of libFuzzer.

#![no_main]
#![allow(clippy::panic, reason = "libFuzzer reports a panic")]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sluicegate_fuzz::Target;

fuzz_target!(|input: &[u8]| TARGET.run(input));

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("SLUICEGATE_TARGET").unwrap_or_default();
    Target::named(&name).unwrap_or_else(|| panic!("SLUICEGATE_TARGET: expected a target, found {name:?}"))
});
