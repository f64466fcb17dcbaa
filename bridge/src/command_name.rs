//! The names of Redis's commands.

/// Returns the command's name in lower case, or `None` if Redis has no command of this name.
///
/// Metrics take their labels only from this function, so clients cannot create labels without bound.
pub(crate) fn command_name(name: &[u8]) -> Option<&'static str> {
    let order = |known: &&str| known.bytes().cmp(name.iter().map(u8::to_ascii_lowercase));
    let index = NAMES.binary_search_by(order).ok()?;
    NAMES.get(index).copied()
}

/// The commands of Redis up to version 8 and the JSON commands of Upstash, in byte order.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "acl", "append", "asking", "auth", "bgrewriteaof", "bgsave", "bitcount", "bitfield", "bitfield_ro",
    "bitop", "bitpos", "blmove", "blmpop", "blpop", "brpop", "brpoplpush", "bzmpop", "bzpopmax", "bzpopmin",
    "client", "cluster", "command", "config", "copy", "dbsize", "debug", "decr", "decrby", "del", "discard",
    "dump", "echo", "eval", "eval_ro", "evalsha", "evalsha_ro", "exec", "exists", "expire", "expireat",
    "expiretime", "failover", "fcall", "fcall_ro", "flushall", "flushdb", "function", "geoadd", "geodist",
    "geohash", "geopos", "georadius", "georadius_ro", "georadiusbymember", "georadiusbymember_ro",
    "geosearch", "geosearchstore", "get", "getbit", "getdel", "getex", "getrange", "getset", "hdel", "hello",
    "hexists", "hexpire", "hexpireat", "hexpiretime", "hget", "hgetall", "hgetdel", "hgetex", "hincrby",
    "hincrbyfloat", "hkeys", "hlen", "hmget", "hmset", "hpersist", "hpexpire", "hpexpireat", "hpexpiretime",
    "hpttl", "hrandfield", "hscan", "hset", "hsetex", "hsetnx", "hstrlen", "httl", "hvals", "incr", "incrby",
    "incrbyfloat", "info", "json.arrappend", "json.arrindex", "json.arrinsert", "json.arrlen", "json.arrpop",
    "json.arrtrim", "json.clear", "json.del", "json.forget", "json.get", "json.merge", "json.mget",
    "json.mset", "json.numincrby", "json.nummultby", "json.objkeys", "json.objlen", "json.resp", "json.set",
    "json.strappend", "json.strlen", "json.toggle", "json.type", "keys", "lastsave", "latency", "lcs",
    "lindex", "linsert", "llen", "lmove", "lmpop", "lolwut", "lpop", "lpos", "lpush", "lpushx", "lrange",
    "lrem", "lset", "ltrim", "memory", "mget", "migrate", "module", "monitor", "move", "mset", "msetnx",
    "multi", "object", "persist", "pexpire", "pexpireat", "pexpiretime", "pfadd", "pfcount", "pfdebug",
    "pfmerge", "pfselftest", "ping", "psetex", "psubscribe", "psync", "pttl", "publish", "pubsub",
    "punsubscribe", "quit", "randomkey", "readonly", "readwrite", "rename", "renamenx", "replconf",
    "replicaof", "reset", "restore", "role", "rpop", "rpoplpush", "rpush", "rpushx", "sadd", "save", "scan",
    "scard", "script", "sdiff", "sdiffstore", "select", "set", "setbit", "setex", "setnx", "setrange",
    "shutdown", "sinter", "sintercard", "sinterstore", "sismember", "slaveof", "slowlog", "smembers",
    "smismember", "smove", "sort", "sort_ro", "spop", "spublish", "srandmember", "srem", "sscan",
    "ssubscribe", "strlen", "subscribe", "substr", "sunion", "sunionstore", "sunsubscribe", "swapdb", "sync",
    "time", "touch", "ttl", "type", "unlink", "unsubscribe", "unwatch", "wait", "waitaof", "watch", "xack",
    "xadd", "xautoclaim", "xclaim", "xdel", "xgroup", "xinfo", "xlen", "xpending", "xrange", "xread",
    "xreadgroup", "xrevrange", "xsetid", "xtrim", "zadd", "zcard", "zcount", "zdiff", "zdiffstore", "zincrby",
    "zinter", "zintercard", "zinterstore", "zlexcount", "zmpop", "zmscore", "zpopmax", "zpopmin",
    "zrandmember", "zrange", "zrangebylex", "zrangebyscore", "zrangestore", "zrank", "zrem", "zremrangebylex",
    "zremrangebyrank", "zremrangebyscore", "zrevrange", "zrevrangebylex", "zrevrangebyscore", "zrevrank",
    "zscan", "zscore", "zunion", "zunionstore",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_lower_case() {
        assert!(NAMES.is_sorted_by(|a, b| a < b));
        assert!(NAMES.iter().all(|name| *name == name.to_ascii_lowercase()));
    }

    #[test]
    fn finds_every_name_in_any_case() {
        for name in NAMES {
            assert_eq!(command_name(name.to_ascii_uppercase().as_bytes()), Some(*name));
        }
        assert_eq!(command_name(b"EvalSha"), Some("evalsha"));
        assert_eq!(command_name(b"nonsense"), None);
        assert_eq!(command_name(b""), None);
        assert_eq!(command_name(b"\xff"), None);
    }
}
