//! The wasm of the npm package.

#[cfg(feature = "tools")]
pub mod tools;
