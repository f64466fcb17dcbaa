//! The tenants in Redis, and an isolate's cache of them.
//!
//! A tenant's document is at `sg:1:{ID}:tenant`, in the same hash slot as the tenant's other keys. It changes
//! only by compare-and-swap: every change names the version that it replaces.
//!
//! - `store`: [`TenantStore`], the client of the store, and its keys.
//! - `documents`: reads, creates, replaces and deletes documents.
//! - `stored`: [`Stored`], a tenant as read, and the [`Version`] to change it by.
//! - `index`: the list of tenants, a sorted set of their ids.
//! - `cache`: [`TenantCache`], the documents that an isolate has read.
//! - `error`: [`StoreError`].

mod cache;
mod documents;
mod error;
mod index;
mod store;
mod stored;

pub use cache::{CacheLookup, TenantCache};
pub use documents::{Create, Delete, Replace};
pub use error::StoreError;
pub use index::Page;
pub use store::TenantStore;
pub use stored::{Stored, Unreadable, Version};
