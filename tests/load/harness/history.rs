//! The calls of one subject in the order in which Redis must have executed them.

use std::collections::BTreeMap;

use super::plans::LEDGER;
use super::record::{Record, Span};

/// The calls of one subject by what remained of the ledger before them.
///
/// A call that charges leaves less than it found, so the charging calls have only one possible order: each begins where
/// the previous one ended. A call that charges nothing is between two of them, and its exact place does not matter.
pub(crate) struct History<'a> {
    pub(crate) charging: BTreeMap<i64, &'a Record>,
    pub(crate) idle: BTreeMap<i64, Vec<&'a Record>>,
    /// Calls without a reply, which may have run or not.
    pub(crate) unknown: Vec<&'a Record>,
    /// What remains of the ledger at the end.
    pub(crate) end: i64,
    /// The number of calls with a reply.
    pub(crate) answered: usize,
}

impl<'a> History<'a> {
    /// Sorts the calls of a subject; `last` is a peek after all of them.
    ///
    /// An error if no order is possible.
    pub(crate) fn new(records: &'a [Record], last: &'a Record) -> Result<Self, String> {
        let end = last.span().ok_or("nobody knows what there is in the end")?.before;
        let (mut charging, mut idle) = (BTreeMap::new(), BTreeMap::<i64, Vec<&Record>>::new());
        let mut unknown = Vec::new();
        for record in records {
            match record.span() {
                None => unknown.push(record),
                Some(Span { before, after }) if before == after => idle.entry(before).or_default().push(record),
                Some(Span { before, .. }) => {
                    if let Some(other) = charging.insert(before, record) {
                        return Err(format!(
                            "two calls found as much used ({} units), so what one charged was lost: {other:?}, {record:?}",
                            LEDGER - before
                        ));
                    }
                }
            }
        }
        idle.entry(end).or_default().push(last);
        Ok(History { charging, idle, end, answered: records.len() - unknown.len() + 1, unknown })
    }

    /// Returns the nearest ledger value below `at` that a call has seen.
    pub(crate) fn next_known(&self, at: i64) -> i64 {
        let charging = self.charging.range(..at).next_back().map(|(before, _)| *before);
        let idle = self.idle.range(..at).next_back().map(|(before, _)| *before);
        charging.into_iter().chain(idle).max().unwrap_or(self.end)
    }
}

/// A call sent after another's reply must see at least as much usage as that reply.
pub(crate) fn no_answer_is_stale(records: &[Record]) -> Result<(), String> {
    let answered = || records.iter().filter_map(|record| Some((record, record.span()?)));
    let (mut by_sent, mut by_done): (Vec<_>, Vec<_>) = (answered().collect(), answered().collect());
    by_sent.sort_by_key(|(record, _)| record.sent);
    by_done.sort_by_key(|(record, _)| record.done);
    let mut told = LEDGER;
    let mut answers = by_done.into_iter().peekable();
    for (record, span) in by_sent {
        while let Some((_, earlier)) = answers.next_if(|(earlier, _)| earlier.done < record.sent) {
            told = told.min(earlier.after);
        }
        if span.before > told {
            let (found, told) = (LEDGER - span.before, LEDGER - told);
            return Err(format!("{found} units are used, but {told} were when it was asked: {record:?}"));
        }
    }
    Ok(())
}
