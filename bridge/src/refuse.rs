//! Commands that a shared connection cannot serve.

use std::borrow::Cow;

/// Why this command must not reach the connection that all clients share, or `None` if it may.
///
/// `name` is in lower case; `args` begins with the name.
pub(crate) fn refuse(name: &str, args: &[Cow<'_, [u8]>]) -> Option<&'static str> {
    match name {
        "blmove" | "blmpop" | "blpop" | "brpop" | "brpoplpush" | "bzmpop" | "bzpopmax" | "bzpopmin" | "wait"
        | "waitaof" => Some(BLOCK),
        "xread" | "xreadgroup" if blocks(args) => Some(BLOCK),
        "monitor" | "psubscribe" | "psync" | "punsubscribe" | "ssubscribe" | "subscribe" | "sunsubscribe" | "sync"
        | "unsubscribe" => Some(STREAM),
        "discard" | "exec" | "multi" | "unwatch" | "watch" => Some(TRANSACTION),
        "asking" | "auth" | "hello" | "quit" | "readonly" | "readwrite" | "replconf" | "reset" | "select" => {
            Some(STATE)
        }
        "client" if subcommand_is(args, &CLIENT_STATE) => Some(STATE),
        "script" if subcommand_is(args, &["debug"]) => Some(STATE),
        "shutdown" => Some(SHUTDOWN),
        _ => None,
    }
}

/// Whether `BLOCK` stands among the options, which end at `STREAMS`.
fn blocks(args: &[Cow<'_, [u8]>]) -> bool {
    let mut options = args.iter().take_while(|arg| !arg.eq_ignore_ascii_case(b"streams"));
    options.any(|arg| arg.eq_ignore_ascii_case(b"block"))
}

fn subcommand_is(args: &[Cow<'_, [u8]>], names: &[&str]) -> bool {
    let is = |subcommand: &Cow<'_, [u8]>| names.iter().any(|name| subcommand.eq_ignore_ascii_case(name.as_bytes()));
    args.get(1).is_some_and(is)
}

const BLOCK: &str = "it would hold up the connection that all clients share";
const STREAM: &str = "it streams, and an HTTP request has one answer";
const TRANSACTION: &str = "a connection is shared (send the commands to /multi-exec)";
const STATE: &str = "it changes the state of the connection that all clients share";
const SHUTDOWN: &str = "it would end Redis for all clients";

const CLIENT_STATE: [&str; 8] = ["caching", "no-evict", "no-touch", "pause", "reply", "setinfo", "setname", "tracking"];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<&str>) {
        let args: Vec<Cow<'_, [u8]>> = line.split(' ').map(|arg| arg.as_bytes().into()).collect();
        let name = line.split(' ').next().unwrap().to_ascii_lowercase();
        assert_eq!(refuse(&name, &args), expected, "{line}");
    }

    #[test]
    fn refuses_what_blocks_streams_or_changes_the_connection() {
        check("BLPOP list 0", Some(BLOCK));
        check("XREAD COUNT 1 block 0 STREAMS s $", Some(BLOCK));
        check("SUBSCRIBE c", Some(STREAM));
        check("MONITOR", Some(STREAM));
        check("MULTI", Some(TRANSACTION));
        check("WATCH k", Some(TRANSACTION));
        check("SELECT 1", Some(STATE));
        check("CLIENT Reply OFF", Some(STATE));
        check("SCRIPT DEBUG YES", Some(STATE));
        check("SHUTDOWN NOSAVE", Some(SHUTDOWN));
    }

    #[test]
    fn lets_everything_else_pass() {
        check("XREAD COUNT 1 STREAMS block 0", None);
        check("CLIENT LIST", None);
        check("CLIENT", None);
        check("SCRIPT LOAD x", None);
        check("EVALSHA abc 0", None);
        check("module.command x", None);
    }
}
