//! The code of a Worker.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A file of a Worker's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The name of the file; another module imports it as `./NAME`.
    pub name: &'static str,
    /// Its content.
    pub code: Code,
}

/// The content of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// An ECMAScript module.
    Script(Vec<u8>),
    /// WebAssembly.
    Wasm(Vec<u8>),
}

/// Reads the modules of the Worker that `make build` has built in the repository at `root`.
///
/// # Errors
///
/// Fails if a module cannot be read.
pub fn built_worker(root: &Path) -> Result<Vec<Module>, NotBuilt> {
    worker_in(&root.join("build/worker"))
}

/// Reads the modules of our Worker that are in `folder`.
///
/// # Errors
///
/// Fails if a module cannot be read.
pub fn worker_in(folder: &Path) -> Result<Vec<Module>, NotBuilt> {
    let read = |name| {
        let path = folder.join(name);
        fs::read(&path).map_err(|source| NotBuilt { path, source })
    };
    Ok(vec![
        Module { name: INDEX, code: Code::Script(read(INDEX)?) },
        Module { name: INDEX_WASM, code: Code::Wasm(read(INDEX_WASM)?) },
        // Not the one that a deployment has left there.
        Module { name: CONFIGURATION, code: Code::Script(b"export default null;".to_vec()) },
    ])
}

/// A module of the built Worker cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: not built (run `make build` first)", path.display())]
pub struct NotBuilt {
    /// The file.
    pub path: PathBuf,
    /// The system's error.
    #[source]
    pub source: io::Error,
}

const INDEX: &str = "index.js";
/// The name of the module with the bundled configuration.
pub const CONFIGURATION: &str = "configuration.js";

const INDEX_WASM: &str = "index_bg.wasm";
