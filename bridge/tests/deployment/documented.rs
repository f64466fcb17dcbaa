//! The options in `docs/operations.md` are those of the program.

use std::{collections::BTreeSet, process::Command};

use crate::{PROGRAM, run, text};

#[test]
fn the_documented_variables_are_those_of_the_options() {
    let documented = text("docs/operations.md");
    let documented: BTreeSet<(&str, &str)> = documented
        .lines()
        .filter_map(|line| line.strip_prefix("| `--")?.split_once("` | `SLUICEGATE_BRIDGE_"))
        .map(|(option, rest)| (option, rest.split('`').next().unwrap()))
        .collect();

    let help = run(Command::new(PROGRAM).arg("--help"));
    let options: BTreeSet<(&str, &str)> = help
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--")?.split_once("[env: SLUICEGATE_BRIDGE_"))
        .map(|(option, rest)| (option.split(' ').next().unwrap(), rest.split([']', '=']).next().unwrap()))
        .collect();
    assert!(options.len() >= 5, "the test reads the help: {help}");
    assert_eq!(documented, options);
}
