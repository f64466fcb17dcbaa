//! The calls of one subject, asked again of the limiter in memory.

use sluicegate::limit::LeaseId;
use sluicegate::limit::memory::{Capacity, MemoryLimiter};
use sluicegate::time::Millis;

use super::history::History;
use super::plans::{LEDGER, plan, subject};
use super::record::{Record, numbers, span, width};

/// A request that was admitted and charged.
#[derive(Debug, Clone)]
pub(crate) struct IdentifiedRequest {
    /// By the clock of its subject, which does not go back; milliseconds since the epoch.
    pub(crate) at: u64,
    pub(crate) cost: u64,
    pub(crate) lease: Option<LeaseId>,
}

/// A state that a subject was in.
#[derive(Clone)]
pub(crate) struct Replay {
    oracle: MemoryLimiter,
    /// What remains of the ledger.
    at: i64,
    /// The time of the last charge.
    time: u64,
    pub(crate) admissions: Vec<IdentifiedRequest>,
    /// Which of the calls without an answer were executed, and charged something.
    pub(crate) executed: Vec<usize>,
    /// How many answers were compared.
    compared: usize,
}

/// An answer that is not what it must be.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) reason: String,
    compared: usize,
}

impl Replay {
    /// Follows a history to its end and compares every answer.
    pub(crate) fn follow(history: &History<'_>) -> Result<Self, Difference> {
        let start = Replay {
            oracle: MemoryLimiter::new(Capacity { subjects: 1, entries: usize::MAX }),
            at: LEDGER,
            time: 0,
            admissions: Vec::new(),
            executed: Vec::new(),
            compared: 0,
        };
        start.go_on(history, &mut { MOST_ATTEMPTS })
    }

    fn go_on(mut self, history: &History<'_>, attempts: &mut u32) -> Result<Self, Difference> {
        loop {
            for record in history.idle.get(&self.at).into_iter().flatten() {
                self.compare(record)?;
            }
            match history.charging.get(&self.at) {
                Some(record) => self.compare(record)?,
                None if self.at == history.end => break,
                None => return self.fill(history, attempts),
            }
        }
        if self.compared < history.answered {
            let missing = history.answered - self.compared;
            return Err(self.difference(format!("{missing} answers tell of a state that never was")));
        }
        Ok(self)
    }

    /// Goes on where no answer does: some of the calls without an answer must have been executed here.
    fn fill(self, history: &History<'_>, attempts: &mut u32) -> Result<Self, Difference> {
        let next = history.next_known(self.at);
        let gap = format!("after {} used units the next answer finds {}", LEDGER - self.at, LEDGER - next);
        let mut furthest = self.difference(format!("{gap}, and no call without an answer explains it"));
        for (number, record) in history.unknown.iter().enumerate().filter(|(i, _)| !self.executed.contains(i)) {
            let mut attempt = self.clone();
            attempt.check_batch_timed(record);
            if attempt.at == self.at || attempt.at < next {
                continue;
            }
            if *attempts == 0 {
                return Err(self.difference(format!("{gap}, and there are too many ways to explain it")));
            }
            *attempts -= 1;
            attempt.executed.push(number);
            match attempt.go_on(history, attempts) {
                Ok(end) => return Ok(end),
                Err(difference) if difference.compared > furthest.compared => furthest = difference,
                Err(_) => {}
            }
        }
        Err(furthest)
    }

    fn compare(&mut self, record: &Record) -> Result<(), Difference> {
        let expected = self.check_batch_timed(record);
        self.compared += 1;
        if record.answer.as_ref() == Some(&expected) {
            return Ok(());
        }
        Err(self.difference(format!("expected {expected:?} as the answer to {record:?}")))
    }

    /// Asks the limiter in memory, and takes down what it admits.
    fn check_batch_timed(&mut self, record: &Record) -> Vec<i64> {
        let plan = plan(record.subject);
        let now = Millis::new(record.now);
        let verdicts = self.oracle.check_batch(&subject(record.subject), &plan.limits, record.requests(), now);
        let answer = numbers(&verdicts.unwrap());
        for ((cost, lease), run) in record.requests.iter().zip(answer.chunks_exact(width(plan))) {
            if run[0] == 1 && *cost > 0 {
                self.time = self.time.max(record.now);
                self.admissions.push(IdentifiedRequest { at: self.time, cost: *cost, lease: lease.clone() });
            }
        }
        self.at = span(plan, &record.requests, &answer).after;
        answer
    }

    fn difference(&self, reason: String) -> Difference {
        Difference { reason, compared: self.compared }
    }
}

/// How often a call without an answer is tried as an explanation, over a whole history.
const MOST_ATTEMPTS: u32 = 20_000;
