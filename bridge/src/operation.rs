//! The kinds of calls to Redis.

/// What a request sends to Redis: one command, or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A command by its lower-case name, which must be one of a fixed set.
    Command(&'static str),
    /// A pipeline of this many commands.
    Pipeline(usize),
    /// A transaction of this many commands.
    Transaction(usize),
}

impl Operation {
    /// Returns its label in metrics: one of four.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Command("eval" | "eval_ro" | "evalsha" | "evalsha_ro" | "fcall" | "fcall_ro") => "script",
            Self::Command(_) => "command",
            Self::Pipeline(_) => "pipeline",
            Self::Transaction(_) => "transaction",
        }
    }

    /// Returns its name in upper case, as in the semantic conventions of OpenTelemetry for Redis.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Command(name) => name.to_ascii_uppercase(),
            Self::Pipeline(_) => "PIPELINE".to_owned(),
            Self::Transaction(_) => "MULTI".to_owned(),
        }
    }

    /// Returns the number of commands of a batch.
    pub(crate) fn batch_size(self) -> Option<usize> {
        match self {
            Self::Command(_) => None,
            Self::Pipeline(size) | Self::Transaction(size) => Some(size),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_a_class_of_their_own() {
        assert_eq!(Operation::Command("evalsha").class(), "script");
        assert_eq!(Operation::Command("other").class(), "command");
        assert_eq!(Operation::Pipeline(3).class(), "pipeline");
        assert_eq!(Operation::Transaction(3).class(), "transaction");
    }
}
