//! The commands of `npx sluicegate` that work offline, with the code and the messages of the command line.

use js_sys::Function;
use wasm_bindgen::prelude::*;

/// What was found in a file.
#[wasm_bindgen(getter_with_clone)]
#[derive(Debug)]
pub struct Validation {
    /// Whether the file has no problem.
    #[wasm_bindgen(readonly)]
    pub valid: bool,
    /// For people.
    #[wasm_bindgen(readonly)]
    pub text: String,
    /// For programs, as JSON text.
    #[wasm_bindgen(readonly)]
    pub json: String,
    /// For each environment whose configuration was found, the module that is deployed with its Worker.
    #[wasm_bindgen(readonly)]
    pub modules: Vec<String>,
}

/// Validates the text of a file: JSON if its name ends in `.json` or `.jsonc`, TOML otherwise. `environment` selects one
/// environment; the empty name is the top level. `read` is a function that returns the text of a file next to this one.
#[wasm_bindgen]
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen has no optional references")]
pub fn validate(name: &str, text: &str, environment: Option<String>, read: &Function) -> Validation {
    let read = |name: &str| match read.call1(&JsValue::UNDEFINED, &name.into()) {
        Ok(text) => text.as_string().ok_or_else(|| "it is not text".to_owned()),
        Err(error) => Err(js_sys::Error::from(error).message().into()),
    };
    let found = sluicegate_validate::validate(name, text, environment.as_deref(), &read);
    Validation { valid: found.valid, text: found.text, json: found.json.to_string(), modules: found.modules }
}
