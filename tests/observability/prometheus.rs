//! A real Prometheus, and promtool.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::bridge::ScrapedBridge;
use crate::markdown::{blocks, document};
use crate::tool::installed;

/// A running Prometheus with the configuration that `docs/observability.md` shows. It ends when the value is dropped.
pub(crate) struct Prometheus {
    child: Child,
    url: String,
    _folder: TempDir,
}

/// A series of a result: its labels, and its last value.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) labels: serde_json::Map<String, Value>,
    pub(crate) value: f64,
}

impl Prometheus {
    /// Starts it, and waits until it has scraped the bridge several times.
    pub(crate) async fn scraping(bridge: &ScrapedBridge) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = write_configuration(folder.path(), &bridge.address());
        let mut child = Command::new(installed("prometheus.sh").join("prometheus"))
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let line = lines.find(|line| line.contains("Listening on")).expect("prometheus listens");
        // It would end at a write to a pipe that nobody reads.
        thread::spawn(move || lines.for_each(drop));
        let address = line.rsplit("address=").next().unwrap();
        let prometheus = Self { child, url: format!("http://{address}"), _folder: folder };
        prometheus.wait_for("count_over_time(up[1m]) >= 4 and up == 1").await;
        prometheus
    }

    /// Returns the series of an expression now.
    pub(crate) async fn query(&self, expression: &str) -> Vec<Series> {
        let answer = self.get("query", &[("query", expression)]).await;
        let result = answer["data"]["result"].as_array().unwrap_or_else(|| panic!("{expression}: {answer}"));
        let series = result.iter().map(|series| Series {
            labels: series["metric"].as_object().unwrap().clone(),
            value: series["value"][1].as_str().unwrap().parse().unwrap(),
        });
        series.collect()
    }

    /// Returns what Prometheus knows about metrics: name, type, help and unit.
    pub(crate) async fn metadata(&self) -> Vec<Value> {
        let answer = self.get("targets/metadata", &[]).await;
        answer["data"].as_array().unwrap().clone()
    }

    /// Returns the names of the alerts that it has loaded.
    pub(crate) async fn alerts(&self) -> Vec<String> {
        let answer = self.get("rules", &[]).await;
        let rules = answer["data"]["groups"].as_array().unwrap().iter();
        let rules = rules.flat_map(|group| group["rules"].as_array().unwrap());
        rules.map(|rule| rule["name"].as_str().unwrap().to_owned()).collect()
    }

    async fn get(&self, call: &str, parameters: &[(&str, &str)]) -> Value {
        let url = reqwest::Url::parse_with_params(&format!("{}/api/v1/{call}", self.url), parameters).unwrap();
        let answer = reqwest::get(url).await.unwrap().bytes().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["status"], "success", "{parameters:?}: {answer}");
        answer
    }

    async fn wait_for(&self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        // Until its storage is ready, it answers 503.
        while !self.is_ready().await || self.query(expression).await.is_empty() {
            assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {expression}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn is_ready(&self) -> bool {
        reqwest::get(format!("{}/-/ready", self.url)).await.is_ok_and(|response| response.status().is_success())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // Both calls fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes the configuration of the document for a bridge at `address`, scraped often, with the alerts beside it.
pub(crate) fn write_configuration(folder: &Path, address: &str) -> PathBuf {
    let text = document("docs/observability.md");
    let [(_, example)] = &blocks(&text, "yaml")[..] else { panic!("expected one configuration of Prometheus") };
    assert!(example.contains("127.0.0.1:8079") && example.contains("scrape_interval: 15s"), "{example}");
    let config = example.replace("127.0.0.1:8079", address).replace("scrape_interval: 15s", "scrape_interval: 100ms");
    std::fs::write(folder.join("alerts.yml"), document("docs/grafana/alerts.yml")).unwrap();
    let path = folder.join("prometheus.yml");
    std::fs::write(&path, config).unwrap();
    path
}

/// Runs promtool in a folder, and fails with its output.
pub(crate) fn promtool(folder: &Path, arguments: &[&str]) {
    let output =
        Command::new(installed("prometheus.sh").join("promtool")).args(arguments).current_dir(folder).output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).join("\n");
    assert!(output.status.success(), "promtool {arguments:?}: {text}");
}

const PATIENCE: Duration = Duration::from_mins(1);
