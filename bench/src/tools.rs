//! What a run needs of the repository, found before anything is started.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use crate::{
    compatibility::Compatibility,
    config::Module::{self, Script, Wasm},
    contender::Contender,
};

/// The programs and files, all of them there.
#[derive(Debug)]
pub(crate) struct Tools {
    root: PathBuf,
    /// The program.
    pub(crate) workerd: PathBuf,
    esbuild: PathBuf,
    /// Of wrangler.toml.
    pub(crate) compatibility: Compatibility,
}

/// Something is missing, or does not work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ToolsError {
    /// A tool from npm.
    #[error("{}: not installed (run `make setup` first)", .0.display())]
    NotInstalled(PathBuf),
    /// Our Worker.
    #[error("{}: not built (run `make build` first)", .0.display())]
    NotBuilt(PathBuf),
    /// wrangler.toml.
    #[error("{}: {source} (--root names the repository)", path.display())]
    NoCompatibility {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A file cannot be copied.
    #[error("{}: cannot be copied: {source}", path.display())]
    Copy {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// esbuild.
    #[error("{}: cannot be bundled: {reason}", script.display())]
    Bundle {
        /// The script.
        script: PathBuf,
        /// What esbuild or the system said.
        reason: String,
    },
}

impl Tools {
    /// Looks for everything below `root`, the repository.
    ///
    /// # Errors
    ///
    /// The first that is missing, with what to run.
    pub(crate) fn find(root: &Path) -> Result<Self, ToolsError> {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let path = root.join("wrangler.toml");
        let compatibility =
            Compatibility::read(&path).map_err(|source| ToolsError::NoCompatibility { path, source })?;
        let installed = |file: &str| {
            let path = root.join(file);
            if path.exists() { Ok(path) } else { Err(ToolsError::NotInstalled(path)) }
        };
        let workerd = installed("node_modules/.bin/workerd")?;
        let esbuild = installed("node_modules/.bin/esbuild")?;
        installed("node_modules/@upstash/ratelimit/package.json")?;
        if let Some(missing) = BUILT.map(|file| root.join(BUILD).join(file)).into_iter().find(|path| !path.exists()) {
            return Err(ToolsError::NotBuilt(missing));
        }
        Ok(Self { root, workerd, esbuild, compatibility })
    }

    /// Puts the modules of a contender into `folder`.
    ///
    /// # Errors
    ///
    /// A file cannot be copied or bundled.
    pub(crate) async fn modules(&self, contender: Contender, folder: &Path) -> Result<&'static [Module], ToolsError> {
        if contender != Contender::Sluicegate {
            let script = self.root.join("bench/workers").join(contender.name()).with_extension("js");
            self.bundle(&script, &folder.join(INDEX)).await?;
            return Ok(&[Script(INDEX)]);
        }
        // A copy, so that a build in the meantime changes nothing.
        for file in BUILT {
            let path = self.root.join(BUILD).join(file);
            fs::copy(&path, folder.join(file)).map_err(|source| ToolsError::Copy { path, source })?;
        }
        Ok(&[Script(INDEX), Wasm(INDEX_WASM)])
    }

    /// Bundles a script as wrangler would.
    async fn bundle(&self, script: &Path, into: &Path) -> Result<(), ToolsError> {
        let failed = |reason: String| ToolsError::Bundle { script: script.to_owned(), reason };
        let output = Command::new(&self.esbuild)
            .arg(script)
            .args(["--bundle", "--format=esm", "--target=es2024", "--conditions=workerd,worker,browser"])
            .args(["--log-level=error", "--color=false"])
            .arg(format!("--outfile={}", into.display()))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            return Ok(());
        }
        Err(failed(String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ")))
    }
}

const BUILD: &str = "build/worker";
const BUILT: [&str; 2] = [INDEX, INDEX_WASM];
const INDEX: &str = "index.js";
const INDEX_WASM: &str = "index_bg.wasm";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_its_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let missing = || Tools::find(&root).unwrap_err().to_string();
        let make = |file: &str| {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        assert!(missing().ends_with("(--root names the repository)"), "{}", missing());
        fs::write(root.join("wrangler.toml"), "compatibility_date = '2026-01-02'").unwrap();
        assert!(missing().ends_with("node_modules/.bin/workerd: not installed (run `make setup` first)"));
        make("node_modules/.bin/workerd");
        make("node_modules/.bin/esbuild");
        make("node_modules/@upstash/ratelimit/package.json");
        make("build/worker/index.js");
        assert!(missing().ends_with("build/worker/index_bg.wasm: not built (run `make build` first)"));
        make("build/worker/index_bg.wasm");
        Tools::find(&root).unwrap();
    }
}
