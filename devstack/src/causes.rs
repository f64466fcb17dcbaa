//! Errors as text.

use std::error::Error;

/// Returns the message of an error followed by those of its causes, separated by colons.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no server")]
    struct Outer(#[source] io::Error);

    #[test]
    fn causes_follow_the_error() {
        assert_eq!(with_causes(&Outer(io::Error::other("no port"))), "no server: no port");
    }
}
