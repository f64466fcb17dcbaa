//! The processes of a process group.

use std::fs;

use rustix::process::{Pid, test_kill_process_group};

/// Returns whether a process of the group can still hold a port or write a file.
///
/// A process that has ended and was not reaped yet (the init of a container may take seconds) still accepts signals;
/// on systems with a `/proc` it does not count.
pub(super) fn any_running(group: Pid) -> bool {
    if test_kill_process_group(group).is_err() {
        return false;
    }
    let Ok(entries) = fs::read_dir("/proc") else { return true };
    let mut stats = entries.flatten().filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok()).peekable();
    // On systems without these files, such as macOS, the result of the signal counts.
    stats.peek().is_none() || stats.any(|stat| runs_in(&stat, group))
}

/// Parses `ID (NAME) STATE PARENT GROUP …`; see `proc_pid_stat(5)`. A name may contain spaces and parentheses.
fn runs_in(stat: &str, group: Pid) -> bool {
    let Some((_, fields)) = stat.rsplit_once(") ") else { return false };
    let mut fields = fields.split(' ');
    let ended = matches!(fields.next(), Some("Z" | "X"));
    let same_group = fields.nth(1).and_then(|number| number.parse().ok()) == Some(group.as_raw_nonzero().get());
    same_group && !ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_running_process_of_the_group_counts() {
        let group = Pid::from_raw(77).unwrap();
        assert!(runs_in("80 (a) b) S 1 77 70 0", group));
        assert!(!runs_in("80 (workerd) Z 1 77 70 0", group));
        assert!(!runs_in("77 (sh) S 1 78 70 0", group));
        assert!(!runs_in("nonsense", group));
    }

    #[test]
    fn the_group_of_this_test_runs() {
        assert!(any_running(rustix::process::getpgrp()));
    }
}
