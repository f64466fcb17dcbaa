//! The numbers of one contender and their ratios to those of others.

use serde::Serialize;
use sluicegate_bench::contender::Contender;

use crate::sample::{Sample, median};

/// The result of one contender at one number of connections.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Outcome {
    /// Number of concurrent connections.
    pub(crate) connections: usize,
    /// The contender.
    pub(crate) contender: Contender,
    /// Medians over the rounds.
    pub(crate) median: Sample,
    /// Relative to the floor.
    pub(crate) to_floor: Ratios,
    /// Relative to npm `@upstash/ratelimit`.
    pub(crate) to_upstash: Ratios,
    /// The measurement of each round.
    pub(crate) rounds: Vec<Sample>,
}

/// The ratios of a contender's numbers to those of another.
///
/// Each is the median of the ratios within the rounds, because the load of the machine differs between rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Ratios {
    /// CPU time per request; less is better.
    pub(crate) cpu: f64,
    /// Requests per second; more is better.
    pub(crate) requests_per_second: f64,
    /// The median latency; less is better.
    pub(crate) p50: f64,
}

/// Returns the outcomes at one number of connections. `samples` has each contender with one sample per round.
pub(crate) fn outcomes(connections: usize, samples: &[(Contender, Vec<Sample>)]) -> Vec<Outcome> {
    let of = |wanted: Contender| samples.iter().find(|(contender, _)| *contender == wanted).map(|(_, rounds)| rounds);
    let outcome = |(contender, rounds): &(Contender, Vec<Sample>)| Outcome {
        connections,
        contender: *contender,
        median: Sample::medians(rounds),
        to_floor: Ratios::of(rounds, of(Contender::Floor).map_or(&[], Vec::as_slice)),
        to_upstash: Ratios::of(rounds, of(Contender::Upstash).map_or(&[], Vec::as_slice)),
        rounds: rounds.clone(),
    };
    samples.iter().map(outcome).collect()
}

impl Ratios {
    fn of(rounds: &[Sample], others: &[Sample]) -> Self {
        let ratio = |number: fn(&Sample) -> f64| {
            median(rounds.iter().zip(others).map(|(one, other)| number(one) / number(other)).collect())
        };
        Self {
            cpu: ratio(|sample| sample.cpu_us),
            requests_per_second: ratio(|sample| sample.requests_per_second),
            p50: ratio(|sample| sample.p50_ms),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample(requests_per_second: f64, cpu_us: f64) -> Sample {
        let (redis_commands, http_calls) = (3.0, 1.0);
        Sample {
            requests_per_second,
            p50_ms: 1.0,
            p99_ms: 2.5,
            cpu_us,
            redis_commands,
            http_calls,
            ..Sample::default()
        }
    }

    pub(crate) fn samples() -> Vec<(Contender, Vec<Sample>)> {
        vec![
            (Contender::Floor, vec![sample(1000.0, 100.0), sample(500.0, 200.0), sample(1000.0, 100.0)]),
            (Contender::Upstash, vec![sample(500.0, 400.0), sample(250.0, 800.0), sample(500.0, 400.0)]),
            (Contender::Sluicegate, vec![sample(800.0, 150.0), sample(400.0, 300.0), sample(900.0, 120.0)]),
        ]
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let outcomes = outcomes(8, &samples());
        let ours = outcomes.last().unwrap();
        assert_eq!(ours.to_floor, Ratios { cpu: 1.5, requests_per_second: 0.8, p50: 1.0 });
        assert_eq!(ours.to_upstash, Ratios { cpu: 0.375, requests_per_second: 1.6, p50: 1.0 });
        assert_eq!(ours.median, sample(800.0, 150.0));
        assert_eq!(outcomes[0].to_floor, Ratios { cpu: 1.0, requests_per_second: 1.0, p50: 1.0 });
    }
}
