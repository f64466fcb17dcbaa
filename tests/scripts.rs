//! Every script does what its header says and touches only its KEYS. Every test covers every script, with its example and
//! the calls below.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "scripts/bytecode.rs"]
mod bytecode;
#[path = "scripts/monitor.rs"]
mod monitor;
mod support;

use std::collections::BTreeSet;

use bytecode::Chunk;
use monitor::Monitor;
use sluicegate::redis as rest;
use sluicegate::redis::script::{self, Dialect, Script};
use sluicegate::redis::{Argument, Command, HttpTransport, Token};
use sluicegate::time::Millis;
use sluicegate_bridge::RedisServer;
use sluicegate_devstack::BridgeServer;
use support::Redis;

/// One call of a script.
#[derive(Debug, Clone)]
struct Call {
    script: &'static Script,
    keys: Vec<String>,
    arguments: Vec<String>,
}

const FIVE: &str = "log sliding_log 60000 9 bucket token_bucket 60000 9 3 20000 fixed fixed_window month 9 \
                    sliding sliding_window 60000 9 inflight concurrency 60000 9";

const BUCKET: &str = "token_bucket 60000 9 3 20000";

const ALL_ALGORITHMS: &str = "5 log sliding_log 60000 9 bucket token_bucket 60000 9 3 20000 fixed fixed_window month 9 \
                              sliding sliding_window 60000 9 inflight concurrency 60000 9";

/// Calls that cover the branches of each script that call Redis, in an order in which later ones find data. A comma
/// separates keys and arguments, as for `redis-cli --eval`.
fn calls() -> Vec<Call> {
    let check = |rest: &str| format!("s log inflight , {rest}");
    let settle = |rest: &str| format!("s settled log inflight , {rest} {ALL_ALGORITHMS}");
    let mut calls: Vec<(&str, String)> = vec![
        ("check", check(&format!("1000 {ALL_ALGORITHMS} 3 2 a 1 b 0 c"))),
        ("check", check(&format!("0 {ALL_ALGORITHMS} 2 3 d 9 e"))),
        ("check", check(&format!("500 {ALL_ALGORITHMS} 1 1 a"))),
        ("check", "s , 70000 1 bucket token_bucket 60000 30 1 2000 1 7".to_owned()),
        (
            "check",
            "narrow , 1000 1 inflight concurrency 60000 1 3 1 a 1 b 1 a".to_owned().replacen(" ,", " leases ,", 1),
        ),
        (
            "check",
            format!("user s everyone of-user log inflight , 1000 1,5,1 x sliding_log 9 9 {FIVE} y {BUCKET} 2 2 a 1 b"),
        ),
        (
            "check",
            format!("user s everyone of-user log inflight , 1000 1,5,1 x sliding_log 9 9 {FIVE} z {BUCKET} 1 2 a"),
        ),
        ("settle", settle("90000 70000 first 60000 5 0")),
        ("settle", settle("90000 70000 first 60000 5 0")),
        ("settle", format!("s everyone settled log inflight , 90000 70000 two 60000 5 0 5,1 {FIVE} y {BUCKET}")),
        ("settle", format!("s everyone settled log inflight , 90000 70000 two-less 60000 0 5 5,1 {FIVE} y {BUCKET}")),
        ("settle", settle("0 70000 second 60000 0 0")),
        ("settle", settle("90000 70000 third 60000 0 4")),
        ("settle", settle("90000 1000 late 60000 0 4")),
        ("settle", settle("300000 200000 ahead 60000 4 0")),
        ("release", "inflight leases , a b".to_owned()),
        ("reset", "s settled log inflight leases".to_owned()),
        ("cas", "value , replace x y never".to_owned()),
        ("cas", "value , create '' x keep".to_owned()),
        ("cas", "value , replace x y 60000".to_owned()),
        ("cas", "value , replace y z never".to_owned()),
        ("cas", "value , delete z '' ''".to_owned()),
        ("shortlist", "list , 1000 20780 1 a 5 1 0 0 - b 6 0 85 9000 day:85:9000:1000".to_owned()),
        ("shortlist", "list , 2000 20781 1 b 6 2 0 0 - c 0 1 90 9000 -".to_owned()),
        ("lock_acquire", "lock fence , me 60000".to_owned()),
        ("lock_acquire", "lock fence , you 60000".to_owned()),
        ("lock_renew", "lock , me 1 60000".to_owned()),
        ("fenced_write", "page newest fence , 1 hello never".to_owned()),
        ("fenced_write", "page newest fence , 1 hello keep".to_owned()),
        ("fenced_write", "page newest fence , 1 hello 60000".to_owned()),
        ("lock_release", "lock , me 1".to_owned()),
        ("lock_release", "lock , me 1".to_owned()),
    ];
    let examples: Vec<_> = script::ALL.iter().map(|script| (script.name, example(script))).collect();
    calls.extend(examples);
    calls.into_iter().map(|(name, words)| call(name, &words)).collect()
}

