//! A response of a server.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

/// A response of a server, with any status.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// How long a request may take.
pub(super) const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// Names the program to the server.
pub(super) const USER_AGENT: &str = concat!("sluicegate/", env!("CARGO_PKG_VERSION"));
