//! What a Worker is deployed with.

/// The configuration and the origin of one environment.
#[derive(Debug)]
pub struct Deployed {
    /// The configuration as JSON; `None` if it is in KV.
    pub config: Option<String>,
    /// The variable `ORIGIN`; `None` if the file contains a configuration alone.
    pub origin: Option<String>,
}
