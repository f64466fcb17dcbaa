//! The scenarios: who sends requests, what limits them, and how far Redis is away.

use std::time::Duration;

use crate::{
    contender::Contender,
    limit::{Limit, Quota},
};

/// A situation in which all contenders are measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scenario {
    /// Its name in `BENCH_SCENARIOS`. Two scenarios may share one.
    pub letter: char,
    /// Its name in the table.
    pub title: &'static str,
    /// What is measured.
    pub measure: Measure,
    /// Who sends the requests.
    pub caller: Caller,
    /// The numbers of concurrent connections, one measurement each.
    pub connections: &'static [usize],
    /// The limits of the floor and of our Worker.
    pub limits: &'static [Limit],
    /// The limits of npm `@upstash/ratelimit`, one limiter each.
    pub upstash: &'static [Quota],
    /// How long each response of the bridge is delayed.
    pub delay: Duration,
    /// The Workers, in the order of the table.
    pub contenders: &'static [Contender],
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Requests that all pass.
    Throughput,
    /// More requests than the quota allows, for a number of whole windows.
    Flood,
    /// The first response of a new process.
    ColdStart,
}

/// Who sends the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Many client addresses, in turn.
    Addresses,
    /// One client address.
    OneAddress,
    /// One tenant, with an API key.
    Tenant,
}

impl Scenario {
    /// Returns the scenarios named by a list such as `a,b`, in the order of [`ALL`].
    ///
    /// # Errors
    ///
    /// Fails if a name is unknown or the list is empty.
    pub fn named(list: &str) -> Result<Vec<Self>, String> {
        let names: Vec<&str> = list.split(',').map(str::trim).collect();
        let is = |scenario: &Self, name: &str| name.parse() == Ok(scenario.letter);
        match names.iter().find(|name| !ALL.iter().any(|scenario| is(scenario, name))) {
            Some(name) => Err(format!("expected names of scenarios like a,b (a to f), found \"{name}\"")),
            None => Ok(ALL.into_iter().filter(|scenario| names.iter().any(|name| is(scenario, name))).collect()),
        }
    }
}

/// All scenarios, in the order of the table.
pub const ALL: [Scenario; 7] = [
    MANY_CLIENTS,
    HOT_CLIENT,
    Scenario {
        letter: 'c',
        title: "refused flood",
        measure: Measure::Flood,
        // A token bucket delivers the whole quota. Two counters deliver one unit less in each window, because the last one
        // would be admitted when the next window begins.
        limits: &[Limit::token_bucket("flood", FLOOD.units, FLOOD.window_ms, FLOOD.units)],
        upstash: &[FLOOD],
        contenders: Contender::ALL,
        ..HOT_CLIENT
    },
    Scenario {
        letter: 'd',
        title: "tenant with API key, three limits and usage",
        caller: Caller::Tenant,
        connections: &[8],
        limits: &[
            Limit::token_bucket("second", 1_000_000, 1_000, 1_000_000),
            Limit::sliding_window("minute", 1_000_000_000, 60_000),
            Limit::fixed_window("day", 1_000_000_000, DAY_MS),
        ],
        upstash: &[
            Quota { units: 1_000_000, window_ms: 1_000 },
            Quota { units: 1_000_000_000, window_ms: 60_000 },
            Quota { units: 1_000_000_000, window_ms: DAY_MS },
        ],
        ..MANY_CLIENTS
    },
    Scenario { letter: 'e', title: "many clients, 20 ms to Redis", connections: &[64], delay: FAR, ..MANY_CLIENTS },
    Scenario { letter: 'e', title: "one hot client, 20 ms to Redis", delay: FAR, ..HOT_CLIENT },
    Scenario { letter: 'f', title: "cold start", measure: Measure::ColdStart, connections: &[1], ..MANY_CLIENTS },
];

const MANY_CLIENTS: Scenario = Scenario {
    letter: 'a',
    title: "many clients",
    measure: Measure::Throughput,
    caller: Caller::Addresses,
    connections: &[1, 8, 64],
    // At one unit per second, the state of a subject outlives the time between two of its requests, as in production. A
    // run cannot use up the burst, so no request is refused.
    limits: &[Limit::token_bucket("bench", 1, 1_000, 100_000_000)],
    upstash: &[UNLIMITED],
    delay: Duration::ZERO,
    contenders: Contender::ALL,
};

const HOT_CLIENT: Scenario = Scenario {
    letter: 'b',
    title: "one hot client",
    caller: Caller::OneAddress,
    connections: &[64],
    limits: &[Limit::sliding_window("bench", UNLIMITED.units, UNLIMITED.window_ms)],
    contenders: Contender::WITH_PREFETCH,
    ..MANY_CLIENTS
};

const UNLIMITED: Quota = Quota { units: 1_000_000_000, window_ms: 10_000 };
const FLOOD: Quota = Quota { units: 5, window_ms: 500 };
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const FAR: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_scenarios() {
        let letters =
            |list: &str| Scenario::named(list).map(|all| all.iter().map(|one| one.letter).collect::<String>());
        assert_eq!(letters("d, a"), Ok("ad".to_owned()));
        assert_eq!(letters("e"), Ok("ee".to_owned()));
        assert_eq!(letters("a,x"), Err("expected names of scenarios like a,b (a to f), found \"x\"".to_owned()));
        assert!(letters("").is_err());
    }

    #[test]
    fn windows_of_a_flood_are_those_of_upstash() {
        for scenario in ALL.iter().filter(|scenario| scenario.measure == Measure::Flood) {
            let ours: Vec<_> = scenario.limits.iter().map(|limit| limit.quota).collect();
            assert_eq!(ours, scenario.upstash);
        }
    }
}
