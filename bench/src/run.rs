//! The measurements. Contenders take turns, so that load on the machine affects all of them.

use std::{mem, time::Duration};

use sluicegate_bench::{
    contender::Contender,
    counters::Counters,
    load::Load,
    scenario::{Measure, Scenario},
    stage::Stage,
    traffic::Traffic,
};
use sluicegate_devstack::workerd::Workerd;
use tokio::time::{Instant, sleep};

use crate::{
    cold_start,
    outcome::{Outcome, outcomes},
    run_error::RunError,
    sample::Sample,
    windows::Windows,
};

/// How long and how often to measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plan {
    /// The duration of one measurement. A warm-up of a quarter of it comes first.
    pub(crate) each: Duration,
    /// The number of measurements of each kind.
    pub(crate) rounds: usize,
}

/// Measures each contender at each number of connections in each round, and prints the progress to standard error.
pub(crate) async fn run(scenario: &Scenario, stage: &mut Stage, plan: Plan) -> Result<Vec<Outcome>, RunError> {
    let empty = || scenario.contenders.iter().map(|contender| (*contender, Vec::new())).collect::<Vec<_>>();
    let mut samples: Vec<_> = scenario.connections.iter().map(|connections| (*connections, empty())).collect();
    eprintln!("{}: warming up", scenario.letter);
    // V8 optimizes hot code once per process, and the system caches files; that is not part of the measurements.
    for turn in 0..scenario.contenders.len() {
        measure(scenario, stage, turn, WARM_UP_CONNECTIONS, plan.each).await?;
    }
    for round in 0..plan.rounds {
        eprintln!("{}: round {} of {}", scenario.letter, round + 1, plan.rounds);
        for (connections, samples) in &mut samples {
            let mut turns: Vec<_> = samples.iter_mut().enumerate().collect();
            // Each round starts with another contender.
            let first = round % turns.len().max(1);
            turns.rotate_left(first);
            for (turn, (_, samples)) in turns {
                samples.push(measure(scenario, stage, turn, *connections, plan.each).await?);
            }
        }
    }
    Ok(samples.iter_mut().flat_map(|(connections, samples)| outcomes(*connections, &mem::take(samples))).collect())
}

/// Measures the contender whose turn it is once.
async fn measure(
    scenario: &Scenario,
    stage: &mut Stage,
    turn: usize,
    connections: usize,
    each: Duration,
) -> Result<Sample, RunError> {
    if let Some(worker) = stage.workers.get(turn) {
        return under_load(scenario, worker, &mut stage.counters, connections, each).await;
    }
    cold_start::measure(scenario, stage, turn).await
}

async fn under_load(
    scenario: &Scenario,
    (contender, worker, traffic): &(Contender, Workerd, Traffic),
    counters: &mut Counters,
    connections: usize,
    each: Duration,
) -> Result<Sample, RunError> {
    let failed = |source| RunError::Load { contender: *contender, connections, source, log: worker.log_tail() };
    let mut load = Load::open(worker.address(), connections, traffic).await.map_err(failed)?;
    let windows = match (scenario.measure, scenario.limits) {
        (Measure::Flood, [limit, ..]) => Some(Windows::next(limit.quota, each * FLOOD)),
        _ => None,
    };
    let start = windows.map_or_else(|| Instant::now() + each / WARM_UP, |windows| windows.start);
    load.run(start).await.map_err(failed)?;
    let before = counters.read(worker.process()).await?;
    let end = windows.map_or_else(|| Instant::now() + each, |windows| windows.end);
    let responses = load.run(end).await.map_err(failed)?;
    let after = counters.read(worker.process()).await?;
    if *contender == Contender::Prefetch {
        // It gives back what is left of its units; these commands are not the next contender's.
        sleep(GIVEN_BACK_AFTER).await;
    }
    let quota = windows.filter(|_| contender.limits()).map(|windows| windows.units);
    Ok(Sample::new(responses, before, after, quota))
}

const WARM_UP_CONNECTIONS: usize = 8;
const WARM_UP: u32 = 4;
/// Twice the `hold` of prefetch.
const GIVEN_BACK_AFTER: Duration = Duration::from_secs(1);
/// A flood takes longer, so that a run has many windows.
const FLOOD: u32 = 2;
