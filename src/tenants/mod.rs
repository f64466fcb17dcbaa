//! The tenants in Redis, and those in use in memory.
//!
//! A document stands at `sg:1:{ID}:tenant`, in the hash slot of everything else of its tenant, and is only
//! ever changed by compare-and-swap: whoever changes it says which text it has seen. [`TenantCache`] is what an
//! isolate keeps of the documents it has read.

mod cache;
mod error;
mod index;
mod store;

pub use cache::{Look, TenantCache};
pub use error::{TenantsError, Unreadable};
pub use index::Page;
pub use store::{Create, Delete, Replace, Stored, Tenants, Version};
