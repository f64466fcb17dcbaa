//! The outcome of a run.

use wasm_bindgen::prelude::*;

use super::convert::number;
use crate::compare::outcome;
use crate::compare::record::Record;
use crate::compare::setting::Setting;

/// The numbers and the picture of a run. Times are in milliseconds since its start.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Outcome {
    outcome: outcome::Outcome,
    bound: u64,
}

impl Outcome {
    pub(super) fn new(setting: &Setting, record: Record, bound: u64) -> Self {
        Outcome { outcome: outcome::Outcome::new(setting, record), bound }
    }
}

#[wasm_bindgen]
impl Outcome {
    /// The requests sent.
    #[wasm_bindgen(getter)]
    pub fn sent(&self) -> f64 {
        number(self.outcome.sent)
    }

    /// The requests admitted.
    #[wasm_bindgen(getter)]
    pub fn admitted(&self) -> f64 {
        number(self.outcome.admitted as u64)
    }

    /// The most requests admitted in any window.
    #[wasm_bindgen(getter)]
    pub fn worst(&self) -> f64 {
        number(self.outcome.worst.admitted as u64)
    }

    /// The beginning of that window.
    #[wasm_bindgen(getter, js_name = worstFrom)]
    pub fn worst_from(&self) -> f64 {
        number(self.outcome.worst.from)
    }

    /// The most requests that the model may admit in any window, whatever the traffic.
    #[wasm_bindgen(getter)]
    pub fn bound(&self) -> f64 {
        number(self.bound)
    }

    /// The median, the 99th percentile and the longest of the times that requests waited; empty if no client repeats a
    /// refused request.
    #[wasm_bindgen(getter)]
    pub fn waits(&self) -> Vec<f64> {
        let waits = self.outcome.waits.iter();
        waits.flat_map(|waits| [waits.median, waits.p99, waits.longest]).map(number).collect()
    }

    /// The admissions in each window.
    #[wasm_bindgen(getter, js_name = byWindow)]
    pub fn by_window(&self) -> Vec<u32> {
        self.outcome.by_window.clone()
    }

    /// For each of equal parts of the run, the most admissions in a window that ends in it.
    #[wasm_bindgen(getter)]
    pub fn rolling(&self) -> Vec<u32> {
        self.outcome.rolling.clone()
    }

    /// The requests sent in each of these parts.
    #[wasm_bindgen(getter, js_name = sentByPart)]
    pub fn sent_by_part(&self) -> Vec<u32> {
        self.outcome.sent_by_part.clone()
    }
}
