//! Tenants: an operator's customers, with their plans, API keys and usage histories.
//!
//! This room uses `time`, `limit`, `redis`, `limiter`, `config` and `jwt`.
//!
//! - `tenant`: [`Tenant`], settings and API keys; its limits.
//! - `settings`: [`Settings`], what an operator sets: plan, status, overrides, metadata.
//! - `document`: the JSON document of a tenant in Redis.
//! - `id`: [`TenantId`].
//! - `api_key`: [`ApiKey`], as a client sends it; `key_digest` its SHA-256; `key_record` its entry in the
//!   document.
//! - `caller`: [`Caller`], the sender of a request.
//! - [`store`]: the documents in Redis, their index and their cache.
//! - [`authenticator`]: which tenant an API key belongs to.
//! - [`history`]: what a tenant used, day by day.
//! - [`overview`]: which tenants used most today, and which are near a limit.

mod api_key;
pub mod authenticator;
mod caller;
mod document;
pub mod history;
mod id;
mod key_digest;
mod key_record;
pub mod overview;
mod settings;
pub mod store;
mod tenant;

pub use api_key::{ApiKey, InvalidKey};
pub use caller::Caller;
pub use document::etag;
pub use id::{InvalidTenantId, TenantId};
pub use key_digest::KeyDigest;
pub use key_record::{InvalidKeyId, KeyId, KeyRecord};
pub use settings::{Override, Settings, Status};
pub use tenant::{KeyNotAdded, KeyStatus, Tenant, UnknownPlan};
