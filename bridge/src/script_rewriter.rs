//! Removes the key-locking flag of Upstash's scripts, which plain Redis refuses.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
    sync::{PoisonError, RwLock},
};

use sha1_smol::Sha1;

/// Removes the flag line from scripts, and maps SHA-1s with the line to SHA-1s without it.
///
/// The client names a script by the SHA-1 of its text with the line, Redis by the SHA-1 of its text without.
/// The map is bounded: the oldest pair is evicted first.
#[derive(Default)]
pub(crate) struct ScriptRewriter {
    pairs: RwLock<Pairs>,
}

#[derive(Default)]
struct Pairs {
    without_flag: HashMap<Sha, Sha>,
    oldest_first: VecDeque<Sha>,
}

/// A SHA-1 as 40 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Sha([u8; 40]);

impl ScriptRewriter {
    /// Rewrites a command that contains a script or a SHA-1. `name` is in lower case; `args` begins with the
    /// name.
    ///
    /// Returns the SHA-1 that the client expects from `SCRIPT LOAD`, if Redis will return another one.
    pub(crate) fn rewrite(&self, name: &str, args: &mut [Cow<'_, [u8]>]) -> Option<Sha> {
        match (name, args) {
            ("eval" | "eval_ro", [_, script, ..]) => {
                self.strip(script);
                None
            }
            ("evalsha" | "evalsha_ro", [_, sha, ..]) => {
                self.map(sha);
                None
            }
            ("script", [_, load, script]) if load.eq_ignore_ascii_case(b"load") => self.strip(script),
            ("script", [_, exists, shas @ ..]) if exists.eq_ignore_ascii_case(b"exists") => {
                for sha in shas {
                    self.map(sha);
                }
                None
            }
            _ => None,
        }
    }

    /// Removes the flag line, if the script has one, and returns the SHA-1 of the script with the line.
    fn strip(&self, script: &mut Cow<'_, [u8]>) -> Option<Sha> {
        let line = flag_line_length(script)?;
        let original = Sha::of(script);
        match script {
            Cow::Borrowed(text) => *text = text.get(line..).unwrap_or_default(),
            Cow::Owned(text) => drop(text.drain(..line)),
        }
        self.insert(original, Sha::of(script));
        Some(original)
    }

    fn map(&self, sha: &mut Cow<'_, [u8]>) {
        let Some(original) = Sha::parse(sha) else { return };
        let pairs = self.pairs.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(without_flag) = pairs.without_flag.get(&original) {
            *sha = Cow::Owned(without_flag.to_vec());
        }
    }

    fn insert(&self, original: Sha, without_flag: Sha) {
        let mut pairs = self.pairs.write().unwrap_or_else(PoisonError::into_inner);
        if pairs.without_flag.insert(original, without_flag).is_some() {
            return;
        }
        pairs.oldest_first.push_back(original);
        if pairs.oldest_first.len() > MAX_PAIRS
            && let Some(oldest) = pairs.oldest_first.pop_front()
        {
            pairs.without_flag.remove(&oldest);
        }
    }
}

impl Sha {
    fn of(script: &[u8]) -> Self {
        let mut digits = [0; 40];
        for (to, from) in digits.iter_mut().zip(Sha1::from(script).hexdigest().bytes()) {
            *to = from;
        }
        Self(digits)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut digits: [u8; 40] = text.try_into().ok()?;
        digits.make_ascii_lowercase();
        Some(Self(digits))
    }

