//! The self time of functions in a CPU profile of V8.

use std::{
    collections::HashMap,
    fmt::{self, Display, Formatter},
};

use serde_json::Value;

/// The self time of each function per request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CpuProfile {
    /// The functions with their time in microseconds, longest first.
    functions: Vec<(Function, f64)>,
    requests: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Function {
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Wasm,
    JavaScript,
    /// The runtime: V8's own entries, such as `(garbage collector)`.
    Runtime,
}

impl CpuProfile {
    /// Sums the samples of a `Profiler.Profile` by function.
    #[expect(clippy::cast_precision_loss, reason = "microseconds and requests of minutes are far below 2^53")]
    pub(crate) fn new(profile: &Value, requests: usize) -> Self {
        let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let nodes = list(profile, "nodes");
        let of_node: HashMap<u64, Function> = nodes
            .iter()
            .filter_map(|node| Some((node.get("id")?.as_u64()?, Function::of(node.get("callFrame")?))))
            .collect();
        let mut times: HashMap<&Function, i64> = HashMap::new();
        for (sample, delta) in list(profile, "samples").iter().zip(list(profile, "timeDeltas")) {
            if let (Some(function), Some(delta)) = (sample.as_u64().and_then(|id| of_node.get(&id)), delta.as_i64()) {
                *times.entry(function).or_default() += delta;
            }
        }
        let per_request = |micros: i64| micros as f64 / requests.max(1) as f64;
        let mut functions: Vec<_> =
            times.into_iter().map(|(function, micros)| (function.clone(), per_request(micros))).collect();
        functions.sort_by(|(a, slow), (b, fast)| fast.total_cmp(slow).then_with(|| a.name.cmp(&b.name)));
        Self { functions, requests }
    }
}

impl Function {
    fn of(frame: &Value) -> Self {
        let text = |name| frame.get(name).and_then(Value::as_str).unwrap_or_default();
        let (name, url) = (text("functionName"), text("url"));
        let line = frame.get("lineNumber").and_then(Value::as_i64).unwrap_or_default() + 1;
        let kind = match url {
            _ if url.starts_with("wasm:") || name.starts_with("wasm-") => Kind::Wasm,
            "" => Kind::Runtime,
            _ => Kind::JavaScript,
        };
        let name = match (name, kind) {
            ("", Kind::JavaScript) => format!("(anonymous) {url}:{line}"),
            ("", _) => "(anonymous)".to_owned(),
            (name, _) => without_hash(name).to_owned(),
        };
        Self { name, kind }
    }
}

/// Removes the hash at the end of the name of a Rust function.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => path,
        _ => name,
    }
}

impl Display for CpuProfile {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let busy = self.functions.iter().filter(|(function, _)| function.name != IDLE);
        let of = |kind: Kind| busy.clone().filter(|(one, _)| one.kind == kind).map(|(_, micros)| micros).sum::<f64>();
        writeln!(f, "{HEADER}")?;
        for (Function { name, kind }, micros) in busy.clone().take(TOP) {
            writeln!(f, "{micros:>10.1}  {:<8} {name}", kind.name())?;
        }
        write!(
            f,
            "\n{:.1} µs of wasm, {:.1} µs of JavaScript and {:.1} µs of the runtime per request, in {} requests. The \
             profiler itself takes time: compare functions, not the sum.",
            of(Kind::Wasm),
            of(Kind::JavaScript),
            of(Kind::Runtime),
            self.requests
        )
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::JavaScript => "js",
            Self::Runtime => "runtime",
        }
    }
}

/// V8's entry for the time in which the isolate does nothing.
const IDLE: &str = "(idle)";
const HEADER: &str = "µs/request  in       function";
const TOP: usize = 25;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_have_no_hash() {
        assert_eq!(without_hash("a::b::h0123456789abcdef"), "a::b");
        assert_eq!(without_hash("a::hash"), "a::hash");
    }

    #[test]
    fn samples_are_summed_by_function() {
        let frame = |name: &str, url: &str| json!({ "functionName": name, "url": url, "lineNumber": 6 });
        let profile = json!({
            "nodes": [
                { "id": 1, "callFrame": frame("(idle)", "") },
                { "id": 2, "callFrame": frame("check", "wasm://wasm/1") },
                { "id": 3, "callFrame": frame("check", "wasm://wasm/1") },
                { "id": 4, "callFrame": frame("", "index.js") },
                { "id": 5, "callFrame": frame("(garbage collector)", "") },
            ],
            "samples": [1, 2, 3, 4, 5],
            "timeDeltas": [900, 10, 30, 20, 8],
        });
        let text = CpuProfile::new(&profile, 2).to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "      20.0  wasm     check");
        assert_eq!(lines[2], "      10.0  js       (anonymous) index.js:7");
        assert_eq!(lines[3], "       4.0  runtime  (garbage collector)");
        assert!(lines[5].starts_with("20.0 µs of wasm, 10.0 µs of JavaScript and 4.0 µs of the runtime"), "{text}");
        assert_eq!(lines.len(), 6);
    }
}
