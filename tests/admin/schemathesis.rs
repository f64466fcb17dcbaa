//! Runs schemathesis, which sends an API requests that its description allows and many that it does not.

use std::path::Path;
use std::process::Command;

use crate::tool::installed;

/// Tests the admin API at `base`, which ends in `/_sluicegate/v1`, against the description that it serves, with some
/// 2,000 requests. The configuration under test needs plans named `free` and `pro`; otherwise most requests are refused.
///
/// # Errors
/// Fails with the report of schemathesis.
pub(crate) fn hold_to_description(base: &str, token: &str) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // schemathesis writes a folder `.hypothesis` into its working directory.
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(installed("schemathesis.sh"))
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(root.join("tests/admin/schemathesis.toml"))
        .args(["run", &format!("{base}/openapi.json"), "--url", base])
        .env("ADMIN_TOKEN", token)
        .current_dir(folder.path())
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err([output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).join("\n"))
}
