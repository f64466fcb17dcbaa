//! The tenant whose requests are measured.

use std::net::SocketAddr;

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::{
    http::{Connection, HttpError},
    variables::PLAN,
};

/// Creates the tenant through the admin API of the Worker at `worker`, and returns its API key.
///
/// # Errors
///
/// Fails if the API refuses.
pub async fn create(worker: SocketAddr, admin_token: &str) -> Result<String, TenantError> {
    let mut connection = Connection::open(worker).await?;
    let mut created = Value::Null;
    for (path, document) in [("/tenants", json!({ "id": ID, "plan": PLAN })), (KEYS, json!({}))] {
        let (status, body) = connection.post_to_api(admin_token, path, &document).await?;
        if status != StatusCode::CREATED {
            return Err(TenantError::Refused { path, status, body });
        }
        created = serde_json::from_str(&body).unwrap_or_default();
    }
    match created.get("key").and_then(Value::as_str) {
        Some(key) => Ok(key.to_owned()),
        None => Err(TenantError::NoKey),
    }
}

/// A tenant that cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// There is no response.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The API refused.
    #[error("{path}: expected status 201, found {status}: {body}")]
    Refused {
        /// The path below `/_sluicegate/v1`.
        path: &'static str,
        /// The status.
        status: StatusCode,
        /// The body.
        body: String,
    },
    /// The response has no API key.
    #[error("the new API key is not in the response")]
    NoKey,
}

const ID: &str = "bench";
const KEYS: &str = "/tenants/bench/keys";
