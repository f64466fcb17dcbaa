//! A customer: plan, API keys, overrides.
//!
//! [`TenantId`] names one, [`ApiKey`] is what it shows, and [`Tenant`] is what is known of it: a document
//! whose text in Redis is stable, so that a compare-and-swap of texts is one of tenants.

mod digest;
mod document;
mod id;
mod key;
pub(crate) mod object;
mod record;
mod settings;
mod text;

pub use digest::KeyDigest;
pub use document::{KeyNotAdded, KeyStatus, Tenant, UnknownPlan};
pub use id::{InvalidTenantId, TenantId};
pub use key::{ApiKey, InvalidKey};
pub use object::{Invalid, Problem};
pub use record::{InvalidKeyId, KeyId, KeyRecord};
pub use settings::{Override, Settings, Status};
pub use text::etag;
