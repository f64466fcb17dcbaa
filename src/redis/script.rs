//! The Lua scripts of `lua/`, in two dialects, with their SHA-1s.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::lua::lua;

/// A script of `lua/`, which is one atomic operation.
#[derive(Debug)]
pub struct Script {
    /// The file's name without `.lua`.
    pub name: &'static str,
    /// The file's text, without the lines that are only comments, and without indentation.
    pub source: &'static str,
    plain: OnceLock<PreparedScript>,
    key_locking: OnceLock<PreparedScript>,
}

/// The form of a script that a server accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The text alone. For Redis and Valkey, which reject the flag line of the other dialect.
    Plain,
    /// With a flag line first: Upstash then locks the script's keys instead of the whole database.
    KeyLocking,
}

/// A script in one dialect, with its SHA-1.
#[derive(Debug, PartialEq, Eq)]
pub struct PreparedScript {
    /// The text for `EVAL`.
    pub source: Cow<'static, str>,
    /// The SHA-1 of the text, for `EVALSHA`: 40 hexadecimal digits.
    pub sha1: String,
}

/// Checks a batch of requests against all limits of one subject.
pub static CHECK: Script = Script::new("check", lua!("check.lua"));

/// Settles a request: charges what it cost beyond the reserved cost, or refunds the difference.
pub static SETTLE: Script = Script::new("settle", lua!("settle.lua"));

/// Ends leases of concurrency limits.
pub static RELEASE: Script = Script::new("release", lua!("release.lua"));

/// Deletes the state of a subject.
pub static RESET: Script = Script::new("reset", lua!("reset.lua"));

/// Creates, replaces or deletes a value if it is the expected one.
pub static CAS: Script = Script::new("cas", lua!("cas.lua"));

/// Acquires a lock and issues a fencing token.
pub static LOCK_ACQUIRE: Script = Script::new("lock_acquire", lua!("lock_acquire.lua"));

/// Renews the lease of a lock.
pub static LOCK_RENEW: Script = Script::new("lock_renew", lua!("lock_renew.lua"));

/// Releases a lock.
pub static LOCK_RELEASE: Script = Script::new("lock_release", lua!("lock_release.lua"));

/// Writes a value guarded by a lock, unless a newer fencing token is known.
pub static FENCED_WRITE: Script = Script::new("fenced_write", lua!("fenced_write.lua"));

/// Merges the report of an isolate into the shortlist of tenants.
pub static SHORTLIST: Script = Script::new("shortlist", lua!("shortlist.lua"));

/// All scripts.
pub static ALL: [&Script; 10] =
    [&CHECK, &SETTLE, &RELEASE, &RESET, &CAS, &LOCK_ACQUIRE, &LOCK_RENEW, &LOCK_RELEASE, &FENCED_WRITE, &SHORTLIST];

impl Script {
    const fn new(name: &'static str, source: &'static str) -> Self {
        Script { name, source, plain: OnceLock::new(), key_locking: OnceLock::new() }
    }

    /// Returns the script in a dialect. The first call computes the SHA-1, later calls reuse it.
    pub fn in_dialect(&self, dialect: Dialect) -> &PreparedScript {
        match dialect {
            Dialect::Plain => self.plain.get_or_init(|| PreparedScript::new(Cow::Borrowed(self.source))),
            Dialect::KeyLocking => self
                .key_locking
                .get_or_init(|| PreparedScript::new(Cow::Owned(format!("{KEY_LOCKING_LINE}\n{}", self.source)))),
        }
    }
}

impl Dialect {
    /// Returns the dialect for a host: [`Dialect::KeyLocking`] for Upstash's hosts, `*.upstash.io`.
    #[must_use]
    pub fn for_host(host: &str) -> Self {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        if host.ends_with(".upstash.io") { Dialect::KeyLocking } else { Dialect::Plain }
    }
}

impl PreparedScript {
    fn new(source: Cow<'static, str>) -> Self {
        let sha1 = sha1_smol::Sha1::from(source.as_bytes()).hexdigest();
        PreparedScript { source, sha1 }
    }
}

const KEY_LOCKING_LINE: &str = "#!lua flags=allow-key-locking";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialects_differ_by_one_line() {
        for script in ALL {
            let (plain, locking) = (script.in_dialect(Dialect::Plain), script.in_dialect(Dialect::KeyLocking));
            assert_eq!(plain.source, script.source);
            assert_eq!(locking.source.split_once('\n').unwrap(), (KEY_LOCKING_LINE, script.source));
            assert_ne!(plain.sha1, locking.sha1);
            assert!(!script.source.starts_with("#!"));
        }
    }

    #[test]
    fn sha_is_computed_once() {
        assert!(std::ptr::eq(CHECK.in_dialect(Dialect::Plain), CHECK.in_dialect(Dialect::Plain)));
    }

    #[test]
    fn sha_matches_the_example_of_rfc_3174() {
        assert_eq!(PreparedScript::new("abc".into()).sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    #[test]
    fn upstash_is_recognized_by_its_host() {
        for (host, dialect) in [
            ("eu1-fond-crab.upstash.io", Dialect::KeyLocking),
            ("US1.UPSTASH.IO.", Dialect::KeyLocking),
            ("127.0.0.1", Dialect::Plain),
            ("upstash.io.example.com", Dialect::Plain),
            ("notupstash.io", Dialect::Plain),
        ] {
            assert_eq!(Dialect::for_host(host), dialect, "{host}");
        }
    }
}
