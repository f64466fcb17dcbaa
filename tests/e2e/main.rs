//! End to end: the built Worker in workerd through `wrangler dev`, with a real redis-server, the bridge and
//! the demo origin. `make test` builds the Worker first.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod admin;
mod api;
mod bare;
mod breaker;
mod configuration;
mod cors;
mod credentials;
mod cut_costs;
mod deny_cache;
mod departures;
mod direct_redis;
mod events;
mod examples;
mod explain;
mod faults;
mod first_byte;
mod flood;
mod given_up;
mod heap;
mod hierarchy;
mod jwt;
mod jwt_keys;
mod key_guessing;
mod key_server;
mod last_resort;
mod leases;
mod limits;
mod log;
mod observability;
mod origin_faults;
mod origins;
mod outage;
mod outage_policies;
mod overrides;
mod overview;
mod page;
mod paths;
mod prefetch;
mod proxy;
mod races;
mod real_costs;
mod request_bodies;
mod rotation;
mod routes;
mod schedule;
#[path = "../admin/schemathesis.rs"]
mod schemathesis;
#[allow(dead_code, reason = "the tests of the API use more of it")]
#[path = "../admin/service.rs"]
mod service;
mod settlement;
mod spoof;
mod support;
mod tenants;
#[path = "../support/tokens.rs"]
mod tokens;
#[path = "../support/tool.rs"]
mod tool;
mod upgrade;
