//! What the Worker writes: its data points and log lines are those of `docs/observability.md`, and the queries there give the
//! right numbers.

mod clickhouse;
mod log_queries;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../../support/markdown.rs"]
mod markdown;
mod sql;
mod traffic;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::markdown::{document, quoted, section, table};
use self::traffic::{Traffic, fields};

#[tokio::test(flavor = "multi_thread")]
async fn data_points_and_log_lines_are_those_of_the_document() {
    let traffic = Traffic::send().await;
    let text = document("docs/observability.md");
    expect_documented_columns(&text, &traffic.points);
    traffic.expect_points();
    sql::expect_numbers(&text, &traffic.points);
    let lines = traffic.lines_with_summary().await;
    expect_documented_fields(&text, &lines);
    log_queries::expect_numbers(&text, &lines);
}

/// Fails unless each point has the columns of the document, within the bounds of Analytics Engine.
fn expect_documented_columns(text: &str, points: &[Value]) {
    let rows = table(section(text, "## Data points"));
    let documented: Vec<_> = rows.iter().map(|row| quoted(row[0])[0].clone()).collect();
    for point in points {
        let columns = |kind: &str, name: &str| {
            let count = point[kind].as_array().unwrap().len();
            (1..=count).map(|number| format!("{name}{number}")).collect::<Vec<_>>()
        };
        let (indexes, blobs, doubles) =
            (columns("indexes", "index"), columns("blobs", "blob"), columns("doubles", "double"));
        assert!(indexes.len() == 1 && blobs.len() <= 20 && doubles.len() <= 20, "{point}");
        assert!(point["indexes"][0].as_str().unwrap().len() <= 96, "{point}");
        assert_eq!([indexes, blobs, doubles].concat(), documented, "{point}");
    }
    // The verdicts and the deciders in the points are those of the document.
    let listed = |column: &str| -> BTreeSet<String> {
        let row = rows.iter().find(|row| quoted(row[0])[0] == column).unwrap();
        quoted(row[1]).into_iter().filter(|value| !value.contains('-')).collect()
    };
    let found = |column: &str| -> BTreeSet<String> {
        let values = points.iter().map(|point| fields(point)[column].as_str().unwrap().to_owned());
        values.filter(|value| !value.is_empty()).collect()
    };
    assert_eq!(found("blob2"), listed("blob2"));
    assert!(found("blob6").is_subset(&listed("blob6")), "{:?}", found("blob6"));
}

/// Fails if a line has a field that the document does not have for its event.
fn expect_documented_fields(text: &str, lines: &[Value]) {
    let mut documented = BTreeMap::new();
    for row in table(section(text, "## Log lines")) {
        for field in quoted(row[0]) {
            documented.insert(field, row[1].to_owned());
        }
    }
    for line in lines {
        let event = line["event"].as_str().unwrap();
        for field in line.as_object().unwrap().keys() {
            let events = documented.get(field).unwrap_or_else(|| panic!("{field} is not documented: {line}"));
            let (listed, exception) = (quoted(events), events.starts_with("all but"));
            let covers =
                events == "all" || events == "summaries" || listed.iter().any(|name| name == event) != exception;
            assert!(covers, "{field} is documented for {events}: {line}");
        }
    }
}
