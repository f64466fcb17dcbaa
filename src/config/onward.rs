//! How a route sends its requests to the origin.

use super::header_value::HeaderValue;
use super::origin::Origin;
use super::origin_secrets::OriginSecrets;

/// How a route sends its requests to the origin. By default, as requests without a route are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Onward {
    /// The route's own origin.
    pub origin: Option<Origin>,
    /// The number of leading segments that are removed from the path.
    pub strip: usize,
    /// Whether the origin gets the API key, if the route says so itself.
    pub forward_key: Option<bool>,
    /// The headers that are removed, in lower case.
    pub(super) remove: Vec<String>,
    /// The headers that are set, each with its name in lower case.
    pub(super) set: Vec<(String, HeaderValue)>,
}

impl Onward {
    /// Returns whether the origin does not get a client's header: the route removes it, or sets its own. `name` is in
    /// lower case. To many origins (CGI, WSGI) `_` in a name equals `-`.
    #[must_use]
    pub fn drops(&self, name: &str) -> bool {
        let plain = |byte: u8| if byte == b'_' { b'-' } else { byte };
        let is_name = |other: &String| other.bytes().map(plain).eq(name.bytes().map(plain));
        self.remove.iter().any(is_name) || self.set.iter().any(|(other, _)| is_name(other))
    }

    /// Returns the names of the headers that are set.
    pub fn set_names(&self) -> impl Iterator<Item = &str> {
        self.set.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the names of the headers that are removed.
    #[must_use]
    pub fn removed_names(&self) -> &[String] {
        &self.remove
    }

    /// Returns whether the origin gets other headers than those of requests without a route.
    #[must_use]
    pub fn changes_headers(&self) -> bool {
        !self.remove.is_empty() || !self.set.is_empty()
    }

    /// Appends the headers that are set to `lines`, in the form of [`Fields`](crate::http::Fields).
    ///
    /// Returns `None` if a secret is not among `secrets`, which were then read for another configuration.
    #[must_use]
    pub fn push_headers(&self, lines: &mut String, secrets: &OriginSecrets) -> Option<()> {
        for (name, value) in &self.set {
            lines.push_str(name);
            lines.push('\n');
            value.push_to(lines, secrets)?;
            lines.push('\n');
        }
        Some(())
    }

    /// Returns the names of the secrets that the headers need, each with the header.
    pub(super) fn secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.set.iter().flat_map(|(header, value)| value.secrets().map(move |name| (header.as_str(), name)))
    }
}
