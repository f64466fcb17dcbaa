//! The configuration of a workerd process, in Cap'n Proto's text format (workerd's source,
//! `src/workerd/server/workerd.capnp`).

use std::{fmt::Write, net::SocketAddr};

use serde_json::Value;

use super::{
    compatibility::Compatibility,
    module::{Code, Module},
};

/// A Worker to serve.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Its code; the first module is the main one, whatever its name.
    pub modules: Vec<Module>,
    /// Its variables.
    pub bindings: Vec<Binding>,
    /// The behavior of the runtime it needs.
    pub compatibility: Compatibility,
    /// The server of all hosts that are not addresses of this machine, as on a zone: it gets what the Worker fetches from
    /// them. Without it, the Worker can fetch from loopback only.
    pub zone: Option<SocketAddr>,
    /// Whether to serve the inspector (Chrome `DevTools` Protocol). It slows the Worker down.
    pub inspector: bool,
}

/// A variable of a Worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// Its name in `env`.
    pub name: &'static str,
    /// Its value: a string is bound as text, any other value as the object it is.
    pub value: Value,
}

impl Config {
    /// Returns the text of the configuration file.
    ///
    /// It has one HTTP socket, on a port of 127.0.0.1 that workerd chooses.
    pub(super) fn text(&self) -> String {
        let mut text = String::from(HEAD);
        text.push_str("      modules = [\n");
        for Module { name, code } in &self.modules {
            let kind = match code {
                Code::Script(_) => "esModule",
                Code::Wasm(_) => "wasm",
            };
            line(&mut text, &format!("(name = {}, {kind} = embed {})", quoted(&format!("./{name}")), quoted(name)));
        }
        text.push_str("      ],\n      bindings = [\n");
        for Binding { name, value } in &self.bindings {
            let value = match value {
                Value::String(value) => format!("text = {}", quoted(value)),
                value => format!("json = {}", quoted(&value.to_string())),
            };
            line(&mut text, &format!("(name = {}, {value})", quoted(name)));
        }
        text.push_str("      ],\n      compatibilityFlags = [\n");
        for flag in &self.compatibility.flags {
            line(&mut text, &quoted(flag));
        }
        let _ = writeln!(text, "      ],\n      compatibilityDate = {},", quoted(&self.compatibility.date));
        let outbound = if self.zone.is_some() { "outbound" } else { "loopback" };
        let _ = write!(text, "      globalOutbound = {},\n    )),\n", quoted(outbound));
        if let Some(zone) = self.zone {
            text.push_str(&outbound_services(zone));
        }
        text.push_str(TAIL);
        text
    }
}

/// Returns the service that chooses where a fetch of the Worker goes, and the zone's server.
fn outbound_services(zone: SocketAddr) -> String {
    format!(
        "    (name = \"outbound\", worker = (
      serviceWorkerScript = {},
      bindings = [(name = \"LOOPBACK\", service = \"loopback\"), (name = \"ZONE\", service = \"zone\")],
      compatibilityDate = \"2026-01-01\",
    )),
    (name = \"zone\", external = (address = {}, http = ())),
",
        quoted(OUTBOUND),
        quoted(&zone.to_string()),
    )
}

fn line(text: &mut String, item: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "        {item},");
}

/// Returns a string literal of Cap'n Proto, which has the escapes of C.
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

/// The name of the socket when workerd reports its port.
pub(super) const SOCKET: &str = "http";

const HEAD: &str = r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
"#;

const TAIL: &str = r#"    (name = "loopback", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
"#;

/// Passes each request on, also one for a WebSocket. No response is decoded on the way.
const OUTBOUND: &str = "addEventListener('fetch', (event) => {
  const isLocal = new URL(event.request.url).hostname === '127.0.0.1';
  event.respondWith((isLocal ? LOOPBACK : ZONE).fetch(event.request, { encodeResponseBody: 'manual' }));
});";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn modules_and_bindings_are_listed() {
        let config = Config {
            modules: vec![
                Module { name: "index.js", code: Code::Script(Vec::new()) },
                Module { name: "index_bg.wasm", code: Code::Wasm(Vec::new()) },
            ],
            bindings: vec![
                Binding { name: "ORIGIN", value: json!("http://127.0.0.1:1") },
                Binding { name: "SLUICEGATE", value: json!({ "a": ["b"] }) },
            ],
            compatibility: Compatibility { date: "2026-01-02".to_owned(), flags: vec!["x".to_owned()] },
            zone: None,
            inspector: false,
        };
        let text = config.text();
        for line in [
            r#"(name = "./index.js", esModule = embed "index.js"),"#,
            r#"(name = "./index_bg.wasm", wasm = embed "index_bg.wasm"),"#,
            r#"(name = "ORIGIN", text = "http://127.0.0.1:1"),"#,
            r#"(name = "SLUICEGATE", json = "{\"a\":[\"b\"]}"),"#,
            r#""x","#,
            r#"compatibilityDate = "2026-01-02","#,
            r#"globalOutbound = "loopback","#,
            &format!(r#"sockets = [(name = "{SOCKET}", address = "127.0.0.1:0", http = (), service = "main")],"#),
        ] {
            assert!(text.lines().any(|found| found.trim() == line), "{line} is not in {text}");
        }
        let text = Config { zone: "127.0.0.1:9".parse().ok(), ..config }.text();
        assert!(
            text.contains(r#"globalOutbound = "outbound","#) && text.contains(r#"address = "127.0.0.1:9""#),
            "{text}"
        );
    }

    #[test]
    fn every_byte_is_safe_in_a_literal() {
        assert_eq!(quoted("a\"b\\c\n\u{e9}"), r#""a\"b\\c\x0a\xc3\xa9""#);
    }
}
