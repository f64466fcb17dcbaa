//! What the program needs of its host: files, variables of the environment, HTTP, and wrangler. Natively the host is the
//! operating system; as WebAssembly it is Node.js.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod node;
mod reply;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::{Http, now, read, variable, wrangler, write};
#[cfg(target_arch = "wasm32")]
pub(crate) use node::{Http, now, read, variable, wrangler, write};
