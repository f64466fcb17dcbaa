//! The number of files that a process may open.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Lets this process, and those that it starts later, open as many files as the system permits. Often the default is 1024,
/// which is less than a thousand clients need.
///
/// # Errors
///
/// Fails if the system does not permit its own maximum.
pub fn open_as_many_files_as_permitted() -> std::io::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_maximum() {
        open_as_many_files_as_permitted().unwrap();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
