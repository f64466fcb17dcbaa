//! The numbers of a run, as tables and as JSON.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;
use sluicegate_bench::{
    scenario::{Measure, Scenario},
    traffic::CLIENTS,
};

use crate::{
    machine::Machine,
    outcome::{Outcome, Ratios},
    sample::Sample,
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
    /// One table per scenario.
    pub(crate) scenarios: Vec<Table>,
}

/// The results of one scenario.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    /// Its name in `BENCH_SCENARIOS`.
    letter: char,
    /// Its name.
    title: &'static str,
    /// Whether new processes were measured.
    cold: bool,
    /// One result per number of connections and contender.
    results: Vec<Outcome>,
}

impl Table {
    pub(crate) fn new(scenario: &Scenario, results: Vec<Outcome>) -> Self {
        let Scenario { letter, title, measure, .. } = *scenario;
        Self { letter, title, cold: measure == Measure::ColdStart, results }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for table in &self.scenarios {
            writeln!(f, "{table}")?;
        }
        write!(
            f,
            "Each worker runs in its own workerd process and forwards to the same origin. All but forward first check a \
             limit in the same Redis through the same bridge. \"Many clients\" are {CLIENTS} addresses in turn. Per \
             request: limiter is the median time of the limiter as the worker reports it, CPU is the user and system time \
             of the workerd process, redis is the number of commands (including those inside the script), http is the \
             number of calls to the bridge. quota is the share of the quota that was delivered. \"÷ floor\" and \
             \"÷ upstash\" divide a worker's number by theirs. Medians of {} rounds of {} s, taken in turns on {}.",
            self.rounds, self.seconds, self.machine
        )
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}\n\n{}", self.letter, self.title, if self.cold { COLD_HEADER } else { HEADER })?;
        let mut connections = self.results.first().map_or(0, |outcome| outcome.connections);
        for outcome in &self.results {
            if outcome.connections != connections {
                connections = outcome.connections;
                writeln!(f)?;
            }
            let line = if self.cold { cold_line(outcome) } else { line(outcome) };
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

fn line(outcome: &Outcome) -> String {
    let Outcome { connections, contender, median, to_floor, to_upstash, .. } = outcome;
    let Sample { requests_per_second, p50_ms, p99_ms, limiter_ms, cpu_us, redis_commands, http_calls, delivered } =
        median;
    let limiter = limiter_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1}"));
    let delivered = delivered.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0));
    format!(
        "{connections:>11}  {:<10} {requests_per_second:>7.0} {p50_ms:>8.2} {p99_ms:>8.2} {limiter:>11} {cpu_us:>8.0} \
         {redis_commands:>7.2} {http_calls:>6.2} {delivered:>8} {:>8.2} {:>8.2} {:>8.2} {:>8.2}",
        contender.name(),
        to_floor.cpu,
        to_floor.requests_per_second,
        to_upstash.cpu,
        to_upstash.requests_per_second,
    )
}

fn cold_line(outcome: &Outcome) -> String {
    let Outcome { contender, median: Sample { p50_ms, cpu_us, redis_commands, http_calls, .. }, .. } = outcome;
    let Outcome { to_floor: Ratios { p50: floor, .. }, to_upstash: Ratios { p50: upstash, .. }, .. } = outcome;
    format!(
        "{:>11}  {:<10} {p50_ms:>15.1} {:>8.0} {redis_commands:>7.2} {http_calls:>6.2} {floor:>8.2} {upstash:>10.2}",
        "",
        contender.name(),
        cpu_us / 1e3,
    )
}

const HEADER: &str = concat!(
    "                                                                                              ÷ floor         ÷ upstash\n",
    "connections  worker       req/s   p50 ms   p99 ms  limiter ms   CPU µs   redis   http    quota      CPU    req/s      CPU    req/s",
);
const COLD_HEADER: &str = "             worker     first answer ms   CPU ms   redis   http  ÷ floor  ÷ upstash";

#[cfg(test)]
mod tests {
    use sluicegate_bench::scenario::ALL;

    use super::*;
    use crate::outcome::{outcomes, tests::samples};

    #[test]
    fn columns_align_with_the_header() {
        let ours = &outcomes(8, &samples())[2];
        let line = line(ours);
        assert_eq!(
            line,
            "          8  sluicegate     800     1.00     2.50           -      150    3.00   1.00        -     1.50     0.80     0.38     1.60"
        );
        assert_eq!(line.chars().count(), HEADER.lines().last().unwrap().chars().count());
        assert_eq!(cold_line(ours).chars().count(), COLD_HEADER.chars().count());
    }

    #[test]
    fn what_was_measured_has_its_columns() {
        let mut ours = outcomes(8, &samples()).remove(2);
        ours.median = Sample { limiter_ms: Some(2.0), delivered: Some(0.995), ..ours.median };
        let line = line(&ours);
        assert!(line.contains("        2.0 ") && line.contains("   99.5 % "), "{line}");
    }

    #[test]
    fn the_legend_names_the_machine() {
        let machine = Machine { cpu: "Fast CPU".to_owned(), cores: 2, load: Some(0.25) };
        let [scenario, ..] = ALL;
        let scenarios = vec![Table::new(&scenario, outcomes(8, &samples()))];
        let text = Report { machine, seconds: 2.0, rounds: 3, scenarios }.to_string();
        let end = "Medians of 3 rounds of 2 s, taken in turns on Fast CPU, 2 cores, load 0.25 at the start.";
        assert!(text.starts_with("a: many clients\n") && text.ends_with(end), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("          8  ")).count(), 3);
    }
}
