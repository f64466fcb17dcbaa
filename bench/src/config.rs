//! The configuration of a workerd process, in Cap'n Proto's text format
//! (workerd's source, `src/workerd/server/workerd.capnp`).

use std::fmt::Write;

use serde_json::Value;

use crate::compatibility::Compatibility;

/// A Worker's code: files beside the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Module {
    /// An ECMAScript module.
    Script(&'static str),
    /// WebAssembly.
    Wasm(&'static str),
}

/// A variable of the Worker.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Binding {
    /// Its name in `env`.
    pub(crate) name: &'static str,
    /// A string is bound as text, anything else as the object it is.
    pub(crate) value: Value,
}

/// One Worker behind one HTTP socket of 127.0.0.1, at a port that workerd chooses; it may fetch from loopback.
pub(crate) fn text(modules: &[Module], compatibility: &Compatibility, bindings: &[Binding]) -> String {
    let mut text = String::from(HEAD);
    text.push_str("      modules = [\n");
    for module in modules {
        // A module imports another as "./file", and the first one is the main one, whatever its name.
        let (kind, file) = match module {
            Module::Script(file) => ("esModule", file),
            Module::Wasm(file) => ("wasm", file),
        };
        line(&mut text, &format!("(name = {}, {kind} = embed {})", quoted(&format!("./{file}")), quoted(file)));
    }
    text.push_str("      ],\n      bindings = [\n");
    for Binding { name, value } in bindings {
        let value = match value {
            Value::String(value) => format!("text = {}", quoted(value)),
            value => format!("json = {}", quoted(&value.to_string())),
        };
        line(&mut text, &format!("(name = {}, {value})", quoted(name)));
    }
    text.push_str("      ],\n      compatibilityFlags = [\n");
    for flag in &compatibility.flags {
        line(&mut text, &quoted(flag));
    }
    let _ = writeln!(text, "      ],\n      compatibilityDate = {},", quoted(&compatibility.date));
    text.push_str(TAIL);
    text
}

fn line(text: &mut String, item: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "        {item},");
}

/// A string literal of Cap'n Proto, which has the escapes of C.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=b'~' => quoted.push(char::from(byte)),
            _ => {
                let _ = write!(quoted, "\\x{byte:02x}");
            }
        }
    }
    quoted.push('"');
    quoted
}

/// The socket's name in workerd's report of its port.
pub(crate) const SOCKET: &str = "http";

const HEAD: &str = r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
"#;

const TAIL: &str = r#"      globalOutbound = "loopback",
    )),
    (name = "loopback", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn modules_and_bindings_are_listed() {
        let compatibility = Compatibility { date: "2026-01-02".to_owned(), flags: vec!["x".to_owned()] };
        let bindings = [
            Binding { name: "ORIGIN", value: json!("http://127.0.0.1:1") },
            Binding { name: "SLUICEGATE", value: json!({ "a": ["b"] }) },
        ];
        let text = text(&[Module::Script("index.js"), Module::Wasm("index_bg.wasm")], &compatibility, &bindings);
        for line in [
            r#"(name = "./index.js", esModule = embed "index.js"),"#,
            r#"(name = "./index_bg.wasm", wasm = embed "index_bg.wasm"),"#,
            r#"(name = "ORIGIN", text = "http://127.0.0.1:1"),"#,
            r#"(name = "SLUICEGATE", json = "{\"a\":[\"b\"]}"),"#,
            r#""x","#,
            r#"compatibilityDate = "2026-01-02","#,
            &format!(r#"sockets = [(name = "{SOCKET}", address = "127.0.0.1:0", http = (), service = "main")],"#),
        ] {
            assert!(text.lines().any(|found| found.trim() == line), "{line} is not in {text}");
        }
    }

    #[test]
    fn no_text_ends_its_literal() {
        assert_eq!(quoted("a\"b\\c\n\u{e9}"), r#""a\"b\\c\x0a\xc3\xa9""#);
    }
}
