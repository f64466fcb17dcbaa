//! Holds `docs/observability.md` and `docs/grafana/` to what the bridge exports: a real Prometheus scrapes a real bridge.
//!
//! The part about the Worker is in `tests/e2e/observability/`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod alerts;
mod bridge;
mod dashboards;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../support/markdown.rs"]
mod markdown;
mod metrics;
mod prometheus;
#[path = "../support/tool.rs"]
mod tool;
