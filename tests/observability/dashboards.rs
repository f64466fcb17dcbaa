//! The dashboards are valid for Grafana, and each query of the bridge's finds what it asks for.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::bridge::ScrapedBridge;
use crate::markdown::document;
use crate::prometheus::Prometheus;
use crate::tool::installed;

const DASHBOARDS: [(&str, &str); 2] =
    [("docs/grafana/bridge.json", "prometheus"), ("docs/grafana/worker.json", "vertamedia-clickhouse-datasource")];

fn dashboard(path: &str) -> Value {
    serde_json::from_str(&document(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn panels(dashboard: &Value) -> &[Value] {
    dashboard["panels"].as_array().unwrap()
}

/// Returns the targets of a panel.
fn targets(panel: &Value) -> &[Value] {
    panel["targets"].as_array().unwrap()
}

#[test]
fn grafana_knows_every_field() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = installed("observability.sh");
    let check = |files: &[&Path]| {
        let script = root.join("tests/observability/check_dashboards.py");
        Command::new(&python).arg(script).args(files).output().unwrap()
    };
    let paths = DASHBOARDS.map(|(path, _)| root.join(path));
    let output = check(&[&paths[0], &paths[1]]);
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));

    // The check finds mistakes.
    let mut wrong = dashboard(DASHBOARDS[0].0);
    wrong["panels"][0]["gridPos"]["with"] = 4.into();
    wrong["panels"][1]["title"] = 5.into();
    wrong["panels"][5]["fieldConfig"]["defaults"]["custom"]["drawStyle"] = "dots".into();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), wrong.to_string()).unwrap();
    let output = check(&[file.path()]);
    assert_eq!(text(&output.stdout).lines().count(), 3, "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn ids_differ_and_every_query_uses_the_chosen_data_source() {
    let mut uids = BTreeSet::new();
    for (path, kind) in DASHBOARDS {
        let dashboard = dashboard(path);
        assert!(uids.insert(dashboard["uid"].as_str().unwrap().to_owned()), "{path}");
        let variables = dashboard["templating"]["list"].as_array().unwrap();
        assert_eq!((&variables[0]["type"], &variables[0]["query"]), (&"datasource".into(), &kind.into()), "{path}");
        let names: BTreeSet<_> = variables.iter().map(|variable| variable["name"].as_str().unwrap()).collect();
        let source = serde_json::json!({ "type": kind, "uid": "${datasource}" });
        let mut ids = BTreeSet::new();
        for panel in panels(&dashboard) {
            let title = panel["title"].as_str().unwrap();
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{path}: {title}");
            assert!(!panel["description"].as_str().unwrap().is_empty(), "{path}: {title}");
            assert_eq!(panel["datasource"], source, "{path}: {title}");
            let references: BTreeSet<_> = targets(panel).iter().map(|target| target["refId"].as_str()).collect();
            assert_eq!(references.len(), targets(panel).len(), "{path}: {title}");
            for target in targets(panel) {
                assert_eq!(target["datasource"], source, "{path}: {title}");
                let query = target["expr"].as_str().or_else(|| target["query"].as_str()).unwrap();
                for word in query.split('$').skip(1) {
                    let end = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len());
                    let builtin = ["__rate_interval", "timeSeries", "timeFilter", "interval"].contains(&&word[..end]);
                    assert!(builtin || names.contains(&word[..end]), "{path}: {title}: ${}", &word[..end]);
                }
            }
        }
        expect_no_overlap(path, &dashboard);
    }
}

/// Fails if two panels cover the same place, or one leaves the grid.
fn expect_no_overlap(path: &str, dashboard: &Value) {
    let mut taken = BTreeSet::new();
    for panel in panels(dashboard) {
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
        assert!(x + w <= 24, "{path}: {panel}");
        for place in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(place), "{path}: {}", panel["title"]);
        }
    }
}

#[tokio::test]
async fn each_query_of_the_bridge_finds_series_with_the_labels_of_its_legend() {
    let bridge = ScrapedBridge::start().await;
    let prometheus = Prometheus::scraping(&bridge).await;
    let dashboard = dashboard(DASHBOARDS[0].0);
    for variable in dashboard["templating"]["list"].as_array().unwrap().iter().filter(|v| v["type"] == "query") {
        let query = variable["query"]["query"].as_str().unwrap();
        let (selector, label) =
            query.strip_prefix("label_values(").unwrap().strip_suffix(')').unwrap().rsplit_once(", ").unwrap();
        let series = prometheus.query(&expand(selector)).await;
        assert!(!series.is_empty() && series.iter().all(|series| series.labels.contains_key(label)), "{query}");
    }
    for panel in panels(&dashboard) {
        for target in targets(panel) {
            let expression = target["expr"].as_str().unwrap();
            let series = prometheus.query(&expand(expression)).await;
            assert!(!series.is_empty(), "{} finds nothing: {expression}", panel["title"]);
            let grouped = expression.split("by (").skip(1).flat_map(|rest| rest.split(')').next().unwrap().split(", "));
            let legend = target["legendFormat"].as_str().unwrap();
            let legend = legend.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap());
            for label in legend.clone() {
                let everywhere = series.iter().all(|series| series.labels.contains_key(label));
                assert!(everywhere, "{}: no label {label}: {series:?}", panel["title"]);
            }
            // `histogram_quantile` uses up `le`. Any other label that a query groups by is in its legend.
            let unused: Vec<_> =
                grouped.filter(|label| *label != "le" && !legend.clone().any(|l| l == *label)).collect();
            assert!(unused.is_empty(), "{}: {unused:?} is not in the legend", panel["title"]);
            assert!(series.iter().all(|series| series.value.is_finite() || series.value.is_nan()), "{series:?}");
        }
    }
}

/// Replaces the variables of Grafana.
fn expand(expression: &str) -> String {
    expression.replace("$__rate_interval", "1m").replace("$job", "sluicegate-bridge").replace("$instance", ".*")
}
