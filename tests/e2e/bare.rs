//! The built Worker in a workerd of its own, with the other parts around it, and clients that go away.
//!
//! `wrangler dev` has a proxy in front of the Worker, which keeps to itself that a client has gone. So has workerd, as
//! long as the client only closes its connection and nothing is written; it notices at once that one was reset.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use sluicegate_bridge::{Guard, RedisServer};
use sluicegate_devstack::{BridgeServer, Origin, Throttle};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

/// redis-server, the bridge, a network to it, the origin and the Worker. Ends with the value.
pub(crate) struct Bare {
    _workerd: Child,
    address: SocketAddr,
    pub(crate) network: Throttle,
    _bridge: BridgeServer,
    pub(crate) origin: Origin,
    pub(crate) redis: RedisServer,
    _guard: Guard,
    _folder: Folder,
}

/// Removed with the value; by the guard, should this process be killed.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", fs::read_to_string(self.0.join(LOG)).unwrap_or_default());
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Bare {
    /// Starts all parts with this configuration; the Worker asks Redis by way of [`Bare::network`].
    pub(crate) async fn start(sluicegate: Value) -> Self {
        let parts = Parts::start().await;
        let network = Throttle::start(parts.bridge.address()).await.unwrap();
        let rest = network.url();
        parts.serve(sluicegate, &rest, network).await
    }

    /// The same, but the Worker reaches the bridge at `rest`.
    pub(crate) async fn start_behind(sluicegate: Value, rest: impl FnOnce(SocketAddr) -> String) -> Self {
        let parts = Parts::start().await;
        let network = Throttle::start(parts.bridge.address()).await.unwrap();
        let rest = rest(parts.bridge.address());
        parts.serve(sluicegate, &rest, network).await
    }

    /// Sends a request and leaves the connection open.
    pub(crate) async fn send(&self, request: &str) -> Client {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!("{request} HTTP/1.1\r\nHost: edge\r\nCF-Connecting-IP: 192.0.2.1\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        Client { stream }
    }

    /// Sends a `GET`.
    pub(crate) async fn get(&self, path: &str) -> Client {
        let mut client = self.send(&format!("GET {path}")).await;
        client.write("\r\n").await;
        client
    }

    /// Sends a `GET` and reads the answer's head.
    pub(crate) async fn head(&self, path: &str) -> String {
        self.get(path).await.head().await
    }

    /// How many leases Redis has.
    pub(crate) fn leases(&self) -> u64 {
        let mut connection = redis::Client::open(self.redis.url()).unwrap().get_connection().unwrap();
        let keys: Vec<String> = redis::cmd("KEYS").arg("*:inflight:*").query(&mut connection).unwrap();
        keys.iter().map(|key| redis::cmd("ZCARD").arg(key).query::<u64>(&mut connection).unwrap()).sum()
    }

    /// How often a command has been executed since the start.
    pub(crate) fn executed(&self, command: &str) -> u64 {
        let mut connection = redis::Client::open(self.redis.url()).unwrap().get_connection().unwrap();
        let statistics: String = redis::cmd("INFO").arg("commandstats").query(&mut connection).unwrap();
        let calls = statistics.split(&format!("cmdstat_{command}:calls=")).nth(1);
        calls.map_or(0, |rest| rest.split(',').next().unwrap().parse().unwrap())
    }

    /// Waits until Redis has this many leases.
    pub(crate) async fn expect_leases(&self, expected: u64) {
        eventually(&format!("{expected} leases"), || (self.leases() == expected, self.leases())).await;
    }
}

/// Everything but the Worker.
struct Parts {
    redis: RedisServer,
    bridge: BridgeServer,
    origin: Origin,
}

impl Parts {
    async fn start() -> Self {
        let redis = RedisServer::start().await.unwrap();
        let bridge = BridgeServer::start(0, TOKEN, redis.url()).await.unwrap();
        Parts { redis, bridge, origin: Origin::start(0).await.unwrap() }
    }

    async fn serve(self, sluicegate: Value, rest: &str, network: Throttle) -> Bare {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let name = format!("bare-{}-{}", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir(&folder).unwrap();
        let mut guard = Guard::new(&folder).unwrap();
        for file in ["index.js", "index_bg.wasm"] {
            let built = root().join("build/worker").join(file);
            fs::copy(built, folder.join(file)).expect("the Worker is built (run `make build`)");
        }
        let bindings = json!({
            "ORIGIN": self.origin.url(),
            "UPSTASH_REDIS_REST_URL": rest,
            "UPSTASH_REDIS_REST_TOKEN": TOKEN,
            "SLUICEGATE_ADMIN_TOKEN": TOKEN,
            "SLUICEGATE": sluicegate.to_string(),
        });
        fs::write(folder.join("config.capnp"), config(&bindings)).unwrap();
        let mut workerd = Command::new(root().join("node_modules/.bin/workerd"))
            .args(["serve", "config.capnp", "--control-fd=1"])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.join(LOG)).unwrap())
            .kill_on_drop(true)
            .process_group(0)
            .spawn()
            .expect("workerd is installed (run `make setup`)");
        guard.watch(workerd.id().unwrap()).unwrap();
        let mut lines = BufReader::new(workerd.stdout.take().unwrap()).lines();
        let listening = timeout(PATIENCE, async {
            loop {
                let line = lines.next_line().await.unwrap().expect("workerd goes on");
                let report: Value = serde_json::from_str(&line).unwrap_or_default();
                if report["event"] == "listen" {
                    break u16::try_from(report["port"].as_u64().unwrap()).unwrap();
                }
            }
        });
        let address = SocketAddr::from(([127, 0, 0, 1], listening.await.expect("workerd listens")));
        // Read on, or workerd would stop at a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let Parts { redis, bridge, origin } = self;
        Bare {
            _workerd: workerd,
            address,
            network,
            _bridge: bridge,
            origin,
            redis,
            _guard: guard,
            _folder: Folder(folder),
        }
    }
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

    /// Reads the head of the answer.
    pub(crate) async fn head(&mut self) -> String {
        let mut head = Vec::new();
        let read = async {
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.stream.read_u8().await.unwrap());
            }
        };
        timeout(PATIENCE, read).await.expect("an answer comes");
        String::from_utf8(head).unwrap().to_lowercase()
    }

    /// Goes away, whatever is under way.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

/// Waits until `look` says so; or tells what it saw last.
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

/// A configuration of workerd (`workerd.capnp`), with the compatibility of wrangler.toml.
fn config(bindings: &Value) -> String {
    let wrangler: Value = toml::from_str(&fs::read_to_string(root().join("wrangler.toml")).unwrap()).unwrap();
    // What JSON writes here is a literal of Cap'n Proto, too.
    let bindings: Vec<String> = bindings
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| format!("(name = \"{name}\", text = {value})"))
        .collect();
    let none = json!([]);
    format!(
        r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [
        (name = "./index.js", esModule = embed "index.js"),
        (name = "./index_bg.wasm", wasm = embed "index_bg.wasm"),
      ],
      bindings = [{}],
      compatibilityDate = {},
      compatibilityFlags = {},
      globalOutbound = "loopback",
    )),
    (name = "loopback", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
"#,
        bindings.join(", "),
        wrangler["compatibility_date"],
        wrangler.get("compatibility_flags").unwrap_or(&none),
    )
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Also the admin token.
pub(crate) const TOKEN: &str = "a-token-that-only-tests-know";

/// Of what the Worker logs, and workerd; shown where a test fails.
const LOG: &str = "log";

/// Within this everything here happens, also on a slow machine; a lease lasts longer.
const PATIENCE: Duration = Duration::from_secs(20);
