//! Upstash's REST protocol in front of any Redis, Redis Cluster or Valkey.
//!
//! A Worker cannot open a connection to Redis; it can send HTTP. [`Bridge`] takes the HTTP requests
//! that Upstash's clients send, speaks to a Redis of yours, and answers as Upstash would.
//! [`RedisServer`] is a private Redis for development and tests, [`RedisCluster`] a private cluster.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use sluicegate_bridge::{Backend, Bridge, RedisServer, stop_signal};
//!
//! let redis = RedisServer::start().await?;
//! let bridge = Bridge::bind(([127, 0, 0, 1], 8079).into(), "secret", Backend::Redis(redis.url())).await?;
//! println!("http://{}", bridge.address());
//! bridge.run(stop_signal()?).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The program is the same: `sluicegate-bridge --embedded`, or
//! `SLUICEGATE_BRIDGE_TOKEN=… sluicegate-bridge --redis redis://127.0.0.1:6379`.
//!
//! # What it serves
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /` with `["SET","key","value"]` | `{"result":"OK"}` |
//! | `GET`, `POST`, `PUT` `/set/key/value?EX=10` | the same, path style; a body comes before the query |
//! | `POST /pipeline` with `[[…],[…]]` | one `{"result"}` or `{"error"}` for each, in order, not atomic |
//! | `POST /multi-exec` with `[[…],[…]]` | the same, atomic: one `MULTI` … `EXEC` |
//! | `GET /health` | 200 or 503, no token needed |
//! | `GET /metrics` | counters in Prometheus text, no token needed |
//!
//! The token is `Authorization: Bearer TOKEN` or `?_token=TOKEN`. `Upstash-Encoding: base64` encodes every
//! string of a result, except a status `OK` that is the whole result. An `upstash-sync-token` is sent back as it came: there is one
//! Redis, and a read after a write sees the write.
//!
//! | status | when |
//! | --- | --- |
//! | 400 | Redis refused the command, `NOSCRIPT` included, or the request makes no sense |
//! | 401, 405, 413 | wrong token, method or size (more than [`MAX_BODY_BYTES`]) |
//! | 502 | no connection to Redis within 1 s, or it broke before the answer; a part of a cluster is down |
//! | 504 | Redis did not answer within 6 s |
//!
//! After a 502 or a 504 a command may or may not have been executed. The bridge never sends one again:
//! only the client knows whether that is safe. The next request opens a new connection.
//!
//! # Metrics
//!
//! - `sluicegate_bridge_http_requests_total{route,status}`: `route` is `command`, `path`, `pipeline` or
//!   `multi_exec`. Health checks and scrapes are not counted.
//! - `sluicegate_bridge_redis_commands_total{command}`: commands that clients had sent to Redis, lower case,
//!   `other` for names that Redis does not have. A transaction counts its `multi` and `exec` as well. What a
//!   script calls inside Redis is not seen here.
//!
//! # Differences from Upstash
//!
//! - A script's first line `#!lua flags=allow-key-locking`, which plain Redis refuses, is dropped on its
//!   way to Redis, and the SHA-1 that the client knows is mapped to that of the script without the line.
//!   The line numbers in a script's error messages are then one less than the client's. The map is bounded
//!   and lost with the process; a client sees `NOSCRIPT` then and sends its `EVAL`, as after any flush.
//! - `Upstash-Response-Format: resp2` is refused with 400.
//! - Commands that block, or change the state of the connection that all clients share, are refused with
//!   400: `BLPOP`, `SUBSCRIBE`, `MULTI`, `SELECT`, and so on. `/subscribe` and `/monitor` do not stream.
//! - Without `Upstash-Encoding: base64`, bytes of a result that are not UTF-8 become U+FFFD.
//! - Commands that Upstash switches off (`CONFIG`, `KEYS` of any size, …) work if Redis lets them.
//! - Nothing is billed, and no request is refused for its rate.
//! - In front of a cluster, a pipeline's commands are sent one after another, since they may belong to
//!   different nodes; a transaction's keys must all be in one slot; `NOSCRIPT` is passed on to the client,
//!   whose `EVAL` loads the script on the node that needs it. A slot that moves is followed (`MOVED`, `ASK`), by
//!   transactions too; keys of which some have moved and some have not (`TRYAGAIN`) are 502 after a few attempts.
//! - Connections to Redis are not encrypted: `rediss://` is refused. Run the bridge beside Redis.

mod auth;
mod backend;
mod batch;
mod bridge;
mod bridge_error;
mod command;
mod command_name;
mod guard;
mod metrics;
mod prepared_command;
mod query;
mod redis_cluster;
mod redis_server;
mod refusal;
mod reply;
mod request_error;
mod rest;
mod script_rewriter;
mod service;
mod stop_signal;

pub use auth::random_token;
pub use backend::Backend;
pub use bridge::Bridge;
pub use bridge_error::BridgeError;
pub use guard::Guard;
pub use redis_cluster::{ClusterError, RedisCluster, SlotMove};
pub use redis_server::{RedisServer, StartError};
pub use rest::MAX_BODY_BYTES;
pub use stop_signal::stop_signal;
