//! The commands that call the API.

pub(crate) mod charges;
pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod keys;
pub(crate) mod overview;
pub(crate) mod tenants;
pub(crate) mod usage;
