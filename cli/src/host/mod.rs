//! What the program needs of its host: files, variables of the environment, HTTP, and wrangler. Natively the host is the
//! operating system; as WebAssembly it is Node.js.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod node;
mod reply;

use std::path::Path;

use crate::failure::Failure;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::{Http, now, read, variable, wrangler, write};
#[cfg(target_arch = "wasm32")]
pub(crate) use node::{Http, now, read, variable, wrangler, write};

/// Reads a file that the user has named.
///
/// # Errors
/// Fails with its name if it cannot be read.
pub(crate) fn read_named(path: &Path) -> Result<String, Failure> {
    read(path).map_err(|error| Failure::Usage(format!("{}: cannot be read: {error}", path.display())))
}
