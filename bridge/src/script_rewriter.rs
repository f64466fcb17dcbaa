//! The key-locking flag of Upstash's scripts, which plain Redis refuses.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
    sync::{PoisonError, RwLock},
};

use sha1_smol::Sha1;

/// Drops the flag line on the way to Redis and remembers which SHA-1 stands for which.
///
/// A script is known to its client by the SHA-1 of the text with the line, to Redis by that of the text
/// without. The memory is bounded: the pair remembered first is forgotten first.
#[derive(Default)]
pub(crate) struct ScriptRewriter {
    pairs: RwLock<Pairs>,
}

#[derive(Default)]
struct Pairs {
    stripped: HashMap<Sha, Sha>,
    oldest_first: VecDeque<Sha>,
}

/// 40 hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Sha([u8; 40]);

impl ScriptRewriter {
    /// Rewrites a command that carries a script or a SHA-1. `name` is in lower case; `args` begins with the name.
    ///
    /// Returns the SHA-1 that the client expects from its `SCRIPT LOAD`, if Redis will answer another one.
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

    /// Drops the flag line, if the script has one, and returns the SHA-1 it had with the line.
    fn strip(&self, script: &mut Cow<'_, [u8]>) -> Option<Sha> {
        let line = flag_line_length(script)?;
        let original = Sha::of(script);
        match script {
            Cow::Borrowed(text) => *text = text.get(line..).unwrap_or_default(),
            Cow::Owned(text) => drop(text.drain(..line)),
        }
        self.remember(original, Sha::of(script));
        Some(original)
    }

    fn map(&self, sha: &mut Cow<'_, [u8]>) {
        let Some(original) = Sha::parse(sha) else { return };
        let pairs = self.pairs.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(stripped) = pairs.stripped.get(&original) {
            *sha = Cow::Owned(stripped.0.to_vec());
        }
    }

    fn remember(&self, original: Sha, stripped: Sha) {
        let mut pairs = self.pairs.write().unwrap_or_else(PoisonError::into_inner);
        if pairs.stripped.insert(original, stripped).is_some() {
            return;
        }
        pairs.oldest_first.push_back(original);
        if pairs.oldest_first.len() > MAX_PAIRS
            && let Some(oldest) = pairs.oldest_first.pop_front()
        {
            pairs.stripped.remove(&oldest);
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

    /// As Redis answers it.
    pub(crate) fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// How many bytes the flag line takes with its end, or `None` if the script does not begin with exactly this flag.
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

/// 80 bytes each; a client has a dozen scripts, not thousands.
const MAX_PAIRS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn rewrite(scripts: &ScriptRewriter, args: &[&str]) -> (Vec<String>, Option<String>) {
        let mut args: Vec<Cow<'_, [u8]>> = args.iter().map(|arg| arg.as_bytes().into()).collect();
        let name = String::from_utf8(args[0].to_ascii_lowercase()).unwrap();
        let answer = scripts.rewrite(&name, &mut args).map(|sha| String::from_utf8(sha.to_vec()).unwrap());
        (args.iter().map(|arg| String::from_utf8(arg.to_vec()).unwrap()).collect(), answer)
    }

    fn sha(script: &str) -> String {
        Sha1::from(script).hexdigest()
    }

    const LOCKING: &str = "#!lua flags=allow-key-locking\nreturn 1";
    const PLAIN: &str = "return 1";

    #[test]
    fn drops_exactly_the_flag_line() {
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
    fn maps_the_sha_once_the_script_was_seen() {
        let scripts = ScriptRewriter::default();
        assert_eq!(rewrite(&scripts, &["EVALSHA", &sha(LOCKING), "0"]).0[1], sha(LOCKING));
        rewrite(&scripts, &["EVAL", LOCKING, "0"]);
        assert_eq!(rewrite(&scripts, &["EVALSHA", &sha(LOCKING), "0"]).0[1], sha(PLAIN));
        assert_eq!(rewrite(&scripts, &["evalsha_ro", &sha(LOCKING).to_uppercase(), "0"]).0[1], sha(PLAIN));
        let (args, _) = rewrite(&scripts, &["SCRIPT", "EXISTS", &sha(LOCKING), &sha("return 2")]);
        assert_eq!(args[2..], [sha(PLAIN), sha("return 2")]);
    }

    #[test]
    fn script_load_answers_the_sha_that_the_client_knows() {
        let scripts = ScriptRewriter::default();
        let (args, answer) = rewrite(&scripts, &["SCRIPT", "LOAD", LOCKING]);
        assert_eq!((args[2].as_str(), answer), (PLAIN, Some(sha(LOCKING))));
        assert_eq!(rewrite(&scripts, &["SCRIPT", "LOAD", PLAIN]).1, None);
    }

    #[test]
    fn forgets_the_oldest_pair_beyond_the_bound() {
        let scripts = ScriptRewriter::default();
        let script = |i: usize| format!("#!lua flags=allow-key-locking\nreturn {i}");
        for i in 0..=MAX_PAIRS {
            rewrite(&scripts, &["EVAL", &script(i), "0"]);
        }
        assert_eq!(scripts.pairs.read().unwrap().stripped.len(), MAX_PAIRS);
        assert_eq!(rewrite(&scripts, &["EVALSHA", &sha(&script(0)), "0"]).0[1], sha(&script(0)));
        assert_eq!(rewrite(&scripts, &["EVALSHA", &sha(&script(1)), "0"]).0[1], sha("return 1"));
    }
}
