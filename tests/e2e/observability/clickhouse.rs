//! Runs SQL in `ClickHouse`, whose dialect Analytics Engine speaks.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::tool::installed;

/// Returns the rows that each query finds in the table `sluicegate` with these rows.
pub(super) fn run(rows: &[Value], queries: &[String]) -> Vec<Vec<Value>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut child = Command::new(installed("observability.sh"))
        .arg(root.join("tests/e2e/observability/clickhouse.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = json!({ "rows": rows, "queries": queries }).to_string();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "ClickHouse refuses a query");
    serde_json::from_slice(&output.stdout).unwrap()
}
