//! The built Worker in a bare workerd, with the other parts around it, and clients that disconnect.
//!
//! The proxy of `wrangler dev` does not forward a disconnect to the Worker. workerd itself notices at once that a
//! connection was reset, but a connection that was only closed not before it writes something.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sluicegate_bridge::RedisServer;
use sluicegate_devstack::backends::{BackendOptions, Backends};
use sluicegate_devstack::workerd::{
    Binding, CONFIGURATION, Code, Compatibility, Config, Module, Workerd, built_worker, resident_memory,
};
use sluicegate_devstack::{BridgeServer, Network, Origin};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// A running redis-server, bridge, network to the bridge, origin and Worker.
pub(crate) struct Bare {
    workerd: Workerd,
    pub(crate) network: Network,
    pub(crate) bridge: BridgeServer,
    pub(crate) origin: Origin,
    pub(crate) redis: RedisServer,
}

impl Drop for Bare {
    /// Shows the log of the Worker if the test fails.
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.workerd.log());
        }
    }
}

impl Bare {
    /// Starts all parts with this configuration; the Worker reaches the bridge through [`Bare::network`].
    pub(crate) async fn start(sluicegate: Value) -> Self {
        Self::start_on(sluicegate, backends().await).await
    }

    /// Starts all parts; the Worker reaches the bridge at the URL that `rest` returns for the bridge's address.
    pub(crate) async fn start_behind(sluicegate: Value, rest: impl FnOnce(SocketAddr) -> String) -> Self {
        let backends = backends().await;
        let network = Network::start(backends.bridge.address()).await.unwrap();
        let rest = rest(backends.bridge.address());
        Self::serve(sluicegate, rest, network, backends, Extra::Nothing).await
    }

    /// Starts a network and the Worker on top of running servers.
    pub(crate) async fn start_on(sluicegate: Value, backends: Backends) -> Self {
        let network = Network::start(backends.bridge.address()).await.unwrap();
        let rest = network.url();
        Self::serve(sluicegate, rest, network, backends, Extra::Nothing).await
    }

    /// Starts all parts, and the inspector of workerd.
    pub(crate) async fn start_inspected(sluicegate: Value) -> Self {
        let backends = backends().await;
        let network = Network::start(backends.bridge.address()).await.unwrap();
        let rest = network.url();
        Self::serve(sluicegate, rest, network, backends, Extra::Inspector).await
    }

    /// Starts all parts. The Worker passes requests to the zone: the origin serves every host.
    pub(crate) async fn start_in_zone(sluicegate: Value) -> Self {
        let backends = backends().await;
        let network = Network::start(backends.bridge.address()).await.unwrap();
        let rest = network.url();
        Self::serve(sluicegate, rest, network, backends, Extra::Zone).await
    }

