//! A setting, what it stands for, and its runs.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use super::convert::{number, thrown, whole};
use super::lane::Lane;
use super::outcome::Outcome;
use crate::compare::arrivals::arrivals;
use crate::compare::decider::Decider;
use crate::compare::live;
use crate::compare::model::Model;
use crate::compare::setting::Setting;
use crate::compare::simulation::simulate;

/// A setting with its traffic.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Comparison {
    setting: Setting,
    /// Generated when they are needed first.
    arrivals: Option<Rc<[u64]>>,
}

#[wasm_bindgen]
impl Comparison {
    /// Parses the text that follows `#compare?` in a link.
    ///
    /// # Errors
    ///
    /// Throws an `Error` that names the first wrong field.
    #[wasm_bindgen(constructor)]
    pub fn parse(text: &str) -> Result<Comparison, JsError> {
        let setting: Setting = text.parse().map_err(JsError::from)?;
        Ok(Comparison { setting, arrivals: None })
    }

    /// Returns the same traffic on a scale at which a Worker decides it in some seconds.
    pub fn live(&self) -> Comparison {
        Comparison { setting: self.setting.scaled_to_live(), arrivals: None }
    }

    /// Lets a model decide the traffic: an algorithm by its name in the configuration, `two_counters`, or `ideal`.
    ///
    /// # Errors
    ///
    /// Throws an `Error` if there is no such model.
    pub fn run(&mut self, model: &str) -> Result<Outcome, JsError> {
        let setting = self.setting;
        let (decider, bound) = if model == "ideal" {
            (Decider::ideal(&setting), setting.limit)
        } else {
            let model = named(model)?;
            (Decider::new(model, &setting).map_err(thrown)?, model.bound(&setting))
        };
        let record = simulate(&setting, &self.arrivals(), decider).map_err(thrown)?;
        Ok(Outcome::new(&setting, record, bound))
    }

    /// Prepares the requests that a Worker decides by an algorithm, from the next window after this instant on.
    ///
    /// # Errors
    ///
    /// Throws an `Error` if there is no such algorithm.
    #[wasm_bindgen(js_name = lane)]
    pub fn lane(&mut self, model: &str, not_before: f64) -> Result<Lane, JsError> {
        let lane = live::Lane::new(named(model)?, self.setting, &self.arrivals(), whole(not_before)).map_err(thrown)?;
        let lane = lane.ok_or_else(|| JsError::new(&format!("no Worker runs {model}")))?;
        Ok(Lane::new(lane))
    }

    /// The setting as a link carries it.
    #[wasm_bindgen(getter)]
    pub fn text(&self) -> String {
        self.setting.to_string()
    }

    /// The name of the kind of traffic.
    #[wasm_bindgen(getter)]
    pub fn preset(&self) -> String {
        self.setting.preset.name().to_owned()
    }

    /// The units of a window.
    #[wasm_bindgen(getter)]
    pub fn limit(&self) -> f64 {
        number(self.setting.limit)
    }

    /// The window in milliseconds.
    #[wasm_bindgen(getter)]
    pub fn window(&self) -> f64 {
        number(self.setting.window.get())
    }

    /// The most units of the token bucket.
    #[wasm_bindgen(getter)]
    pub fn burst(&self) -> f64 {
        number(self.setting.burst)
    }

    /// The requests that clients want to send, in percent of the limit.
    #[wasm_bindgen(getter)]
    pub fn demand(&self) -> f64 {
        number(self.setting.demand)
    }

    /// How long a request is in flight, in milliseconds.
    #[wasm_bindgen(getter)]
    pub fn hold(&self) -> f64 {
        number(self.setting.hold.get())
    }

    /// The seed of the random numbers.
    #[wasm_bindgen(getter)]
    pub fn seed(&self) -> f64 {
        self.setting.seed.into()
    }

    /// The requests that a concurrency limit admits at the same time.
    #[wasm_bindgen(getter)]
    pub fn places(&self) -> f64 {
        number(self.setting.places())
    }

    /// How long the traffic lasts, in milliseconds.
    #[wasm_bindgen(getter)]
    pub fn duration(&self) -> f64 {
        number(self.setting.duration())
    }

    /// Whether a refused request is repeated until it is admitted.
    #[wasm_bindgen(getter)]
    pub fn retries(&self) -> bool {
        self.setting.preset.retries()
    }

    fn arrivals(&mut self) -> Rc<[u64]> {
        let setting = self.setting;
        Rc::clone(self.arrivals.get_or_insert_with(|| arrivals(&setting).into()))
    }
}

fn named(model: &str) -> Result<Model, JsError> {
    Model::named(model).ok_or_else(|| JsError::new(&format!("no model is named {model:?}")))
}
