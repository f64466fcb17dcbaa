//! The JSON document of a tenant in Redis.
//!
//! ```json
//! {"v":1,"plan":"pro","status":"active","keys":[{"id":"…","sha256":"…","created":"2026-11-01T00:00:00Z"}],
//!  "overrides":{"day":{"limit":5000,"until":"2026-12-01T00:00:00Z"}},"metadata":{"contact":"ops@acme.example"}}
//! ```

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::key_digest::{KeyDigest, sha256, write_hex};
use super::key_record::{KeyId, KeyRecord};
use super::settings::{FIELDS, Override, Settings, Status};
use super::tenant::{MAX_KEYS, Tenant};
use crate::config::json::{InvalidInput, Object, Problems, expected, parse, text, timestamp};
use crate::time::Timestamp;

impl Tenant {
    /// Returns the document of the tenant. The same tenant always has the same text, so compare-and-swap works.
    #[must_use]
    pub fn to_text(&self) -> String {
        let document = Document {
            v: VERSION,
            plan: &self.settings.plan,
            status: self.settings.status,
            keys: self.keys.iter().map(Key::from).collect(),
            overrides: &self.settings.overrides,
            metadata: &self.settings.metadata,
        };
        // This cannot fail: all keys are strings, all values strings and integers.
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// Parses a document.
    ///
    /// # Errors
    /// Fails if the text is not a valid document.
    pub fn from_text(text: &str) -> Result<Self, InvalidInput> {
        let value = parse(text.as_bytes())?;
        let mut problems = Problems::default();
        let tenant = read(&value, &mut problems);
        problems.finish(tenant)
    }
}

/// Returns the strong entity tag of a document (RFC 9110, section 8.8.3): equal tags mean equal bytes.
#[must_use]
pub fn etag(text: &str) -> String {
    let mut tag = String::from('"');
    // Writing to a string cannot fail.
    let _ = write_hex(&mut tag, sha256(text).first_chunk::<16>().unwrap_or(&[0; 16]));
    tag.push('"');
    tag
}

fn read(value: &Value, problems: &mut Problems) -> Option<Tenant> {
    let known: Vec<_> = ["v", "keys"].into_iter().chain(FIELDS).collect();
    let object = Object::open(value, "", &known, problems)?;
    object.required("v", version, problems);
    let keys = object.optional("keys", list, problems).unwrap_or_default();
    if keys.len() > MAX_KEYS {
        problems.push("keys", format!("expected at most {MAX_KEYS}, found {}", keys.len()));
    }
    let keys: Vec<KeyRecord> =
        keys.iter().enumerate().filter_map(|(i, key)| read_key(key, &format!("keys[{i}]"), problems)).collect();
    for (i, key) in keys.iter().enumerate() {
        if keys.iter().take(i).any(|earlier| earlier.id == key.id) {
            problems.push("keys", format!("expected unique ids, found {:?} twice", key.id.as_str()));
        }
    }
    Some(Tenant { settings: Settings::from_object(&object, problems)?, keys })
}

fn read_key(value: &Value, path: &str, problems: &mut Problems) -> Option<KeyRecord> {
    let object = Object::open(value, path, &["id", "sha256", "created", "expires"], problems)?;
    let id = object.required("id", |id| KeyId::new(&text(id)?).map_err(|error| error.to_string()), problems);
    let sha256 = object.required("sha256", digest, problems);
    let created = object.required("created", timestamp, problems);
    let expires = object.optional("expires", timestamp, problems);
    Some(KeyRecord { id: id?, sha256: sha256?, created: created?, expires })
}

fn version(value: &Value) -> Result<(), String> {
    if value.as_u64() == Some(VERSION) { Ok(()) } else { Err(expected(&VERSION.to_string(), value)) }
}

fn list(value: &Value) -> Result<&[Value], String> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| expected("a list", value))
}

fn digest(value: &Value) -> Result<KeyDigest, String> {
    KeyDigest::from_hex(&text(value)?).ok_or_else(|| "expected 64 digits of 0-9 a-f".to_owned())
}

/// The document, with its fields in the order in which they are written.
#[derive(Serialize)]
struct Document<'a> {
    v: u64,
    plan: &'a str,
    status: Status,
    keys: Vec<Key<'a>>,
    overrides: &'a BTreeMap<String, Override>,
    metadata: &'a BTreeMap<String, String>,
}

/// A key record in the document. [`KeyRecord`] itself has no JSON form, so that no API can show the digest.
#[derive(Serialize)]
struct Key<'a> {
    id: &'a KeyId,
    sha256: KeyDigest,
    created: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
}

impl<'a> From<&'a KeyRecord> for Key<'a> {
    fn from(record: &'a KeyRecord) -> Self {
        Key { id: &record.id, sha256: record.sha256, created: record.created, expires: record.expires }
    }
}

/// The version of the document.
const VERSION: u64 = 1;

#[cfg(test)]
mod tests;
