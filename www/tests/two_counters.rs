//! The model of two counters with a cache decides every request as the npm package that it stands for, on a real Redis.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests, which clippy sees only in #[test]")]

use std::path::Path;
use std::process::Stdio;

use serde::Serialize;
use sluicegate::limit::Retry;
use sluicegate::time::Millis;
use sluicegate_bridge::{Backend, Bridge, RedisServer};
use sluicegate_www::compare::two_counters::TwoCounters;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::oneshot;

#[derive(Serialize)]
struct Trace {
    limit: u64,
    window: u64,
    /// Instants, in order.
    times: Vec<u64>,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_decides_like_the_package() {
    let traces = traces();
    let decided = by_the_package(&traces).await;
    let (mut admitted, mut refused) = (0, 0);
    for (trace, answers) in traces.iter().zip(&decided) {
        let mut model = TwoCounters::new(trace.limit, Millis::new(trace.window));
        assert_eq!(trace.times.len(), answers.len());
        for (now, (success, reset)) in trace.times.iter().zip(answers) {
            let expected = if *success { Retry::Now } else { Retry::After(Millis::new((reset - now).max(1))) };
            assert_eq!(model.decide(*now), expected, "{} per {} ms at {now}", trace.limit, trace.window);
            *(if *success { &mut admitted } else { &mut refused }) += 1;
        }
    }
    assert!(admitted > 300 && refused > 300, "{admitted} admitted, {refused} refused");
}

/// Requests at, just before and just after the ends of windows, in bursts, and evenly.
fn traces() -> Vec<Trace> {
    let trace = |limit, window, steps: &[u64]| {
        let mut now = START.next_multiple_of(window) + window / 3;
        let times = steps.iter().cycle().take(150).map(|step| {
            now += step;
            now
        });
        Trace { limit, window, times: times.collect() }
    };
    vec![
        trace(10, 1000, &[50]),
        trace(10, 1000, &[97, 101]),
        trace(10, 1000, &[0, 0, 0, 1, 660, 1, 1, 1, 335]),
        trace(7, 1000, &[143]),
        trace(3, 999, &[333]),
        trace(1, 1000, &[400, 600, 1000, 999, 1, 1]),
        trace(100, 10_000, &[90, 110]),
        trace(5, 1000, &[0, 0, 0, 0, 1001, 0, 0, 999, 2500]),
    ]
}

async fn by_the_package(traces: &[Trace]) -> Vec<Vec<(bool, u64)>> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let redis = RedisServer::start().await.unwrap();
    let bridge = Bridge::bind("127.0.0.1:0".parse().unwrap(), TOKEN, Backend::Redis(redis.url())).await.unwrap();
    let url = format!("http://{}", bridge.address());
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(bridge.run(async { drop(stopped.await) }));

    let mut node = Command::new(package.join("../node_modules/.bin/node"))
        .arg("tests/two-counters.mjs")
        .current_dir(package)
        .env("SLUICEGATE_BRIDGE_URL", url)
        .env("SLUICEGATE_BRIDGE_TOKEN", TOKEN)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node is installed (run `make setup`)");
    let mut input = node.stdin.take().unwrap();
    input.write_all(&serde_json::to_vec(traces).unwrap()).await.unwrap();
    drop(input);
    let output = node.wait_with_output().await.unwrap();
    drop(stop);
    server.await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

const TOKEN: &str = "npm-token";
const START: u64 = 1_800_000_000_000;