    /// Starts all parts; the Worker has the variable `SLUICEGATE_FILE` and this module with the bundled configuration.
    pub(crate) async fn start_bundled(file: &str, module: &str) -> Self {
        let backends = backends().await;
        let network = Network::start(backends.bridge.address()).await.unwrap();
        let mut modules = built_worker(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        modules.retain(|other| other.name != CONFIGURATION);
        modules.push(Module { name: CONFIGURATION, code: Code::Script(module.into()) });
        let source = ("SLUICEGATE_FILE", file.to_owned());
        let rest = network.url();
        Self::serve_modules(modules, source, rest, network, backends, Extra::Nothing).await
    }

    /// Starts all parts; the main module is this script, which imports the Worker from `./index.js`.
    pub(crate) async fn start_main(sluicegate: Value, script: &str) -> Self {
        let backends = backends().await;
        let network = Network::start(backends.bridge.address()).await.unwrap();
        let mut modules = built_worker(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        modules.insert(0, Module { name: "main.js", code: Code::Script(script.into()) });
        let source = ("SLUICEGATE", sluicegate.to_string());
        let rest = network.url();
        Self::serve_modules(modules, source, rest, network, backends, Extra::Nothing).await
    }

    async fn serve(sluicegate: Value, rest: String, network: Network, backends: Backends, extra: Extra) -> Self {
        let modules = built_worker(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let source = ("SLUICEGATE", sluicegate.to_string());
        Self::serve_modules(modules, source, rest, network, backends, extra).await
    }

    async fn serve_modules(
        modules: Vec<Module>,
        source: (&'static str, String),
        rest: String,
        network: Network,
        backends: Backends,
        extra: Extra,
    ) -> Self {
        let Backends { bridge, origin, redis } = backends;
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let bindings = [
            ("ORIGIN", if extra == Extra::Zone { "zone".to_owned() } else { origin.url() }),
            ("UPSTASH_REDIS_REST_URL", rest),
            ("UPSTASH_REDIS_REST_TOKEN", TOKEN.to_owned()),
            ("SLUICEGATE_ADMIN_TOKEN", TOKEN.to_owned()),
            source,
        ];
        let config = Config {
            modules,
            bindings: bindings.map(|(name, value)| Binding { name, value: json!(value) }).into(),
            compatibility: Compatibility::read(&root.join("wrangler.toml")).unwrap(),
            zone: (extra == Extra::Zone).then(|| origin.address()),
            inspector: extra == Extra::Inspector,
        };
        let workerd = Workerd::start(&root.join("node_modules/.bin/workerd"), &config).await.unwrap();
        Self { workerd, network, bridge, origin, redis }
    }

    /// Returns the base URL of the Worker, without a trailing slash.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.workerd.address())
    }

    /// Kills workerd, as a crash would.
    pub(crate) fn kill(&self) {
        let killed = std::process::Command::new("kill").args(["-9", &self.workerd.process().to_string()]).status();
        assert!(killed.unwrap().success());
    }

    /// Returns what the Worker has logged.
    pub(crate) fn log(&self) -> String {
        self.workerd.log()
    }

    /// Returns the address of the inspector of a Worker started with [`Bare::start_inspected`].
    pub(crate) fn inspector(&self) -> SocketAddr {
        self.workerd.inspector().unwrap()
    }

    /// Returns the resident memory of workerd, in bytes.
    pub(crate) fn resident_memory(&self) -> u64 {
        resident_memory(self.workerd.process()).unwrap()
    }

    /// Sends the head of a request, without the empty line that ends it.
    pub(crate) async fn send(&self, request: &str) -> Client {
        self.send_from("192.0.2.1", request).await
    }

    /// Sends the head of a request as a client of this address.
    pub(crate) async fn send_from(&self, address: &str, request: &str) -> Client {
        let mut stream = TcpStream::connect(self.workerd.address()).await.unwrap();
        let head = format!("{request} HTTP/1.1\r\nHost: edge\r\nCF-Connecting-IP: {address}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        Client { stream }
    }

    /// Sends a `GET`.
    pub(crate) async fn get(&self, path: &str) -> Client {
        let mut client = self.send(&format!("GET {path}")).await;
        client.write("\r\n").await;
        client
    }

    /// Sends a `GET` and returns the head of the response.
    pub(crate) async fn head(&self, path: &str) -> String {
        self.get(path).await.head().await
    }

    /// Returns the number of leases in Redis.
    pub(crate) fn leases(&self) -> u64 {
        let mut connection = redis::Client::open(self.redis.url()).unwrap().get_connection().unwrap();
        let keys: Vec<String> = redis::cmd("KEYS").arg("*:inflight:*").query(&mut connection).unwrap();
        keys.iter().map(|key| redis::cmd("ZCARD").arg(key).query::<u64>(&mut connection).unwrap()).sum()
    }

    /// Returns how often a command has been executed since the start.
    pub(crate) fn executed(&self, command: &str) -> u64 {
        self.statistics().into_iter().find(|(name, _)| name == command).map_or(0, |(_, calls)| calls)
    }

    /// Returns how many commands have been executed since the start, those of scripts included.
    pub(crate) fn commands(&self) -> u64 {
        let statistics = self.statistics().into_iter();
        let by_worker = statistics.filter(|(name, _)| !name.starts_with("info") && !name.starts_with("client"));
        by_worker.map(|(_, calls)| calls).sum()
    }

    /// Returns each command with the number of its executions.
    fn statistics(&self) -> Vec<(String, u64)> {
        let mut connection = redis::Client::open(self.redis.url()).unwrap().get_connection().unwrap();
        let statistics: String = redis::cmd("INFO").arg("commandstats").query(&mut connection).unwrap();
        let calls = statistics.lines().filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(":calls="));
        calls.map(|(name, rest)| (name.to_owned(), rest.split(',').next().unwrap().parse().unwrap())).collect()
    }

    /// Waits until Redis has this many leases.
    pub(crate) async fn expect_leases(&self, expected: u64) {
        eventually(&format!("{expected} leases"), || (self.leases() == expected, self.leases())).await;
    }
}

/// What a Worker has that others do not have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extra {
    Nothing,
    Inspector,
    Zone,
}

/// A connection to the Worker.
pub(crate) struct Client {
    stream: TcpStream,
}

impl Client {
    /// Sends more.
    pub(crate) async fn write(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Returns the head of the response, in lower case.
    pub(crate) async fn head(&mut self) -> String {
        let mut head = Vec::new();
        let read = async {
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.stream.read_u8().await.unwrap());
            }
        };
        timeout(PATIENCE, read).await.expect("a response arrives");
        String::from_utf8(head).unwrap().to_lowercase()
    }

    /// Returns the head of the response, in lower case, and reads the body, whose length it gives.
    pub(crate) async fn response(&mut self) -> String {
        let head = self.head().await;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.unwrap_or_else(|| panic!("no length: {head}")).parse().unwrap();
        self.stream.read_exact(&mut vec![0; length]).await.unwrap();
        head
    }

    /// Reads so many bytes of a body in chunks, and the lines with their lengths.
    pub(crate) async fn chunks(&mut self, length: usize) {
        let mut read = 0;
        while read < length {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                line.push(timeout(PATIENCE, self.stream.read_u8()).await.expect("a chunk arrives").unwrap());
            }
            let chunk = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).unwrap();
            self.exactly(chunk + 2).await;
            read += chunk;
        }
        assert_eq!(read, length);
    }

    /// Reads so many bytes.
    pub(crate) async fn exactly(&mut self, length: usize) {
        timeout(PATIENCE, self.stream.read_exact(&mut vec![0; length])).await.expect("they arrive").unwrap();
    }

    /// Reads until the connection ends; returns the bytes.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset is an error, after which the bytes before it are here.
        let _ = timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await.expect("the connection ends");
        rest
    }

    /// Resets the connection.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

/// Waits until `look` returns true; fails with the value it returned last.
pub(crate) async fn eventually<T: std::fmt::Debug>(what: &str, mut look: impl FnMut() -> (bool, T)) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (done, seen) = look();
        if done {
            return;
        }
        assert!(Instant::now() < deadline, "expected {what}, found {seen:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn backends() -> Backends {
    Backends::start(TOKEN, &BackendOptions::default()).await.unwrap()
}

/// The token of the bridge and of the admin API.
pub(crate) const TOKEN: &str = "a-token-that-only-tests-know";

/// Enough for anything here, also on a slow machine; shorter than a lease.
const PATIENCE: Duration = Duration::from_mins(1);
