//! The command line `sluicegate`, for `npx sluicegate`.

use wasm_bindgen::prelude::*;

/// What the program prints, and its exit code. The texts may contain styles for a terminal.
#[wasm_bindgen(getter_with_clone)]
#[derive(Debug)]
pub struct Output {
    /// For standard output.
    #[wasm_bindgen(readonly)]
    pub stdout: String,
    /// For standard error.
    #[wasm_bindgen(readonly)]
    pub stderr: String,
    /// The exit code.
    #[wasm_bindgen(readonly)]
    pub code: u8,
    /// What JavaScript does instead, as JSON.
    #[wasm_bindgen(readonly)]
    pub task: Option<String>,
}

/// Runs the command line; the first argument is the name of the program.
#[wasm_bindgen]
pub async fn run(arguments: Vec<String>) -> Output {
    let sluicegate_cli::Output { stdout, stderr, code, task } = sluicegate_cli::run(arguments).await;
    Output { stdout, stderr, code, task: task.and_then(|task| serde_json::to_string(&task).ok()) }
}
