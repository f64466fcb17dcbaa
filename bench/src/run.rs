//! The measurements. Contenders take turns, so that load on the machine affects all of them.

use std::{mem, time::Duration};

use sluicegate_devstack::workerd::Workerd;

use crate::{
    contender::Contender,
    counters::{Counters, CountersError},
    load::{Load, LoadError},
    report::{Outcome, outcomes},
    sample::Sample,
};

/// How long and how often to measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plan {
    /// The duration of one measurement. A warm-up of a quarter of it comes first.
    pub(crate) each: Duration,
    /// The number of measurements of each kind.
    pub(crate) rounds: usize,
}

/// A measurement that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// A response was wrong.
    #[error("{} at {connections} connections: {source} (its log: {log})", contender.name())]
    Load {
        /// The contender.
        contender: Contender,
        /// The number of connections.
        connections: usize,
        /// What is wrong.
        source: LoadError,
        /// The end of its log.
        log: String,
    },
    /// The counters.
    #[error(transparent)]
    Counters(#[from] CountersError),
}

/// Measures each Worker at each number of connections in each round, and prints the progress to standard error.
pub(crate) async fn run(
    workers: &[(Contender, Workerd)],
    counters: &mut Counters,
    plan: Plan,
) -> Result<Vec<Outcome>, RunError> {
    let empty = || workers.iter().map(|(contender, _)| (*contender, Vec::new())).collect::<Vec<_>>();
    let mut samples = CONNECTIONS.map(|connections| (connections, empty()));
    eprintln!("warming up");
    for (contender, worker) in workers {
        // V8 optimizes hot code once per process; that is not part of the measurements.
        let [_, connections, _] = CONNECTIONS;
        measure(*contender, worker, connections, counters, plan.each).await?;
    }
    for round in 0..plan.rounds {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        for (connections, samples) in &mut samples {
            let mut turns: Vec<_> = workers.iter().zip(samples).collect();
            // Each round starts with another contender.
            turns.rotate_left(round % workers.len().max(1));
            for ((contender, worker), (_, samples)) in turns {
                samples.push(measure(*contender, worker, *connections, counters, plan.each).await?);
            }
        }
    }
    Ok(samples.iter_mut().flat_map(|(connections, samples)| outcomes(*connections, &mem::take(samples))).collect())
}

async fn measure(
    contender: Contender,
    worker: &Workerd,
    connections: usize,
    counters: &mut Counters,
    each: Duration,
) -> Result<Sample, RunError> {
    let failed = |source| RunError::Load { contender, connections, source, log: worker.log_tail() };
    let mut load = Load::open(worker.address(), connections, contender.limits()).await.map_err(failed)?;
    load.run(each / WARM_UP).await.map_err(failed)?;
    let before = counters.read(worker.process()).await?;
    let responses = load.run(each).await.map_err(failed)?;
    let after = counters.read(worker.process()).await?;
    Ok(Sample::new(responses, before, after))
}

const CONNECTIONS: [usize; 3] = [1, 8, 64];
const WARM_UP: u32 = 4;
