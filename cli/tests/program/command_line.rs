//! Help, completions, and invalid command lines.

use crate::run::run;

#[tokio::test]
async fn help_covers_commands_and_exit_codes() {
    let ended = run(&["--help"]).await;
    assert_eq!(ended.code, 0);
    for part in [
        "validate",
        "tenants",
        "keys",
        "usage",
        "check",
        "reset",
        "refund",
        "doctor",
        "completions",
        "--url",
        "--json",
        "SLUICEGATE_URL",
        "SLUICEGATE_ADMIN_TOKEN",
        "Exit codes:",
        "sluicegate tenants create acme --plan pro",
    ] {
        assert!(ended.stdout.contains(part), "{part}:\n{}", ended.stdout);
    }
    let widest = ended.stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(120), "{widest:?}:\n{}", ended.stdout);
}

#[tokio::test]
async fn every_shell_has_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = run(&["completions", shell]).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{shell}");
        for word in ["tenants", "revoke", "if-match"] {
            assert!(ended.stdout.contains(word), "{shell}: {word}");
        }
    }
}

#[tokio::test]
async fn invalid_command_lines_exit_with_2() {
    for (arguments, message) in [
        (&["tenants", "update", "acme"][..], "the following required arguments were not provided"),
        (&["tenants", "update", "acme", "--if-match", "x"], "the following required arguments were not provided"),
        (&["tenants", "update", "acme", "--suspend", "--activate"], "cannot be used with"),
        (
            &["tenants", "update", "acme", "--limit", "day"],
            "expected NAME=LIMIT[:BURST][@UNTIL], for example day=5000@",
        ),
        (&["tenants", "list", "--max", "0"], "0 is not in 1.."),
        (&["refund", "acme", "0", "--request", "r"], "0 is not in 1.."),
        (&["refund", "acme", "1"], "--request <ID>"),
        (&["check"], "<--tenant <ID>|--subject <TEXT>>"),
        (&["check", "--tenant", "a", "--subject", "b", "--plan", "p"], "cannot be used with"),
        (&["check", "--subject", "b"], "the following required arguments were not provided"),
        (&["check", "--subject", "b", "--limits", "{}"], "expected a JSON array"),
        (&["--token", "t", "doctor"], "unexpected argument '--token'"),
    ] {
        let ended = run(arguments).await;
        assert_eq!(ended.code, 2, "{arguments:?}");
        assert!(ended.stderr.contains(message), "{arguments:?}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn the_program_has_the_version_of_the_workspace() {
    let ended = run(&["--version"]).await;
    assert_eq!((ended.code, ended.stdout), (0, concat!("sluicegate ", env!("CARGO_PKG_VERSION"), "\n").to_owned()));
}
