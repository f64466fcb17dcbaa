//! The wasm of the npm package: the limiter for JavaScript, and the commands that work offline.
//!
//! - `gate`: the limiter as a library. The core decides; this moves bytes, as `src/edge/` does in the Worker.
//! - `tools`: `validate` of the command line.
//!
//! Each is a build of its own.

#[cfg(feature = "gate")]
pub mod gate;
#[cfg(feature = "tools")]
pub mod tools;
