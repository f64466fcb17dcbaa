//! The fault matrix: every failure in the table × `on_outage` × cold and warm isolates.
//!
//! Each cell has servers of its own: workerd, a network that injects faults, the bridge, Redis and the origin. The
//! environment variable `CELL` selects the cells whose name contains its value, such as `Redirect, open`.

mod answer;
mod cell;
mod deadline;
mod replica;
mod site;
mod table;

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::timeout;

use cell::Cell;

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_is_as_the_table_says() {
    let only = std::env::var("CELL").unwrap_or_default();
    let cells: Vec<_> = Cell::all().filter(|cell| cell.name().contains(&only)).collect();
    assert!(!cells.is_empty(), "no cell is called {only:?}");
    let outcomes = stream::iter(cells).map(async |cell: Cell| {
        let run = tokio::spawn(timeout(PATIENCE, cell.run())).await;
        (cell.name(), run.map_err(|panic| panic.to_string()).and_then(|run| run.map_err(|late| late.to_string())))
    });
    let failed: Vec<_> = outcomes
        .buffer_unordered(AT_ONCE)
        .filter_map(async |(name, outcome)| outcome.err().map(|error| (name, error)))
        .collect()
        .await;
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_document_shows_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md");
    let document = std::fs::read_to_string(path).unwrap();
    let table = table::markdown();
    assert!(document.contains(&table), "docs/operations.md does not have this table:\n{table}");
}

/// Cells that run at the same time. They mostly wait.
const AT_ONCE: usize = 5;

/// Enough for any cell, also on a slow machine.
const PATIENCE: Duration = Duration::from_mins(1);
