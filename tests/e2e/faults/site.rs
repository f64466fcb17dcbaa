//! A Worker in bare workerd whose Redis can fail.

use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use sluicegate_bridge::RedisServer;
use sluicegate_devstack::network::Answer;
use sluicegate_devstack::{Backends, BridgeServer, Fault, Origin};
use tokio::time::{Instant, sleep};

use super::replica;
use super::table::Failure;
use crate::bare::{Bare, TOKEN};
use crate::support::{body, client, status};

/// All parts. The bridge reaches Redis at a path that can lead to another Redis.
pub(super) struct Site {
    pub(super) bare: Bare,
    /// The id of the process of the first Redis, which cannot be asked while it is stopped.
    redis_process: String,
    /// The Redis that the bridge reaches instead of the first one.
    replica: Option<RedisServer>,
}

impl Site {
    pub(super) async fn start(sluicegate: Value) -> Self {
        let persistent = ["--appendonly", "yes", "--appendfsync", "always"].map(str::to_owned);
        let redis = RedisServer::start_with(&persistent).await.unwrap();
        let about: String = command(&redis, &["INFO", "server"]);
        let redis_process = about.lines().find_map(|line| line.strip_prefix("process_id:")).unwrap().to_owned();
        symlink(redis.socket(), redis.socket().with_file_name(CURRENT)).unwrap();
        let url = redis.url().replace("redis.sock", CURRENT);
        let bridge = BridgeServer::start(0, TOKEN, url).await.unwrap();
        let origin = Origin::start(0).await.unwrap();
        let bare = Bare::start_on(sluicegate, Backends { bridge, origin, redis }).await;
        Site { bare, redis_process, replica: None }
    }

    /// Returns how many units of the caller at this address Redis has charged.
    pub(super) fn charged(&self, address: &str) -> u64 {
        let redis = self.replica.as_ref().unwrap_or(&self.bare.redis);
        command(redis, &["ZCARD", &format!("sg:1:{{ip:{address}}}:log:{LIMIT_NAME}")])
    }

    /// Returns the state of the circuit breaker.
    pub(super) async fn breaker(&self) -> String {
        let health = client().get(self.bare.url() + "/_sluicegate/health").send().await.unwrap();
        body(health).await["breaker"].as_str().unwrap().to_owned()
    }

    /// Makes something fail, until [`Site::mend`] if it lasts.
    pub(super) async fn fail(&mut self, failure: Failure) {
        match failure {
            Failure::RedisHangs => self.signal("-STOP"),
            Failure::RedisDown => self.bare.redis.kill().await,
            Failure::Restart => {
                self.bare.redis.restart().await.unwrap();
                self.bridge_reconnects().await;
            }
            Failure::FlushAll => command(&self.bare.redis, &["FLUSHALL"]),
            Failure::ScriptFlush => command(&self.bare.redis, &["SCRIPT", "FLUSH"]),
            Failure::OutOfMemory => command(&self.bare.redis, &["CONFIG", "SET", "maxmemory", "1"]),
            Failure::ReadOnly => {
                let replica = replica::follow(&self.bare.redis).await;
                self.lead_to(&replica);
                command::<u64>(&self.bare.redis, &["CLIENT", "KILL", "TYPE", "normal"]);
                self.replica = Some(replica);
                self.bridge_reconnects().await;
            }
            Failure::Failover => {
                let replica = replica::follow(&self.bare.redis).await;
                self.bare.redis.kill().await;
                command::<()>(&replica, &["REPLICAOF", "NO", "ONE"]);
                self.lead_to(&replica);
                self.replica = Some(replica);
                self.bridge_reconnects().await;
            }
            _ => self.bare.network.inject(self.network_fault(failure)).await,
        }
    }