/// The text of the script's file, with its comments.
fn file(script: &Script) -> String {
    std::fs::read_to_string(format!("{}/lua/{}.lua", env!("CARGO_MANIFEST_DIR"), script.name)).unwrap()
}

/// The part of the header's example after the file name.
fn example(script: &Script) -> String {
    let file = file(script);
    let line = file.lines().find_map(|line| line.strip_prefix("-- example")).expect("a header has an example");
    let start = format!("redis-cli --eval lua/{}.lua ", script.name);
    line.trim().strip_prefix(&start).unwrap_or_else(|| panic!("{line} begins with {start}")).to_owned()
}

fn call(name: &str, words: &str) -> Call {
    let script = script::ALL.into_iter().find(|script| script.name == name).expect("a script of this name");
    let mut words: Vec<String> = words.split_whitespace().map(|word| word.trim_matches('\'').to_owned()).collect();
    let comma = words.iter().position(|word| word == ",").unwrap_or(words.len());
    let arguments = words.split_off(comma).into_iter().skip(1).collect();
    Call { script, keys: words, arguments }
}

impl Call {
    /// Returns the command that runs a script's text with the keys and arguments of this call.
    fn command<'a>(&'a self, name: &'a str, text: &'a str, keys: &'a str) -> Vec<&'a str> {
        let mut command = vec![name, text, keys];
        command.extend(self.keys.iter().chain(&self.arguments).map(String::as_str));
        command
    }
}

#[test]
fn every_script_is_called() {
    let called: BTreeSet<_> = calls().iter().map(|call| call.script.name).collect();
    assert_eq!(called, script::ALL.iter().map(|script| script.name).collect());
}

