//! schemathesis: asks an API everything that its description allows, and much that it does not.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Holds the admin API at `base`, which ends in `/_sluicegate/v1`, to the description that it serves. The configuration
/// under test should have plans named `free` and `pro`, or only refusals are seen. Some 2,000 requests.
///
/// # Errors
/// What schemathesis has found.
pub(crate) fn hold_to_description(base: &str, token: &str) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let setup = Command::new(root.join("setup/schemathesis.sh")).output().unwrap();
    assert!(setup.status.success(), "{}", String::from_utf8_lossy(&setup.stderr));
    let python = PathBuf::from(String::from_utf8(setup.stdout).unwrap().trim());
    let output = Command::new(python)
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(root.join("tests/admin/schemathesis.toml"))
        .args(["run", &format!("{base}/openapi.json"), "--url", base])
        .env("ADMIN_TOKEN", token)
        // It leaves a folder where it runs.
        .current_dir(std::env::temp_dir())
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err([output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).join("\n"))
}
