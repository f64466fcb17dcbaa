//! The numbers of a run, as a table and as JSON.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::{
    contender::Contender,
    load::SUBJECTS,
    machine::Machine,
    sample::{Sample, median},
};

/// The results of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The machine.
    pub(crate) machine: Machine,
    /// Duration of one measurement, in seconds.
    pub(crate) seconds: f64,
    /// Number of measurements of each kind.
    pub(crate) rounds: usize,
    /// One result per number of connections and contender.
    pub(crate) results: Vec<Outcome>,
}

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
        Self { cpu: ratio(|sample| sample.cpu_us), requests_per_second: ratio(|sample| sample.requests_per_second) }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        let mut connections = 0;
        for outcome in &self.results {
            if outcome.connections != connections {
                connections = outcome.connections;
                writeln!(f)?;
            }
            writeln!(f, "{outcome}")?;
        }
        write!(
            f,
            "\nEach worker runs in its own workerd process, serves {SUBJECTS} clients in turn and forwards to the same \
             origin. All but forward first check a limit in the same Redis through the same bridge. Per request: CPU is \
             the user and system time of the workerd process, redis is the number of commands (including those inside \
             the script), http is the number of calls to the bridge. \"÷ floor\" and \"÷ upstash\" divide a worker's \
             number by theirs. Medians of {} rounds of {} s, taken in turns on {}.",
            self.rounds, self.seconds, self.machine
        )
    }
}

impl Display for Outcome {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Sample { requests_per_second, p50_ms, p99_ms, cpu_us, redis_commands, http_calls } = self.median;
        write!(
            f,
            "{:>11}  {:<10} {requests_per_second:>7.0} {p50_ms:>8.2} {p99_ms:>8.2} {cpu_us:>8.0} {redis_commands:>7.2} \
             {http_calls:>6.2} {:>8.2} {:>8.2} {:>8.2} {:>8.2}",
            self.connections,
            self.contender.name(),
            self.to_floor.cpu,
            self.to_floor.requests_per_second,
            self.to_upstash.cpu,
            self.to_upstash.requests_per_second,
        )
    }
}

const HEADER: &str = concat!(
    "                                                                         ÷ floor         ÷ upstash\n",
    "connections  worker       req/s   p50 ms   p99 ms   CPU µs   redis   http      CPU    req/s      CPU    req/s",
);

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(requests_per_second: f64, cpu_us: f64) -> Sample {
        Sample { requests_per_second, p50_ms: 1.0, p99_ms: 2.5, cpu_us, redis_commands: 3.0, http_calls: 1.0 }
    }

    fn samples() -> Vec<(Contender, Vec<Sample>)> {
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
        assert_eq!(ours.to_floor, Ratios { cpu: 1.5, requests_per_second: 0.8 });
        assert_eq!(ours.to_upstash, Ratios { cpu: 0.375, requests_per_second: 1.6 });
        assert_eq!(ours.median, sample(800.0, 150.0));
        assert_eq!(outcomes[0].to_floor, Ratios { cpu: 1.0, requests_per_second: 1.0 });
    }

    #[test]
    fn columns_align_with_the_header() {
        let line = outcomes(8, &samples())[2].to_string();
        let header = HEADER.lines().last().unwrap();
        assert_eq!(
            line,
            "          8  sluicegate     800     1.00     2.50      150    3.00   1.00     1.50     0.80     0.38     1.60"
        );
        assert_eq!(line.chars().count(), header.chars().count());
    }

    #[test]
    fn the_legend_names_the_machine() {
        let machine = Machine { cpu: "Fast CPU".to_owned(), cores: 2, load: Some(0.25) };
        let report = Report { machine, seconds: 2.0, rounds: 3, results: outcomes(8, &samples()) };
        let text = report.to_string();
        let end = "Medians of 3 rounds of 2 s, taken in turns on Fast CPU, 2 cores, load 0.25 at the start.";
        assert!(text.ends_with(end), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("          8  ")).count(), 3);
    }
}
