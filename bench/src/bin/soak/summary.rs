//! The results of a run.

use std::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

use crate::{
    faults::Faults,
    record::{Counts, Minute},
};

/// Everything that is printed at the end.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) counts: Counts,
    pub(crate) faults: Faults,
    /// How often this machine was slow, and how long altogether.
    pub(crate) slow: (usize, Duration),
    pub(crate) rest: Rest,
    pub(crate) memory: Memory,
}

/// What is left after the last request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rest {
    /// Leases in Redis that still count.
    pub(crate) leases: u64,
    /// Bodies that the origin still sends.
    pub(crate) streams: usize,
    /// The time until nothing was left, or until the end of the wait.
    pub(crate) after: Duration,
}

/// The resident memory of workerd, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// When the first number was taken.
    pub(crate) early_at: Duration,
    pub(crate) early: u64,
    pub(crate) end: u64,
}

impl Summary {
    /// Returns what a run must not have.
    pub(crate) fn faults(&self) -> Vec<&'static str> {
        let ratio = self.memory.ratio();
        let wrong = [
            (self.counts.unexplained > 0, "statuses are unexplained"),
            (self.rest.leases > 0, "leases are left"),
            (self.rest.streams > 0, "streams are open"),
            (!self.faults.unrecovered.is_empty(), "faults have no end"),
            (ratio > MOST_GROWTH, "the memory of workerd grows"),
        ];
        wrong.into_iter().filter_map(|(wrong, what)| wrong.then_some(what)).collect()
    }
}

impl Memory {
    fn ratio(&self) -> f64 {
        mebibytes(self.end) / mebibytes(self.early)
    }
}

impl Display for Summary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Summary { counts, faults, slow, rest, memory } = self;
        let total = counts.explained.values().sum::<u64>() + counts.left + counts.unexplained;
        writeln!(f, "\n{total:>9} requests\n\nstatus     count  explanation")?;
        for ((status, explanation), count) in &counts.explained {
            let status = if *status == 0 { "none".to_owned() } else { status.to_string() };
            writeln!(f, "{status:>6} {count:>9}  {}", explanation.text())?;
        }
        writeln!(f, "{:>6} {:>9}  the client leaves", "none", counts.left)?;
        writeln!(f, "{:>6} {:>9}  unexplained", "any", counts.unexplained)?;
        for example in &counts.examples {
            writeln!(f, "       {example}")?;
        }
        writeln!(
            f,
            "\nfaults     {} of {} kinds, slowest recovery {:.1} s{}",
            faults.count,
            faults.kinds,
            faults.slowest_recovery.as_secs_f64(),
            if faults.unrecovered.is_empty() {
                String::new()
            } else {
                format!(", none after {:?}", faults.unrecovered)
            },
        )?;
        writeln!(f, "machine    too slow {} times, {:.1} s together", slow.0, slow.1.as_secs_f64())?;
        writeln!(
            f,
            "left       {} leases in Redis, {} open streams, {:.1} s after the last request",
            rest.leases,
            rest.streams,
            rest.after.as_secs_f64(),
        )?;
        write!(
            f,
            "memory     {:.1} MiB after {:.1} minutes, {:.1} MiB at the end: ratio {:.3} (at most {MOST_GROWTH:.2})",
            mebibytes(memory.early),
            memory.early_at.as_secs_f64() / 60.0,
            mebibytes(memory.end),
            memory.ratio(),
        )
    }
}

/// Returns the line of a minute.
pub(crate) fn line(minute: u64, numbers: &Minute, resident: u64) -> String {
    let [none, _, two, three, four, five] = numbers.classes;
    let Minute { requests, left, .. } = numbers;
    let resident = mebibytes(resident);
    format!("{minute:>6} {requests:>9} {two:>8} {three:>8} {four:>8} {five:>8} {none:>8} {left:>8} {resident:>8.1}")
}

/// The header of these lines.
pub(crate) const HEADER: &str = "minute  requests      2xx      3xx      4xx      5xx  no head     left  RSS MiB";

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

/// How much more memory than after the first minutes a run may have at its end.
const MOST_GROWTH: f64 = 1.10;
