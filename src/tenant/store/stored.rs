//! A tenant as it was read from Redis, and the version to change it by.

use crate::config::json::InvalidInput;
use crate::tenant::document::etag;
use crate::tenant::id::TenantId;
use crate::tenant::tenant::Tenant;

/// A tenant as it was read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The tenant's id.
    pub id: TenantId,
    /// The tenant.
    pub tenant: Tenant,
    /// The exact text of the document, for compare-and-swap.
    pub(super) text: String,
}

/// One version of a document: the expected value of a compare-and-swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version<'a> {
    pub(super) id: &'a TenantId,
    pub(super) text: &'a str,
}

impl Stored {
    /// Returns the strong entity tag of this version, with its quotes.
    #[must_use]
    pub fn etag(&self) -> String {
        etag(&self.text)
    }

    /// Returns this version, to replace or delete it.
    #[must_use]
    pub fn version(&self) -> Version<'_> {
        Version { id: &self.id, text: &self.text }
    }

    /// Parses a document; `None` if there is none.
    pub(super) fn parse(id: &TenantId, text: Option<String>) -> Result<Option<Self>, Unreadable> {
        let Some(text) = text else { return Ok(None) };
        match Tenant::from_text(&text) {
            Ok(tenant) => Ok(Some(Stored { id: id.clone(), tenant, text })),
            Err(problem) => Err(Unreadable { id: id.clone(), problem, text }),
        }
    }
}

/// An invalid document. It differs from a missing one: its tenant exists, so its keys are not unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the document of tenant {id} cannot be read: {problem}")]
pub struct Unreadable {
    /// The tenant's id.
    pub id: TenantId,
    /// What is wrong with the document.
    pub problem: InvalidInput,
    pub(super) text: String,
}

impl Unreadable {
    /// Returns the version that was read, to replace or delete it.
    #[must_use]
    pub fn version(&self) -> Version<'_> {
        Version { id: &self.id, text: &self.text }
    }
}
