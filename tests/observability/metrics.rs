//! The metrics of the bridge are those of the document, in a format that Prometheus accepts.

use std::collections::{BTreeMap, BTreeSet};

use crate::bridge::ScrapedBridge;
use crate::markdown::{document, quoted, section, table};
use crate::prometheus::Prometheus;

/// Returns name, type and labels of each metric in the document.
fn documented() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let text = document("docs/observability.md");
    let rows = table(section(&text, "## Metrics of the bridge"));
    let metric = |row: &Vec<&str>| {
        // A label begins each part; what it can be follows the colon.
        let labels = row[2].split(';').map(|part| quoted(part)[0].clone()).collect();
        (quoted(row[0])[0].clone(), (row[1].to_owned(), labels))
    };
    rows.iter().map(metric).collect()
}

/// Returns the values that the document lists for a label of a metric.
fn values(metric: &str, label: &str) -> BTreeSet<String> {
    let text = document("docs/observability.md");
    let rows = table(section(&text, "## Metrics of the bridge"));
    let row = rows.iter().find(|row| quoted(row[0])[0] == metric).unwrap();
    let part = row[2].split(';').find(|part| quoted(part)[0] == label).unwrap();
    quoted(part).into_iter().skip(1).collect()
}

#[tokio::test]
async fn the_document_lists_exactly_the_metrics_of_the_bridge() {
    let bridge = ScrapedBridge::start().await;
    let prometheus = Prometheus::scraping(&bridge).await;
    let mut found = BTreeMap::new();
    for metadata in prometheus.metadata().await {
        let [name, kind, help] = ["metric", "type", "help"].map(|field| metadata[field].as_str().unwrap().to_owned());
        assert!(!help.is_empty(), "{metadata}");
        // A family of OpenMetrics has no suffix, a series has one.
        let (family, suffix) = match kind.as_str() {
            "counter" => (format!("{name}_total"), ""),
            "histogram" => (name, "_count"),
            _ => panic!("{metadata}"),
        };
        assert_eq!(metadata["unit"], if suffix.is_empty() { "" } else { "seconds" }, "{metadata}");
        let mut labels = BTreeSet::new();
        for series in prometheus.query(&format!("{family}{suffix}")).await {
            let own = series.labels.keys().filter(|label| !["__name__", "instance", "job"].contains(&label.as_str()));
            labels.extend(own.cloned());
        }
        found.insert(family, (kind, labels));
    }
    assert_eq!(found, documented());
    assert_eq!(prometheus.query("scrape_samples_scraped > 50").await.len(), 1);
}

#[tokio::test]
async fn the_document_lists_the_values_of_labels() {
    let bridge = ScrapedBridge::start().await;
    let text = bridge.metrics().await;
    for (metric, label, all_seen) in [
        ("sluicegate_bridge_http_requests_total", "route", true),
        ("sluicegate_bridge_http_request_duration_seconds", "outcome", true),
        ("sluicegate_bridge_redis_duration_seconds", "operation", true),
        // No call here lasts six seconds.
        ("sluicegate_bridge_redis_duration_seconds", "outcome", false),
    ] {
        let lines = text.lines().filter(|line| line.starts_with(metric));
        let seen = lines.filter_map(|line| line.split(&format!("{label}=\"")).nth(1)?.split('"').next());
        let (seen, mut listed): (BTreeSet<String>, _) = (seen.map(str::to_owned).collect(), values(metric, label));
        if !all_seen {
            assert!(listed.remove("timeout"), "{metric} {label}");
        }
        assert_eq!(seen, listed, "{metric} {label}");
    }
}
