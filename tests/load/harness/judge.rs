//! Verifies every reply of a run.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::history::{History, no_answer_is_stale};
use super::load::Run;
use super::plans::{SUBJECTS, plan};
use super::promises;
use super::record::{Record, width};
use super::replay::Replay;

/// The counts of a correct run.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Summary {
    pub(crate) calls: usize,
    /// Verified requests: those of all calls with a reply.
    pub(crate) checks: usize,
    pub(crate) subjects: usize,
    /// Admitted and refused requests with a cost; the others were peeks.
    pub(crate) admitted: usize,
    pub(crate) refused: usize,
    /// Calls without a reply, and how many of them charged something.
    pub(crate) unknown: usize,
    pub(crate) executed: usize,
    /// The names of the limits that refused temporarily, and of those that refused for good.
    pub(crate) refusing: BTreeSet<String>,
    pub(crate) never: BTreeSet<String>,
    pub(crate) elapsed: Duration,
}

/// Compares every reply with the in-memory limiter, and checks the guarantee of every limit.
pub(crate) fn judge(run: &Run) -> Result<Summary, String> {
    let mut summary = Summary { elapsed: run.elapsed, ..Summary::default() };
    for (number, (records, last)) in run.records.iter().zip(&run.last).enumerate() {
        let replay = judge_subject(number, records, last)?;
        summary.unknown += records.iter().filter(|record| record.answer.is_none()).count();
        summary.executed += replay.executed.len();
        summary.subjects += usize::from(!records.is_empty());
        summary.calls += records.len();
        for record in records {
            summary.count(record);
        }
    }
    Ok(summary)
}

/// Verifies one subject; `last` is a peek after all of its calls.
pub(crate) fn judge_subject(number: usize, records: &[Record], last: &Record) -> Result<Replay, String> {
    let judged = || {
        let replay = Replay::follow(&History::new(records, last)?).map_err(|difference| difference.reason)?;
        no_answer_is_stale(records)?;
        plan(number).limits.iter().try_for_each(|limit| promises::hold(limit, &replay.admissions))?;
        Ok(replay)
    };
    judged().map_err(|reason: String| format!("subject {number}: {reason}"))
}

impl Summary {
    fn count(&mut self, record: &Record) {
        let Some(answer) = &record.answer else { return };
        let plan = plan(record.subject);
        for ((cost, _), run) in record.requests.iter().zip(answer.chunks_exact(width(plan))) {
            self.checks += 1;
            match (cost, run[0]) {
                (0, _) => {}
                (_, 1) => self.admitted += 1,
                _ => self.refused += 1,
            }
            for (limit, numbers) in plan.limits.iter().zip(run[1..].chunks_exact(3)) {
                match numbers[1] {
                    0 => continue,
                    -1 => &mut self.never,
                    _ => &mut self.refusing,
                }
                .insert(limit.name().to_string());
            }
        }
    }

    /// Panics if the run was too one-sided to be meaningful.
    pub(crate) fn assert_varied(&self) {
        assert!(self.subjects > SUBJECTS * 9 / 10, "{self}");
        assert!(self.admitted > self.checks / 10 && self.refused > self.checks / 10, "{self}");
        for name in ["log", "sliding", "hour", "month", "bucket", "inflight"] {
            assert!(self.refusing.contains(name), "{name} has refused nothing: {self}");
        }
        for name in ["log", "sliding", "hour", "bucket"] {
            assert!(self.never.contains(name), "{name} was never asked for too much: {self}");
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { calls, checks, subjects, admitted, refused, unknown, executed, elapsed, .. } = self;
        let looked = checks - admitted - refused;
        let seconds = elapsed.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let rate = *checks as f64 / seconds;
        write!(
            f,
            "{checks} checks in {calls} calls of {subjects} subjects: {admitted} admitted, {refused} refused, {looked} \
             looked; {unknown} calls without an answer, {executed} of them charged; {seconds:.1} s, {rate:.0} checks/s"
        )
    }
}
