//! A tenant's API keys: list, create, delete.

use serde_json::{Value, json};

use super::admin::Admin;
use super::response::{Failure, Response};
use super::{input, wire};
use crate::config::json::{InvalidInput, Problems, timestamp};
use crate::http::problem::Problem;
use crate::redis::Transport;
use crate::tenant::{ApiKey, KeyId, KeyRecord, Tenant};
use crate::time::Timestamp;

impl<T: Transport> Admin<'_, T> {
    pub(super) async fn list_keys(&self, id: &str) -> Result<Response, Failure> {
        let stored = self.tenant(&wire::id(id)?).await?;
        let keys: Vec<_> = stored.tenant.keys().iter().map(wire::key).collect();
        Ok(Response::json(200, &json!({ "keys": keys })))
    }

    pub(super) async fn create_key(&self, id: &str, body: &Value, random: [u8; 20]) -> Result<Response, Failure> {
        let id = wire::id(id)?;
        let expires = input::read(body, &["expires"], Problems::default(), |object, problems| {
            Some(object.optional("expires", timestamp, problems))
        })?;
        let key = ApiKey::generate(&id, random);
        let record = KeyRecord::new(&key, Timestamp::new(self.now()), expires);
        let change = |tenant: &Tenant| {
            let added = tenant.with_key(record.clone());
            added.map_err(|error| Failure::from(Problem::too_many_keys(error.to_string())))
        };
        self.change(&id, None, change).await?;
        let body = json!({
            "id": record.id,
            "created": record.created,
            "expires": record.expires,
            "key": key.reveal(),
        });
        Ok(Response::json(201, &body).changed(id))
    }

    pub(super) async fn delete_key(&self, id: &str, key: &str) -> Result<Response, Failure> {
        let id = wire::id(id)?;
        let key = KeyId::new(key).map_err(|error| InvalidInput::new("key", error.to_string()))?;
        let change = |tenant: &Tenant| {
            let removed = tenant.without_key(&key);
            removed.ok_or_else(|| Problem::key_not_found(id.as_str(), key.as_str()).into())
        };
        self.change(&id, None, change).await?;
        Ok(Response::no_content().changed(id))
    }
}
