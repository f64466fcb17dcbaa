//! What the program prints, and its exit code.

/// What the program prints, and its exit code. The texts may contain styles for a terminal.
#[derive(Debug, Default)]
pub struct Output {
    /// For standard output.
    pub stdout: String,
    /// For standard error.
    pub stderr: String,
    /// Documented in `sluicegate --help`.
    pub code: u8,
    /// What the JavaScript around the program does instead.
    #[cfg(target_arch = "wasm32")]
    pub task: Option<crate::options::Task>,
}

impl Output {
    pub(crate) fn new(stdout: String, stderr: String, code: u8) -> Self {
        Output {
            stdout,
            stderr,
            code,
            #[cfg(target_arch = "wasm32")]
            task: None,
        }
    }

    /// Returns what clap prints: the help, the version, or what is wrong with the command line.
    pub(crate) fn of_parser(error: &clap::Error) -> Self {
        let text = error.render().ansi().to_string();
        let code = u8::try_from(error.exit_code()).unwrap_or(2);
        let (stdout, stderr) = if error.use_stderr() { (String::new(), text) } else { (text, String::new()) };
        Output::new(stdout, stderr, code)
    }
}
