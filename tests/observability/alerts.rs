//! The alerts are valid, fire when they should, and are those of the document.

use crate::bridge::ScrapedBridge;
use crate::markdown::{document, quoted, section, table};
use crate::prometheus::{Prometheus, promtool, write_configuration};

#[test]
fn each_alert_fires_for_its_cause_only() {
    let folder = tempfile::tempdir().unwrap();
    write_configuration(folder.path(), "127.0.0.1:9");
    let tests = document("tests/observability/alerts.test.yml");
    std::fs::write(folder.path().join("alerts.test.yml"), &tests).unwrap();
    promtool(folder.path(), &["check", "config", "prometheus.yml"]);
    promtool(folder.path(), &["check", "rules", "alerts.yml"]);
    promtool(folder.path(), &["test", "rules", "alerts.test.yml"]);
    for alert in documented() {
        let fires = tests.split("- eval_time").skip(1).any(|test| test.contains(&format!("alertname: {alert}\n")));
        assert!(fires, "no test lets {alert} fire");
    }
}

#[tokio::test]
async fn the_document_lists_exactly_the_alerts() {
    let bridge = ScrapedBridge::start().await;
    let prometheus = Prometheus::scraping(&bridge).await;
    assert_eq!(prometheus.alerts().await, documented());
    let rules = document("docs/grafana/alerts.yml");
    let text = document("docs/observability.md");
    for row in table(section(&text, "## Alerts")) {
        let alert = quoted(row[0])[0].clone();
        let rule = rules.split("- alert: ").find(|rule| rule.starts_with(&format!("{alert}\n"))).unwrap();
        let minutes = rule.lines().find_map(|line| line.trim().strip_prefix("for: ")?.strip_suffix('m')).unwrap();
        assert!(row[1].contains(&format!("{minutes} min")), "{alert} waits {minutes} min: {}", row[1]);
    }
}

fn documented() -> Vec<String> {
    let text = document("docs/observability.md");
    table(section(&text, "## Alerts")).iter().map(|row| quoted(row[0])[0].clone()).collect()
}