    /// Returns the digits as Redis sends them.
    pub(crate) fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// Returns the length of the flag line in bytes with its line break, or `None` if the first line is not
/// exactly this flag.
fn flag_line_length(script: &[u8]) -> Option<usize> {
    let rest = script.strip_prefix(FLAG_LINE)?;
    match rest {
        [] => Some(FLAG_LINE.len()),
        [b'\n', ..] => Some(FLAG_LINE.len() + 1),
        [b'\r', b'\n', ..] => Some(FLAG_LINE.len() + 2),
        _ => None,
    }
}

const FLAG_LINE: &[u8] = b"#!lua flags=allow-key-locking";

/// A pair takes 80 bytes. A client has a dozen scripts, not thousands.
const MAX_PAIRS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn rewrite(scripts: &ScriptRewriter, args: &[&str]) -> (Vec<String>, Option<String>) {
        let mut args: Vec<Cow<'_, [u8]>> = args.iter().map(|arg| arg.as_bytes().into()).collect();
        let name = String::from_utf8(args[0].to_ascii_lowercase()).unwrap();
        let load_reply = scripts.rewrite(&name, &mut args).map(|sha| String::from_utf8(sha.to_vec()).unwrap());
        (args.iter().map(|arg| String::from_utf8(arg.to_vec()).unwrap()).collect(), load_reply)
    }

    fn sha(script: &str) -> String {
        Sha1::from(script).hexdigest()
    }

    const LOCKING: &str = "#!lua flags=allow-key-locking\nreturn 1";
    const PLAIN: &str = "return 1";

    #[test]
    fn removes_exactly_the_flag_line() {
        for (script, expected) in [
            (LOCKING, PLAIN),
            ("#!lua flags=allow-key-locking\r\nreturn 1", PLAIN),
            ("#!lua flags=allow-key-locking\n\nreturn 1", "\nreturn 1"),
            ("#!lua flags=allow-key-locking", ""),
            ("#!lua flags=no-writes\nreturn 1", "#!lua flags=no-writes\nreturn 1"),
            ("#!lua flags=allow-key-locking,no-writes\nreturn 1", "#!lua flags=allow-key-locking,no-writes\nreturn 1"),
            ("\n#!lua flags=allow-key-locking\nreturn 1", "\n#!lua flags=allow-key-locking\nreturn 1"),
            (PLAIN, PLAIN),
        ] {
            let (args, _) = rewrite(&ScriptRewriter::default(), &["EVAL", script, "0"]);
            assert_eq!(args, ["EVAL", expected, "0"]);
        }
    }

    #[test]
    fn maps_the_sha_of_a_script_seen_before() {
        let scripts = ScriptRewriter::default();
        assert_eq!(rewrite(&scripts, &["EVALSHA", &sha(LOCKING), "0"]).0[1], sha(LOCKING));
        rewrite(&scripts, &["EVAL", LOCKING, "0"]);
        assert_eq!(rewrite(&scripts, &["EVALSHA", &sha(LOCKING), "0"]).0[1], sha(PLAIN));
        assert_eq!(rewrite(&scripts, &["evalsha_ro", &sha(LOCKING).to_uppercase(), "0"]).0[1], sha(PLAIN));
        let (args, _) = rewrite(&scripts, &["SCRIPT", "EXISTS", &sha(LOCKING), &sha("return 2")]);
        assert_eq!(args[2..], [sha(PLAIN), sha("return 2")]);
    }

    #[test]
    fn script_load_returns_the_sha_that_the_client_expects() {
        let scripts = ScriptRewriter::default();
        let (args, load_reply) = rewrite(&scripts, &["SCRIPT", "LOAD", LOCKING]);
        assert_eq!((args[2].as_str(), load_reply), (PLAIN, Some(sha(LOCKING))));
        assert_eq!(rewrite(&scripts, &["SCRIPT", "LOAD", PLAIN]).1, None);
    }

    #[test]
    fn evicts_the_oldest_pair_when_full() {
        let scripts = ScriptRewriter::default();
        let script = |i: usize| format!("#!lua flags=allow-key-locking\nreturn {i}");
        for i in 0..=MAX_PAIRS {
            rewrite(&scripts, &["EVAL", &script(i), "0"]);
        }
        assert_eq!(scripts.pairs.read().unwrap().without_flag.len(), MAX_PAIRS);
        assert_eq!(rewrite(&scripts, &["EVALSHA", &sha(&script(0)), "0"]).0[1], sha(&script(0)));
        assert_eq!(rewrite(&scripts, &["EVALSHA", &sha(&script(1)), "0"]).0[1], sha("return 1"));
    }
}
