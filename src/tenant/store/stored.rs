//! A document as it was read.

use crate::config::json::InvalidInput;
use crate::tenant::document::etag;
use crate::tenant::id::TenantId;
use crate::tenant::tenant::Tenant;

/// A tenant as it was found or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: TenantId,
    /// What its document says.
    pub tenant: Tenant,
    pub(super) text: String,
}

/// One version of a document, as somebody has seen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version<'a> {
    pub(super) id: &'a TenantId,
    pub(super) text: &'a str,
}

impl Stored {
    /// The entity tag of this version, a strong one, with its quotes.
    #[must_use]
    pub fn etag(&self) -> String {
        etag(&self.text)
    }

    /// This version, to replace or delete it.
    #[must_use]
    pub fn version(&self) -> Version<'_> {
        Version { id: &self.id, text: &self.text }
    }

    pub(super) fn read(id: &TenantId, text: Option<String>) -> Result<Option<Self>, Unreadable> {
        let Some(text) = text else { return Ok(None) };
        match Tenant::from_text(&text) {
            Ok(tenant) => Ok(Some(Stored { id: id.clone(), tenant, text })),
            Err(problem) => Err(Unreadable { id: id.clone(), problem, text }),
        }
    }
}

/// A document that cannot be read. It is not the same as no document: a tenant of whom nothing can be said is
/// not an unknown one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the document of tenant {id} cannot be read: {problem}")]
pub struct Unreadable {
    /// Whose it is.
    pub id: TenantId,
    /// What is wrong with it.
    pub problem: InvalidInput,
    pub(super) text: String,
}

impl Unreadable {
    /// The version that was read, to replace or delete it.
    #[must_use]
    pub fn version(&self) -> Version<'_> {
        Version { id: &self.id, text: &self.text }
    }
}
