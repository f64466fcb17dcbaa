//! The API's paths.

use percent_encoding::percent_decode_str;

/// A path of the API, with its names percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Path {
    OpenApi,
    Tenants,
    Tenant(String),
    Keys(String),
    Key(String, String),
    Usage(String),
    Reset(String),
    Refund(String),
    Check,
    Acquire(String),
    Renew(String),
    Release(String),
    LockValue(String, String),
    Value(String),
    Swap(String),
    Diagnosis,
    Explain,
    Configuration,
    Overview,
    Events,
}

impl Path {
    /// Returns the id of the tenant in the path.
    pub(super) fn tenant(&self) -> Option<&str> {
        match self {
            Path::Tenant(id)
            | Path::Keys(id)
            | Path::Key(id, _)
            | Path::Usage(id)
            | Path::Reset(id)
            | Path::Refund(id) => Some(id),
            _ => None,
        }
    }

    /// Parses the path after `/_sluicegate/v1`. Returns `None` if the API does not have it.
    pub(super) fn parse(path: &str) -> Option<Path> {
        let segments: Vec<String> = path.strip_prefix('/')?.split('/').map(decoded).collect::<Option<_>>()?;
        if segments.iter().any(String::is_empty) {
            return None;
        }
        let words: Vec<&str> = segments.iter().map(String::as_str).collect();
        Some(match *words.as_slice() {
            ["openapi.json"] => Path::OpenApi,
            ["check"] => Path::Check,
            ["diagnosis"] => Path::Diagnosis,
            ["explain"] => Path::Explain,
            ["configuration"] => Path::Configuration,
            ["overview"] => Path::Overview,
            ["events"] => Path::Events,
            ["tenants"] => Path::Tenants,
            ["tenants", id] => Path::Tenant(id.to_owned()),
            ["tenants", id, "keys"] => Path::Keys(id.to_owned()),
            ["tenants", id, "keys", key] => Path::Key(id.to_owned(), key.to_owned()),
            ["tenants", id, "usage"] => Path::Usage(id.to_owned()),
            ["tenants", id, "reset"] => Path::Reset(id.to_owned()),
            ["tenants", id, "refund"] => Path::Refund(id.to_owned()),
            ["locks", lock, "acquire"] => Path::Acquire(lock.to_owned()),
            ["locks", lock, "renew"] => Path::Renew(lock.to_owned()),
            ["locks", lock, "release"] => Path::Release(lock.to_owned()),
            ["locks", lock, "values", value] => Path::LockValue(lock.to_owned(), value.to_owned()),
            ["values", value] => Path::Value(value.to_owned()),
            ["values", value, "swap"] => Path::Swap(value.to_owned()),
            _ => return None,
        })
    }

    /// Returns the methods of this path, as the value of `Allow`.
    pub(super) fn methods(&self) -> &'static str {
        match self {
            Path::OpenApi
            | Path::Usage(_)
            | Path::Value(_)
            | Path::Diagnosis
            | Path::Configuration
            | Path::Overview
            | Path::Events => "GET, HEAD",
            Path::Tenants | Path::Keys(_) => "GET, HEAD, POST",
            Path::Tenant(_) => "GET, HEAD, PUT, PATCH, DELETE",
            Path::Key(..) => "DELETE",
            Path::LockValue(..) => "GET, HEAD, PUT",
            Path::Reset(_)
            | Path::Refund(_)
            | Path::Check
            | Path::Explain
            | Path::Acquire(_)
            | Path::Renew(_)
            | Path::Release(_)
            | Path::Swap(_) => "POST",
        }
    }

    /// Returns whether the path has this method.
    pub(super) fn allows(&self, method: &str) -> bool {
        self.methods().split(", ").any(|known| known == method)
    }
}

fn decoded(segment: &str) -> Option<String> {
    percent_decode_str(segment).decode_utf8().ok().map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_paths_are_known() {
        let acme = || "acme".to_owned();
        for (path, expected) in [
            ("/tenants", Some(Path::Tenants)),
            ("/tenants/acme", Some(Path::Tenant(acme()))),
            ("/tenants/ac%6De", Some(Path::Tenant(acme()))),
            ("/tenants/acme/keys/k1", Some(Path::Key(acme(), "k1".to_owned()))),
            ("/locks/acme/values/a%2Fb", Some(Path::LockValue(acme(), "a/b".to_owned()))),
            ("/tenants/", None),
            ("//tenants", None),
            ("/tenants/acme/", None),
            ("/tenants//keys", None),
            ("/tenants/acme/keys/", None),
            ("/tenants/acme/keys/k1/x", None),
            ("/tenants/%ff", None),
            ("/Tenants", None),
            ("tenants", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(Path::parse(path), expected, "{path}");
        }
    }

    #[test]
    fn openapi_has_the_same_paths_and_methods() {
        let description: serde_json::Value = serde_json::from_str(crate::admin::OPENAPI).unwrap();
        for (template, operations) in description["paths"].as_object().unwrap() {
            let path = Path::parse(&template.replace(['{', '}'], "")).unwrap_or_else(|| panic!("{template}"));
            let described = |method: &str| !operations[method.to_lowercase()].is_null();
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
                assert_eq!(path.allows(method), described(method), "{method} {template}");
            }
            assert_eq!(path.allows("HEAD"), described("GET"), "HEAD {template}");
        }
    }

    #[test]
    fn only_listed_methods_are_allowed() {
        let tenant = Path::Tenant("acme".to_owned());
        assert!(["GET", "HEAD", "PUT", "PATCH", "DELETE"].iter().all(|method| tenant.allows(method)));
        assert!(["POST", "get", "", "GET, HEAD"].iter().all(|method| !tenant.allows(method)));
    }
}
