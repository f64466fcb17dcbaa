//! The calls of the operator.

use std::{sync::PoisonError, time::Duration};

use hyper::StatusCode;
use serde_json::{Value, json};
use sluicegate_bench::http::{self, Connection, HttpError};
use tokio::time::sleep;

use crate::{client::Target, configuration::TENANTS};

/// A call that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// There is no response.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The API refused it.
    #[error("{path}: expected status 201 or 409, found {status}: {body}")]
    Status {
        /// The path.
        path: String,
        /// The status.
        status: StatusCode,
        /// The body.
        body: String,
    },
}

impl Target {
    /// Creates the tenants that do not exist, and replaces the API keys that clients use. Tries again if a busy machine is
    /// too slow for the Worker.
    pub(crate) async fn create_tenants(&self) -> Result<(), ApiError> {
        for _ in 1..ATTEMPTS {
            if self.try_create_tenants().await.is_ok() {
                return Ok(());
            }
            sleep(RETRY_INTERVAL).await;
        }
        self.try_create_tenants().await
    }

    async fn try_create_tenants(&self) -> Result<(), ApiError> {
        let mut connection = Connection::open(self.worker).await?;
        let mut keys = Vec::new();
        for (id, plan) in TENANTS {
            self.create(&mut connection, "/tenants", &json!({ "id": id, "plan": plan })).await?;
            let key = self.create(&mut connection, &format!("/tenants/{id}/keys"), &json!({})).await?;
            keys.extend(key.get("key").and_then(Value::as_str).map(str::to_owned));
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    async fn create(&self, connection: &mut Connection, path: &str, document: &Value) -> Result<Value, ApiError> {
        let (status, body) = connection.post_to_api(&self.admin_token, path, document).await?;
        match serde_json::from_str(&body) {
            Ok(document) if matches!(status, StatusCode::CREATED | StatusCode::CONFLICT) => Ok(document),
            _ => Err(ApiError::Status { path: path.to_owned(), status, body }),
        }
    }
}

/// Returns whether the circuit breaker is closed, as the health endpoint says.
pub(crate) async fn breaker_is_closed(connection: &mut Connection) -> Result<bool, HttpError> {
    let health = http::text(connection.get("/_sluicegate/health", None).await?.into_body()).await?;
    Ok(serde_json::from_str::<Value>(&health).is_ok_and(|health| health.get("breaker") == Some(&json!("closed"))))
}

const ATTEMPTS: u32 = 10;
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
