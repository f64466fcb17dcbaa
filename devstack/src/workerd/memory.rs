//! The resident memory of a process group.

use std::{fs, io, path::Path};

/// Returns the resident memory of all processes of a process group, in bytes. A [`Workerd`](super::Workerd) is a group of
/// its own.
///
/// # Errors
///
/// Fails if the group has no process.
pub fn resident_memory(group: u32) -> io::Result<u64> {
    let processes = fs::read_dir("/proc")?.filter_map(|entry| Some(entry.ok()?.path()));
    // A process that has just ended has no files any more.
    let sizes: Vec<u64> = processes.filter_map(|process| resident_in_group(&process, group)).collect();
    if sizes.is_empty() { Err(io::Error::other("the process has ended")) } else { Ok(sizes.iter().sum()) }
}

fn resident_in_group(process: &Path, group: u32) -> Option<u64> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    if group_of(&stat)? != group {
        return None;
    }
    let status = fs::read_to_string(process.join("status")).ok()?;
    resident_of(&status)
}

/// Returns the process group of `/proc/PID/stat` (proc(5)). The name before it may contain spaces and parentheses.
fn group_of(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(2)?.parse().ok()
}

/// Returns `VmRSS` of `/proc/PID/status` in bytes.
fn resident_of(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_and_memory_are_read() {
        assert_eq!(group_of("42 (a) b (c) S 1 77 42 0 -1"), Some(77));
        assert_eq!(resident_of("VmPeak:\t 9 kB\nVmRSS:\t  120 kB\n"), Some(122_880));
        let this = fs::read_to_string("/proc/self/stat").unwrap();
        assert!(resident_memory(group_of(&this).unwrap()).unwrap() > 1_000_000);
    }
}