    /// Ends a failure that lasts.
    pub(super) async fn mend(&mut self, failure: Failure) {
        match failure {
            Failure::RedisHangs => self.signal("-CONT"),
            Failure::RedisDown => self.bare.redis.restart().await.unwrap(),
            Failure::OutOfMemory => command(&self.bare.redis, &["CONFIG", "SET", "maxmemory", "0"]),
            Failure::ReadOnly => {
                self.lead_to(&self.bare.redis);
                // Ends with the connections to it.
                self.replica = None;
            }
            _ => self.bare.network.heal().await,
        }
    }

    /// Waits until the bridge has noticed that its connection is broken, and has a new one.
    async fn bridge_reconnects(&self) {
        let ping = || client().post(self.bare.bridge.url()).bearer_auth(TOKEN).body(r#"["PING"]"#);
        let deadline = Instant::now() + PATIENCE;
        while status(ping()).await != 200 {
            assert!(Instant::now() < deadline, "the bridge does not reach Redis within {PATIENCE:?}");
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Returns the fault of the network that is this failure.
    fn network_fault(&self, failure: Failure) -> Fault {
        let json = |status, body| Fault::Answer(Answer::new(status, "application/json", body));
        match failure {
            Failure::RequestsHang => Fault::HoldRequests,
            Failure::Refused => Fault::Refuse,
            Failure::Reset => Fault::Reset,
            Failure::Slow => Fault::Delay(Duration::from_mins(1)),
            Failure::Drip => Fault::Drip(Duration::from_secs(1)),
            Failure::HangAfterHead => Fault::HoldBody,
            Failure::HangInBody => Fault::HoldHalfBody,
            Failure::Unauthorized => json(401, r#"{"error":"WRONGPASS invalid or missing auth token"}"#),
            Failure::RateLimited => json(429, r#"{"error":"too many requests"}"#),
            Failure::ServerError => Fault::Answer(Answer::new(500, "text/html", "<h1>Internal Server Error</h1>")),
            Failure::CutJson => json(200, r#"{"result":[1,"#),
            Failure::WrongShape => json(200, r#"{"message":"OK"}"#),
            Failure::WrongType => json(200, r#"{"result":"OK"}"#),
            Failure::QuotaExceeded => json(400, r#"{"error":"ERR max daily request limit exceeded. Limit: 10000"}"#),
            Failure::Redirect => {
                let elsewhere = format!("{}/elsewhere", self.bare.origin.url());
                Fault::Answer(Answer::new(307, "text/html", "<p>Moved").header("Location", &elsewhere))
            }
            _ => unreachable!("{failure:?} is not a fault of the network"),
        }
    }

    /// Sends a signal to the process of Redis.
    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.redis_process]).status().unwrap().success());
    }

    /// Makes the path of the bridge lead to this Redis.
    fn lead_to(&self, redis: &RedisServer) {
        let current = self.bare.redis.socket().with_file_name(CURRENT);
        let new = current.with_extension("new");
        symlink(redis.socket(), &new).unwrap();
        std::fs::rename(new, current).unwrap();
    }
}

/// Runs a command.
pub(super) fn command<T: redis::FromRedisValue>(redis: &RedisServer, words: &[&str]) -> T {
    let mut connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
    redis::cmd(words[0]).arg(&words[1..]).query(&mut connection).unwrap()
}

/// A configuration with one limit that frees nothing during a test.
pub(super) fn configuration(on_outage: &str, timeout: Duration) -> Value {
    json!({
        "default_plan": "p",
        "timeout": format!("{}ms", timeout.as_millis()),
        "on_outage": on_outage,
        "plans": { "p": { "limits": [
            { "name": LIMIT_NAME, "algorithm": "sliding_log", "limit": LIMIT, "window": "1h" },
        ] } },
    })
}

/// How many requests of a caller the configured limit allows.
pub(super) const LIMIT: u64 = 8;
const LIMIT_NAME: &str = "hour";

/// The name of the socket at which the bridge reaches Redis.
const CURRENT: &str = "current.sock";

const POLL_INTERVAL: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(20);
