//! Third-party tools that only tests need.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Installs a tool by its script in `setup/`, unless it is installed, and returns the path that the script prints.
pub(crate) fn installed(script: &str) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("setup").join(script);
    let output = Command::new(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}
