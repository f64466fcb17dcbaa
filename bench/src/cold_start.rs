//! The first response of a new process.

use std::{process, time::Duration};

use sluicegate_bench::{
    counters::Counts,
    load::{Load, Responses},
    scenario::Scenario,
    stage::Stage,
    traffic::Traffic,
};
use tokio::time::Instant;

use crate::{run_error::RunError, sample::Sample};

/// Starts the contender whose turn it is, and measures from then on until its first response is complete.
pub(crate) async fn measure(scenario: &Scenario, stage: &mut Stage, turn: usize) -> Result<Sample, RunError> {
    let Some((contender, config)) = stage.configs.get(turn).cloned() else {
        return Ok(Sample::default());
    };
    // The process has used no CPU time before it starts.
    let before = Counts { cpu: Duration::ZERO, ..stage.counters.read(process::id()).await? };
    let started = Instant::now();
    let worker = stage.start_worker(contender, &config).await?;
    let failed = |source| RunError::Load { contender, connections: 1, source, log: worker.log_tail() };
    let traffic = Traffic::new(scenario, contender, None);
    let mut load = Load::open(worker.address(), 1, &traffic).await.map_err(failed)?;
    // One request, because this moment has passed when it is sent.
    let Responses { mut answers, .. } = load.run(started).await.map_err(failed)?;
    let elapsed = started.elapsed();
    let after = stage.counters.read(worker.process()).await?;
    worker.stop().await;
    for answer in &mut answers {
        answer.latency = elapsed;
    }
    Ok(Sample::new(Responses { elapsed, answers }, before, after, None))
}
