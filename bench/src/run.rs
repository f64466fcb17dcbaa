//! The measurements, in turns: what slows the machine down for a while slows all contenders down alike.

use std::{mem, time::Duration};

use crate::{
    contender::Contender,
    counters::{Counters, CountersError},
    load::{Load, LoadError},
    report::{Outcome, outcomes},
    sample::Sample,
    workerd::Workerd,
};

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plan {
    /// How long one measurement takes. Each has a warm-up of a quarter of it before.
    pub(crate) each: Duration,
    /// How often each is taken.
    pub(crate) rounds: usize,
}

/// A measurement that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// Wrong answers count for nothing.
    #[error("{} at {connections} connections: {source} (its log: {log})", contender.name())]
    Load {
        /// Whose.
        contender: Contender,
        /// At how many connections.
        connections: usize,
        /// What was wrong.
        source: LoadError,
        /// The end of its log.
        log: String,
    },
    /// The counters.
    #[error(transparent)]
    Counters(#[from] CountersError),
}

/// Measures every Worker at every number of connections, in every round, and says on standard error how far it is.
pub(crate) async fn run(
    workers: &[(Contender, Workerd)],
    counters: &mut Counters,
    plan: Plan,
) -> Result<Vec<Outcome>, RunError> {
    let empty = || workers.iter().map(|(contender, _)| (*contender, Vec::new())).collect::<Vec<_>>();
    let mut samples = CONNECTIONS.map(|connections| (connections, empty()));
    eprintln!("warming up");
    for (contender, worker) in workers {
        // The engine compiles what is used much a second time, and better. That is paid once a process.
        let [_, connections, _] = CONNECTIONS;
        measure(*contender, worker, connections, counters, plan.each).await?;
    }
    for round in 0..plan.rounds {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        for (connections, samples) in &mut samples {
            let mut turns: Vec<_> = workers.iter().zip(samples).collect();
            // Another one begins each round.
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
    let failed = |source| RunError::Load { contender, connections, source, log: worker.log() };
    let mut load = Load::open(worker.address(), connections, contender.limits()).await.map_err(failed)?;
    load.run(each / WARM_UP).await.map_err(failed)?;
    let before = counters.read(worker.process()).await?;
    let answered = load.run(each).await.map_err(failed)?;
    let after = counters.read(worker.process()).await?;
    Ok(Sample::new(answered, before, after))
}

const CONNECTIONS: [usize; 3] = [1, 8, 64];
const WARM_UP: u32 = 4;
