//! The record of a run.

use sluicegate::limit::Retry;

use super::setting::Setting;

/// The parts of a run in which the page counts: fine enough for the width of its pictures.
pub(super) const BINS: u32 = 500;

/// What has happened in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The requests sent in each of [`BINS`] parts of the run.
    pub(super) sent: Vec<u32>,
    /// The time of each admission, in order.
    pub(super) admissions: Vec<u64>,
    /// How long each admitted request has waited since it was sent first, also of those admitted after the end.
    pub(super) waits: Vec<u64>,
}

impl Record {
    pub(super) fn new() -> Self {
        Record { sent: vec![0; BINS as usize], admissions: Vec::new(), waits: Vec::new() }
    }

    /// Adds a decision. What comes after the end of the run counts only for the time that it has waited.
    pub(super) fn add(&mut self, setting: &Setting, time: u64, answer: Retry, waited: Option<u64>) {
        if let Some(count) = self.sent.get_mut(bin(time, setting)) {
            *count += 1;
            if answer == Retry::Now {
                self.admissions.push(time);
            }
        }
        self.waits.extend(waited);
    }
}

/// Returns the part of the run that contains a time; [`BINS`] or more after its end.
fn bin(time: u64, setting: &Setting) -> usize {
    usize::try_from(time * u64::from(BINS) / setting.duration()).unwrap_or(usize::MAX)
}
