//! The limiter, the lock and compare-and-swap over REST, on a real Redis Cluster of three nodes.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "../load/harness/mod.rs"]
mod harness;
mod locks;
mod moves;
mod operations;
mod overview;
mod scripts;
mod several_subjects;

use harness::load::TOKEN;
use sluicegate::redis::{HttpTransport, Token};
use sluicegate::time::Millis;
use sluicegate_bridge::{Backend, Bridge, RedisCluster};
use tokio::task::JoinHandle;

/// A running bridge. Dropping it stops the bridge.
struct RunningBridge {
    url: String,
    transport: HttpTransport,
    serving: JoinHandle<()>,
}

impl RunningBridge {
    async fn over(backend: Backend) -> Self {
        let bridge = Bridge::bind(([127, 0, 0, 1], 0).into(), TOKEN, backend).await.unwrap();
        let url = format!("http://{}", bridge.address());
        let serving = tokio::spawn(async { bridge.run(std::future::pending()).await.unwrap() });
        let transport = HttpTransport::new(url.parse().unwrap(), &Token::new(TOKEN).unwrap(), Millis::from_secs(60));
        RunningBridge { url, transport, serving }
    }
}

impl Drop for RunningBridge {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Starts a cluster and a bridge on it.
async fn start() -> (RunningBridge, RedisCluster) {
    let cluster = RedisCluster::start().await.unwrap();
    (RunningBridge::over(Backend::Cluster(cluster.urls())).await, cluster)
}

/// Runs a command directly on the Redis server at a URL, without the bridge.
fn run<T: redis::FromRedisValue>(url: &str, command: &[&str]) -> T {
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    let mut built = redis::cmd(command[0]);
    built.arg(&command[1..]);
    built.query(&mut connection).unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Returns the number after `name` in a section of `INFO` for each node; 0 if it is missing.
fn info(cluster: &RedisCluster, section: &str, name: &str) -> [u64; 3] {
    let number = |url: &String| {
        let text: String = run(url, &["INFO", section]);
        let rest = text.lines().find_map(|line| line.strip_prefix(name));
        rest.map_or(0, |rest| rest.split(',').next().unwrap().parse().unwrap())
    };
    cluster.urls().iter().map(number).collect::<Vec<_>>().try_into().unwrap()
}

/// Returns for each node the first of `name(0)`, `name(1)`, … with a `key` in a slot of that node.
async fn one_name_per_node(
    cluster: &RedisCluster,
    name: impl Fn(usize) -> String,
    key: impl Fn(&str) -> String,
) -> [String; 3] {
    let mut names = [const { None }; 3];
    for number in 0.. {
        let name = name(number);
        let node = cluster.owner(cluster.slot(&key(&name)).await.unwrap());
        names[node].get_or_insert(name);
        if names.iter().all(Option::is_some) {
            break;
        }
    }
    names.map(Option::unwrap)
}
