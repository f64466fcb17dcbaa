//! Judges everything that was answered in a run.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::history::{History, no_answer_is_stale};
use super::load::Run;
use super::plans::{SUBJECTS, plan};
use super::promises;
use super::record::{Record, width};
use super::replay::Replay;

/// What there was in a run in which all is well.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Summary {
    pub(crate) calls: usize,
    /// Requests that were judged: those of all calls with an answer.
    pub(crate) checks: usize,
    pub(crate) subjects: usize,
    /// Requests with a cost that were admitted, and those that were refused; the others only looked.
    pub(crate) admitted: usize,
    pub(crate) refused: usize,
    /// Calls without an answer, and how many of them have charged something.
    pub(crate) unknown: usize,
    pub(crate) executed: usize,
    /// The names of the limits that refused something for a while, and of those that refused something for ever.
    pub(crate) refusing: BTreeSet<String>,
    pub(crate) never: BTreeSet<String>,
    pub(crate) elapsed: Duration,
}

/// Compares every answer with that of the limiter in memory, and holds every limit to its promise.
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

/// The same for one subject, of which `last` is a look after all of its calls.
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

    /// Panics if the run was so one-sided that it says little.
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
