//! Upstash's REST protocol in front of any Redis, Redis Cluster or Valkey.
//!
//! A Worker cannot open a connection to Redis, but it can send HTTP requests. [`Bridge`] accepts the requests
//! of Upstash's clients, runs their commands on your Redis, and responds as Upstash would. [`RedisServer`] is
//! a private Redis for development and tests, [`RedisCluster`] a private cluster.
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
//! The program does the same: `sluicegate-bridge --embedded`, or
//! `SLUICEGATE_BRIDGE_TOKEN=… sluicegate-bridge --redis redis://127.0.0.1:6379`. `sluicegate-bridge health` asks it
//! whether it is healthy.
//!
//! # Requests
//!
//! | request | response |
//! | --- | --- |
//! | `POST /` with `["SET","key","value"]` | `{"result":"OK"}` |
//! | `GET`, `POST`, `PUT` `/set/key/value?EX=10` | the same, path style; a body comes before the query |
//! | `POST /pipeline` with `[[…],[…]]` | one `{"result"}` or `{"error"}` for each, in order, not atomic |
//! | `POST /multi-exec` with `[[…],[…]]` | the same, atomic: one `MULTI` … `EXEC` |
//! | `GET /health` | 200 or 503, no token needed |
//! | `GET /metrics` | counters and durations in Prometheus text, no token needed |
//!
//! The client sends the token as `Authorization: Bearer TOKEN` or `?_token=TOKEN`. `Upstash-Encoding: base64`
//! encodes every string of a result, except a status `OK` that is the whole result. An `upstash-sync-token`
//! is sent back unchanged: there is one Redis, and a read after a write sees the write.
//!
//! | status | when |
//! | --- | --- |
//! | 400 | Redis refused the command, `NOSCRIPT` included, or the request is invalid |
//! | 401, 405, 413 | wrong token, method or size (more than [`MAX_BODY_BYTES`]) |
//! | 502 | no connection to Redis within 1 s, or it broke before the reply; a part of a cluster is down |
//! | 504 | Redis did not reply within 6 s |
//!
//! After a 502 or a 504 the outcome of a command is unknown: it may or may not have run. The bridge never
//! resends such a command, because only the client knows whether that is safe. The next request opens a new
//! connection.
//!
//! # Metrics
//!
//! - `sluicegate_bridge_http_requests_total{route,status}`: `route` is `command`, `path`, `pipeline` or
//!   `multi_exec`. Health checks and scrapes are not counted.
//! - `sluicegate_bridge_redis_commands_total{command}`: commands sent to Redis for clients, by lower-case
//!   name, with `other` for unknown names. A transaction also counts its `multi` and `exec`. Commands that a
//!   script calls inside Redis are not counted.
//! - `sluicegate_bridge_http_request_duration_seconds{route,outcome}`: a histogram of the time from the head of a
//!   request to its response. `outcome` is `ok`, `refused` (4xx) or `failed` (5xx).
//! - `sluicegate_bridge_redis_duration_seconds{operation,outcome}`: a histogram of the time that Redis took for a
//!   request. `operation` is `script`, `command`, `pipeline` or `transaction`; `outcome` is `ok`, `refused` (an error
//!   reply, `NOSCRIPT` included), `unreachable` (502) or `timeout` (504).
//!
//! # Traces
//!
//! If `OTEL_EXPORTER_OTLP_ENDPOINT` is set, the program sends a span per request, and one below it for its call to
//! Redis, as OTLP over HTTP to this collector; see [`Traces`]. Spans contain no key, no argument and no token.
//!
//! # Differences from Upstash
//!
//! - Plain Redis refuses a script that begins with `#!lua flags=allow-key-locking`. The bridge removes this
//!   line and maps the SHA-1 that the client uses to the SHA-1 of the script without the line. Line numbers
//!   in a script's error messages are then one lower than in the client's text. The map is bounded and lost
//!   with the process; the client then gets `NOSCRIPT` and sends its `EVAL`, as after any flush.
//! - `Upstash-Response-Format: resp2` is refused with 400.
//! - Commands that block, or change the state of the connection that all clients share, are refused with 400:
//!   `BLPOP`, `SUBSCRIBE`, `MULTI`, `SELECT`, and so on. `/subscribe` and `/monitor` do not stream.
//! - Without `Upstash-Encoding: base64`, bytes of a result that are not UTF-8 become U+FFFD.
//! - Commands that Upstash disables (`CONFIG`, `KEYS` of any size, …) work if Redis allows them.
//! - Nothing is billed, and no request is refused for its rate.
//! - In front of a cluster, the commands of a pipeline are sent one after another, because they may belong to
//!   different nodes. All keys of a transaction must be in one slot. `NOSCRIPT` is passed on to the client,
//!   and its `EVAL` loads the script on the node that needs it. The bridge follows a slot that moves (`MOVED`,
//!   `ASK`), also in transactions. If only some of the keys have moved (`TRYAGAIN`), the response is 502
//!   after a few attempts.
//! - Connections to Redis are not encrypted: `rediss://` is refused. Run the bridge next to Redis.
//!
//! # Files
//!
//! A file uses only files above it; this file is the last.
//!
//! 1. `query`, `auth` and `command` parse what a client sends.
//! 2. `request_error` and `bridge_error` are the errors, `reply` is Redis's reply as JSON.
//! 3. `command_name`, `refusal`, `script_rewriter` and `prepared_command` turn a command into the one for
//!    Redis.
//! 4. `backend/` sends it: `timeouts`, then `shared_connection` and `cluster`, then `mod`.
//! 5. `operation`, `metrics`, `traces`, `request_span` and `service` are the state of all requests; `batch`, `rest` and
//!    `bridge` serve them.
//! 6. `guard`, `redis_server/` and `redis_cluster/` are the private Redis and cluster. In the latter
//!    `layout`, `error`, `node`, `cluster` and `slot_move` follow each other.
//! 7. `stop_signal` is for programs. `options` and `health` belong to the program here.

mod auth;
mod backend;
mod batch;
mod bridge;
mod bridge_error;
mod command;
mod command_name;
mod guard;
mod metrics;
mod operation;
mod prepared_command;
mod query;
mod redis_cluster;
mod redis_server;
mod refusal;
mod reply;
mod request_error;
mod request_span;
mod rest;
mod script_rewriter;
mod service;
mod stop_signal;
mod traces;
mod unfinished;

pub use auth::random_token;
pub use backend::Backend;
pub use bridge::Bridge;
pub use bridge_error::BridgeError;
pub use guard::Guard;
pub use redis_cluster::{ClusterError, RedisCluster, SlotMove};
pub use redis_server::{RedisServer, StartError};
pub use rest::MAX_BODY_BYTES;
pub use stop_signal::stop_signal;
pub use traces::{Traces, TracesError};
