//! The Lua scripts, their two spellings and their SHA-1s.

use std::borrow::Cow;
use std::sync::OnceLock;

/// A script of `lua/`: one atomic operation.
#[derive(Debug)]
pub struct Script {
    /// The file's name without `.lua`.
    pub name: &'static str,
    /// The file's text.
    pub source: &'static str,
    plain: OnceLock<PreparedScript>,
    key_locking: OnceLock<PreparedScript>,
}

/// How a script is written for the server that runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// As the file is. For Redis and Valkey, which refuse the flag line of the other spelling.
    Plain,
    /// With a first line that tells Upstash to lock the script's keys instead of the whole database.
    KeyLocking,
}

/// A script as a server gets it.
#[derive(Debug, PartialEq, Eq)]
pub struct PreparedScript {
    /// The text for `EVAL`.
    pub source: Cow<'static, str>,
    /// The SHA-1 of the text, for `EVALSHA`: 40 hexadecimal digits.
    pub sha1: String,
}

/// Judges a batch of requests against all limits of one subject.
pub static CHECK: Script = Script::new("check", include_str!("../../lua/check.lua"));

/// Charges a request what it cost more than was thought, or gives back what it cost less.
pub static SETTLE: Script = Script::new("settle", include_str!("../../lua/settle.lua"));

/// Ends leases of concurrency limits.
pub static RELEASE: Script = Script::new("release", include_str!("../../lua/release.lua"));

/// Forgets a subject.
pub static RESET: Script = Script::new("reset", include_str!("../../lua/reset.lua"));

/// Creates, replaces or deletes a value only if it is what the caller believes.
pub static CAS: Script = Script::new("cas", include_str!("../../lua/cas.lua"));

/// Takes a lock and hands out a fencing token.
pub static LOCK_ACQUIRE: Script = Script::new("lock_acquire", include_str!("../../lua/lock_acquire.lua"));

/// Starts the lease of a lock anew.
pub static LOCK_RENEW: Script = Script::new("lock_renew", include_str!("../../lua/lock_renew.lua"));

/// Gives a lock back.
pub static LOCK_RELEASE: Script = Script::new("lock_release", include_str!("../../lua/lock_release.lua"));

/// Writes a value that a lock guards, unless a newer fencing token is known.
pub static FENCED_WRITE: Script = Script::new("fenced_write", include_str!("../../lua/fenced_write.lua"));

/// Every script there is.
pub static ALL: [&Script; 9] =
    [&CHECK, &SETTLE, &RELEASE, &RESET, &CAS, &LOCK_ACQUIRE, &LOCK_RENEW, &LOCK_RELEASE, &FENCED_WRITE];

impl Script {
    const fn new(name: &'static str, source: &'static str) -> Self {
        Script { name, source, plain: OnceLock::new(), key_locking: OnceLock::new() }
    }

    /// The script in a spelling. Its SHA-1 is computed on the first call and kept: this is the SHA cache.
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
    /// The spelling for a host: Upstash's own hosts, `*.upstash.io`, know the flag line.
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
    fn the_spellings_differ_by_one_line() {
        for script in ALL {
            let (plain, locking) = (script.in_dialect(Dialect::Plain), script.in_dialect(Dialect::KeyLocking));
            assert_eq!(plain.source, script.source);
            assert_eq!(locking.source.split_once('\n').unwrap(), (KEY_LOCKING_LINE, script.source));
            assert_ne!(plain.sha1, locking.sha1);
            assert!(!script.source.starts_with("#!"));
        }
    }

    #[test]
    fn the_sha_is_computed_once() {
        assert!(std::ptr::eq(CHECK.in_dialect(Dialect::Plain), CHECK.in_dialect(Dialect::Plain)));
    }

    #[test]
    fn the_sha_is_the_one_of_rfc_3174() {
        assert_eq!(PreparedScript::new("abc".into()).sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    #[test]
    fn upstash_is_known_by_its_host() {
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
