//! The tenants in Redis, and those in use in memory.
//!
//! A document stands at `sg:1:{ID}:tenant`, in the hash slot of everything else of its tenant, and is only
//! ever changed by compare-and-swap: whoever changes it says which text it has seen. [`TenantCache`] is what an
//! isolate keeps of the documents it has read.

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
