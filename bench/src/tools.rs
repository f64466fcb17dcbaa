//! The programs and files a run needs, found before anything is started.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use sluicegate_devstack::workerd::{Code, Compatibility, Module, NotBuilt, worker_in};
use tokio::process::Command;

use crate::contender::Contender;

/// The programs and files, all present.
#[derive(Debug)]
pub struct Tools {
    root: PathBuf,
    /// The program workerd.
    pub workerd: PathBuf,
    esbuild: PathBuf,
    /// Our Worker, read once, so that a build in the meantime changes nothing.
    built: Vec<Module>,
    /// The compatibility of wrangler.toml, used for all contenders.
    pub compatibility: Compatibility,
}

/// A program or file is missing or does not work.
#[derive(Debug, thiserror::Error)]
pub enum ToolsError {
    /// A tool from npm.
    #[error("{}: not installed (run `make setup` first)", .0.display())]
    NotInstalled(PathBuf),
    /// Our Worker.
    #[error(transparent)]
    NotBuilt(#[from] NotBuilt),
    /// wrangler.toml.
    #[error("{}: {source} (set --root to the repository)", path.display())]
    NoCompatibility {
        /// The file.
        path: PathBuf,
        /// The system's or the parser's error.
        source: io::Error,
    },
    /// esbuild.
    #[error("{}: cannot be bundled: {reason}", script.display())]
    Bundle {
        /// The script.
        script: PathBuf,
        /// The error of esbuild or of the system.
        reason: String,
    },
}

impl Tools {
    /// Finds everything below `root`, the repository; `worker` is the folder of our Worker there.
    ///
    /// # Errors
    ///
    /// Fails if anything is missing; the error names the command to run.
    pub fn find(root: &Path, worker: &str) -> Result<Self, ToolsError> {
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
        let built = worker_in(&root.join(worker))?;
        Ok(Self { root, workerd, esbuild, built, compatibility })
    }

    /// Returns the modules of a contender.
    ///
    /// # Errors
    ///
    /// Fails if a script cannot be bundled.
    pub async fn modules(&self, contender: Contender) -> Result<Vec<Module>, ToolsError> {
        let Some(script) = contender.script() else { return Ok(self.built.clone()) };
        let script = self.root.join("bench/workers").join(script);
        Ok(vec![Module { name: "index.js", code: Code::Script(self.bundle(&script).await?) }])
    }

    /// Bundles a script as wrangler does.
    async fn bundle(&self, script: &Path) -> Result<Vec<u8>, ToolsError> {
        let failed = |reason: String| ToolsError::Bundle { script: script.to_owned(), reason };
        let output = Command::new(&self.esbuild)
            .arg(script)
            .args(["--bundle", "--format=esm", "--target=es2024", "--conditions=workerd,worker,browser"])
            .args(["--log-level=error", "--color=false"])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(failed(String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ")))
    }
}

/// The folder of our Worker as `make build` builds it.
pub const BUILT: &str = "build/worker";

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_error_names_what_is_missing_and_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let missing = || Tools::find(&root, BUILT).unwrap_err().to_string();
        let make = |file: &str| {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        assert!(missing().ends_with("(set --root to the repository)"), "{}", missing());
        fs::write(root.join("wrangler.toml"), "compatibility_date = '2026-01-02'").unwrap();
        assert!(missing().ends_with("node_modules/.bin/workerd: not installed (run `make setup` first)"));
        make("node_modules/.bin/workerd");
        make("node_modules/.bin/esbuild");
        make("node_modules/@upstash/ratelimit/package.json");
        make("build/worker/index.js");
        assert!(missing().ends_with("build/worker/index_bg.wasm: not built (run `make build` first)"));
        make("build/worker/index_bg.wasm");
        Tools::find(&root, BUILT).unwrap();
    }
}
