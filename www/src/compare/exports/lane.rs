//! The live run of one algorithm.

use wasm_bindgen::prelude::*;

use super::convert::{number, thrown, whole};
use super::outcome::Outcome;
use crate::compare::live::{self, Answer};

/// The requests that a Worker decides by one algorithm, and the simulation of the same decisions.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Lane {
    lane: live::Lane,
}

impl Lane {
    pub(super) fn new(lane: live::Lane) -> Self {
        Lane { lane }
    }
}

#[wasm_bindgen]
impl Lane {
    /// The instant at which the next request is due; undefined after the last.
    #[wasm_bindgen(getter, js_name = nextDue)]
    pub fn next_due(&self) -> Option<f64> {
        self.lane.next_due().map(number)
    }

    /// Takes the next request. Returns the JSON of its check, without the subject; undefined after the last.
    ///
    /// # Errors
    ///
    /// None for a valid setting.
    pub fn send(&mut self) -> Result<Option<String>, JsError> {
        self.lane.send().map_err(thrown)
    }

    /// Takes the answer to the request that was sent. Returns whether the simulation gives the same. `retry_ms` is
    /// undefined if the request can never be admitted.
    ///
    /// # Errors
    ///
    /// Throws an `Error` if no request waits for an answer.
    pub fn answer(
        &mut self,
        at: f64,
        allowed: bool,
        retry_ms: Option<f64>,
        remaining: f64,
        reset_ms: f64,
    ) -> Result<bool, JsError> {
        let answer = Answer {
            at: whole(at),
            allowed,
            retry_ms: retry_ms.map(whole),
            remaining: whole(remaining),
            reset_ms: whole(reset_ms),
        };
        self.lane.answer(answer).map_err(thrown)
    }

    /// Returns the run as it was simulated so far.
    pub fn simulated(&self) -> Outcome {
        let setting = &self.lane.setting;
        Outcome::new(setting, self.lane.simulated.clone(), self.lane.model.bound(setting))
    }

    /// The times at which the Worker admitted a request, in order.
    #[wasm_bindgen(getter)]
    pub fn admissions(&self) -> Vec<f64> {
        let mut times = self.lane.live.admissions.clone();
        times.sort_unstable();
        times.into_iter().map(number).collect()
    }
}
