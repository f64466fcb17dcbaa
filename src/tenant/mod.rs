//! A customer: its document, its API keys, its history.

mod api_key;
pub mod authenticator;
mod caller;
mod document;
pub mod history;
mod id;
mod key_digest;
mod key_record;
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
