//! A customer: its document, its API keys, its history.

pub mod authenticator;
mod caller;
mod digest;
mod document;
pub mod history;
mod id;
mod key;
mod record;
mod settings;
pub mod store;
mod text;

pub use caller::Caller;
pub use digest::KeyDigest;
pub use document::{KeyNotAdded, KeyStatus, Tenant, UnknownPlan};
pub use id::{InvalidTenantId, TenantId};
pub use key::{ApiKey, InvalidKey};
pub use record::{InvalidKeyId, KeyId, KeyRecord};
pub use settings::{Override, Settings, Status};
pub use text::etag;
