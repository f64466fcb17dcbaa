//! The wasm of the npm package: the limiter for JavaScript, and the commands that work offline.
//!
//! - `gate`: the limiter as a library. The core decides; this moves bytes, as `src/edge/` does in the Worker.
//! - `tools`: the command line, and its `validate` as a function.
//!
//! Each is a build of its own.

#[cfg(feature = "gate")]
pub mod gate;
#[cfg(all(feature = "tools", target_arch = "wasm32"))]
pub mod program;
#[cfg(feature = "tools")]
pub mod tools;
