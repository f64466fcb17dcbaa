//! Commands that a shared connection cannot serve.

use std::borrow::Cow;

/// Returns why a command must not be sent over the connection that all clients share, or `None` if it may be
/// sent.
///
/// `name` is in lower case; `args` begins with the name.
pub(crate) fn refusal_reason(name: &str, args: &[Cow<'_, [u8]>]) -> Option<&'static str> {
    match name {
        "blmove" | "blmpop" | "blpop" | "brpop" | "brpoplpush" | "bzmpop" | "bzpopmax" | "bzpopmin" | "wait"
        | "waitaof" => Some(BLOCKS),
        "xread" | "xreadgroup" if blocks(args) => Some(BLOCKS),
        "monitor" | "psubscribe" | "psync" | "punsubscribe" | "ssubscribe" | "subscribe" | "sunsubscribe" | "sync"
        | "unsubscribe" => Some(STREAM),
        "discard" | "exec" | "multi" | "unwatch" | "watch" => Some(TRANSACTION),
        "asking" | "auth" | "hello" | "quit" | "readonly" | "readwrite" | "replconf" | "reset" | "select" => {
            Some(STATE)
        }
        "client" if subcommand_is(args, &CLIENT_STATE) => Some(STATE),
        "cluster" if subcommand_is(args, &["syncslots"]) => Some(STREAM),
        "script" if subcommand_is(args, &["debug"]) => Some(STATE),
        "shutdown" => Some(SHUTDOWN),
        _ => None,
    }
}

/// Returns whether the options contain `BLOCK`, parsed as Redis parses them: `STREAMS` ends the options, and
/// the value of an option, such as the name of a group, is never an option itself.
fn blocks(args: &[Cow<'_, [u8]>]) -> bool {
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        match word.to_ascii_lowercase().as_slice() {
            b"block" => return true,
            b"streams" => return false,
            b"count" => drop(words.next()),
            b"group" => drop(words.nth(1)),
            // An option without a value, or an unknown option of a newer Redis. Its value is then checked as
            // an option.
            _ => {}
        }
    }
    false
}

fn subcommand_is(args: &[Cow<'_, [u8]>], names: &[&str]) -> bool {
    let is = |subcommand: &Cow<'_, [u8]>| names.iter().any(|name| subcommand.eq_ignore_ascii_case(name.as_bytes()));
    args.get(1).is_some_and(is)
}

const BLOCKS: &str = "it would block the connection that all clients share";
const STREAM: &str = "it streams, and an HTTP request has one response";
const TRANSACTION: &str = "clients share one connection (send the commands to /multi-exec)";
const STATE: &str = "it changes the state of the connection that all clients share";
const SHUTDOWN: &str = "it would stop Redis for all clients";

/// Includes Valkey's `capa` and `import-source`.
const CLIENT_STATE: [&str; 10] =
    ["caching", "capa", "import-source", "no-evict", "no-touch", "pause", "reply", "setinfo", "setname", "tracking"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command_name::command_name;

    fn check(line: &str, expected: Option<&str>) {
        let args: Vec<Cow<'_, [u8]>> = line.split(' ').map(|arg| arg.as_bytes().into()).collect();
        // An unknown name would be allowed.
        let name = command_name(&args[0]).unwrap_or("other");
        assert_eq!(refusal_reason(name, &args), expected, "{line}");
    }

    #[test]
    fn refuses_commands_that_block_stream_or_change_state() {
        for name in "BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN WAIT WAITAOF bzMpop wAit".split(' ')
        {
            check(name, Some(BLOCKS));
        }
        check("XREAD COUNT 1 block 0 STREAMS s $", Some(BLOCKS));
        check("XREADGROUP GROUP streams c BLOCK 3000 STREAMS s >", Some(BLOCKS));
        check("xreadgroup group g streams Block 0 streams s >", Some(BLOCKS));
        check("XREADGROUP COUNT 1 NOACK GROUP streams streams BLOCK 0 STREAMS s >", Some(BLOCKS));
        check("XREADGROUP BLOCK 0 GROUP g c STREAMS s >", Some(BLOCKS));
        for name in
            "MONITOR PSUBSCRIBE PSYNC PUNSUBSCRIBE SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE".split(' ')
        {
            check(name, Some(STREAM));
        }
        check("cluster syncslots establish", Some(STREAM));
        for name in "DISCARD EXEC MULTI UNWATCH WATCH".split(' ') {
            check(name, Some(TRANSACTION));
        }
        for name in "ASKING AUTH HELLO QUIT READONLY READWRITE REPLCONF RESET SELECT reset".split(' ') {
            check(name, Some(STATE));
        }
        for subcommand in "CACHING NO-EVICT NO-TOUCH PAUSE SETINFO SETNAME TRACKING pause".split(' ') {
            check(&format!("CLIENT {subcommand} x"), Some(STATE));
        }
        check("CLIENT Reply OFF", Some(STATE));
        check("client capa redirect", Some(STATE));
        check("CLIENT IMPORT-SOURCE ON", Some(STATE));
        check("SCRIPT DEBUG YES", Some(STATE));
        check("SHUTDOWN NOSAVE", Some(SHUTDOWN));
    }

    #[test]
    fn allows_all_other_commands() {
        check("XREAD COUNT 1 STREAMS block 0", None);
        check("XREADGROUP GROUP block block STREAMS block >", None);
        check("XREADGROUP GROUP g", None);
        check("XREAD", None);
        check("CLIENT LIST", None);
        check("CLIENT", None);
        check("SCRIPT LOAD x", None);
        check("CLUSTER SLOTS", None);
        check("EVALSHA abc 0", None);
        check("module.command x", None);
    }
}