#[test]
fn a_script_touches_only_its_keys() {
    let mut redis = Redis::start();
    let mut monitor = Monitor::start(redis.server.socket());
    let mut seen = 0;
    for call in calls() {
        redis.run::<::redis::Value>(&call.command("EVAL", call.script.source, &call.keys.len().to_string()));
        redis.run::<String>(&["ECHO", "the end of this call"]);
        for command in monitor.calls_of_scripts_until("the end of this call") {
            // A command of one word has no key, and COMMAND GETKEYS rejects it.
            if command.len() == 1 {
                continue;
            }
            let mut question = vec!["COMMAND", "GETKEYS"];
            question.extend(command.iter().map(String::as_str));
            for key in redis.run::<Vec<String>>(&question) {
                assert!(
                    call.keys.contains(&key),
                    "{}: {command:?} touches {key}, not in {:?}",
                    call.script.name,
                    call.keys
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "the test looks at something: {seen}");
}

#[test]
fn a_script_returns_only_integers() {
    let mut redis = Redis::start();
    for call in calls() {
        // Redis truncates fractions silently, so the test looks for them before the reply leaves Lua.
        let text = format!(
            "local reply = (function() {}\nend)()\n\
             for _, value in ipairs(type(reply) == 'table' and not reply.err and reply or {{ reply }}) do\n\
               if type(value) == 'number' and value % 1 ~= 0 then return redis.error_reply('a fraction: ' .. value) end\n\
             end\n\
             return reply",
            call.script.source
        );
        redis.run::<::redis::Value>(&call.command("EVAL", &text, &call.keys.len().to_string()));
    }
}

#[test]
fn a_script_uses_no_globals_but_those_of_redis() {
    const KNOWN: [&str; 13] = [
        "ARGV", "KEYS", "ipairs", "math", "pairs", "redis", "string", "table", "tonumber", "tostring", "type",
        "unpack", "error",
    ];
    let mut redis = Redis::start();
    for script in script::ALL {
        let dumped: Vec<u8> = redis.run(&["EVAL", "return string.dump(loadstring(ARGV[1]))", "0", script.source]);
        let chunk = Chunk::read(&dumped);
        assert!(chunk.globals_read.contains("redis"), "{}: the test looks at something", script.name);
        assert_eq!(chunk.globals_written, BTreeSet::new(), "{}", script.name);
        for name in &chunk.globals_read {
            assert!(KNOWN.contains(&name.as_str()), "{} reads the global {name}", script.name);
        }
        for name in ["random", "randomseed"] {
            assert!(!chunk.texts.contains(name), "{} names {name}", script.name);
        }
    }
}

#[test]
fn the_globals_test_detects_globals() {
    let mut redis = Redis::start();
    let source = "local a = math.random() local function f() b = c + a end return f";
    let dumped: Vec<u8> = redis.run(&["EVAL", "return string.dump(loadstring(ARGV[1]))", "0", source]);
    let chunk = Chunk::read(&dumped);
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!((chunk.globals_read, chunk.globals_written), (set(&["math", "c"]), set(&["b"])));
    assert!(chunk.texts.contains("random"));
}

#[tokio::test]
async fn both_dialects_load_and_run() {
    let redis = RedisServer::start().await.unwrap();
    let bridge = BridgeServer::start(0, "token", redis.url()).await.unwrap();
    let transport =
        HttpTransport::new(bridge.url().parse().unwrap(), &Token::new("token").unwrap(), Millis::from_secs(5));
    for dialect in [Dialect::Plain, Dialect::KeyLocking] {
        for script in script::ALL {
            let spelled = script.in_dialect(dialect);
            let load = Command::new("SCRIPT").text("LOAD").text(&spelled.source);
            let sha: String = rest::run(&transport, load).await.unwrap();
            assert_eq!(sha, spelled.sha1, "{} {dialect:?}", script.name);
        }
        for call in calls() {
            let arguments: Vec<_> = call.arguments.iter().map(|argument| Argument::Text(argument)).collect();
            let spelled = call.script.in_dialect(dialect);
            rest::eval::<serde_json::Value>(&transport, spelled, &call.keys, &arguments)
                .await
                .unwrap_or_else(|error| panic!("{call:?} {dialect:?}: {error}"));
        }
        rest::run::<String>(&transport, Command::new("FLUSHALL")).await.unwrap();
    }
}

// Headers --------------------------------------------------------------------------------------------

/// `-- KEYS[1]    state     string: …` is (1, false, "state"); `-- KEYS[2..]  set  …` is (2, true, "set").
fn declared(script: &Script, table: &str) -> Vec<(usize, bool, String)> {
    let start = format!("-- {table}[");
    let file = file(script);
    let lines = file.lines().take_while(|line| line.starts_with("--"));
    lines
        .filter_map(|line| line.strip_prefix(&start)?.split_once(']'))
        .map(|(index, rest)| {
            let name = rest.split_whitespace().next().unwrap_or_default().to_owned();
            match index.split_once("..") {
                Some((first, "")) => (first.parse().unwrap_or(usize::MAX), true, name),
                _ => (index.parse().unwrap_or_else(|_| panic!("{}: {table}[{index}]", script.name)), false, name),
            }
        })
        .collect()
}

/// The code without comments.
fn body(script: &Script) -> String {
    script.source.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Every `TABLE[n]` with a whole number in the body.
fn used(script: &Script, table: &str) -> BTreeSet<usize> {
    let (body, start) = (body(script), format!("{table}["));
    let parts = body.split(&start).skip(1).filter_map(|part| part.split_once(']'));
    parts.filter_map(|(index, _)| index.parse().ok()).collect()
}

/// Every `(n, 'name'` and every `ARGV[n] (name)` in the body: an error that names ARGV[n].
fn named(script: &Script) -> Vec<(usize, String)> {
    let body = body(script);
    let arguments = body.split('(').skip(1).filter_map(|part| part.split_once(", '"));
    let texts = body.split("ARGV[").skip(1).filter_map(|part| part.split_once("] ("));
    let arguments = arguments.map(|(index, rest)| (index, rest, '\''));
    arguments
        .chain(texts.map(|(index, rest)| (index, rest, ')')))
        .filter_map(|(index, rest, end)| Some((index.parse().ok()?, rest.split_once(end)?.0.to_owned())))
        .collect()
}

#[test]
fn a_header_declares_the_keys_and_arguments_used() {
    for script in script::ALL {
        let named = named(script);
        for table in ["KEYS", "ARGV"] {
            let declared = declared(script, table);
            let none =
                file(script).lines().any(|line| line.starts_with(&format!("-- {table} ")) && line.ends_with(" none"));
            assert!(declared.is_empty() == none, "{}: {table} is declared, or said to be none", script.name);
            let mut used = used(script, table);
            if table == "ARGV" {
                used.extend(named.iter().map(|(index, _)| *index));
            }
            for index in &used {
                let known = declared.iter().any(|(first, more, _)| first == index || *more && first <= index);
                assert!(known, "{}: the header has no {table}[{index}]", script.name);
            }
            let fixed: Vec<usize> = declared.iter().filter(|(_, more, _)| !more).map(|(index, ..)| *index).collect();
            assert!(fixed.iter().copied().eq(1..=fixed.len()), "{}: {table} {fixed:?}", script.name);
            if let Some(highest) = fixed.last() {
                assert!(used.contains(highest), "{}: the body does not use {table}[{highest}]", script.name);
            }
        }
        for (index, name) in named {
            let declared = declared(script, "ARGV");
            assert!(
                declared.iter().any(|(first, more, known)| known == &name && (*first == index || *more)),
                "{}: ARGV[{index}] is {name} in the body, and in the header {declared:?}",
                script.name
            );
        }
    }
}

#[test]
fn a_header_is_complete() {
    for script in script::ALL {
        let file = file(script);
        let header: Vec<_> = file.lines().take_while(|line| line.starts_with("--")).collect();
        let place = |start: &str| header.iter().position(|line| line.starts_with(start));
        let order = ["-- KEYS", "-- ARGV", "-- returns", "-- example"]
            .map(|start| place(start).unwrap_or_else(|| panic!("{}: no line {start}", script.name)));
        assert!(order[0] > 0 && order.is_sorted(), "{}: purpose, KEYS, ARGV, returns, example", script.name);
        assert!(!header[0].starts_with("-- KEYS") && header[0].len() > 20, "{}: the purpose comes first", script.name);
    }
}
