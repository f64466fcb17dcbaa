//! The request in the body of `POST /explain`.

use std::net::IpAddr;

use serde_json::Value;
use url::Url;

use super::input;
use crate::config::json::{InvalidInput, Object, Problems, expected, join, members, text};
use crate::config::{Config, is_header_name};
use crate::gateway::RequestToExplain;
use crate::http::{CLIENT_ADDRESS, push_field};

/// A request to explain.
#[derive(Debug)]
pub(super) struct ExplainInput {
    pub(super) request: RequestToExplain,
    /// The plan of the tenant of the API key.
    pub(super) plan: Option<String>,
}

/// Reads a request. `more` are the fields that it may have besides those of the API.
pub(super) fn read(body: &Value, config: &Config, more: &[&str]) -> Result<ExplainInput, InvalidInput> {
    let known = [&FIELDS[..], more].concat();
    input::read(body, &known, Problems::default(), |object, problems| {
        input::refuse_null(body, &known, problems);
        let method = object.required("method", method, problems);
        let path = object.required("path", path, problems);
        let mut fields = headers(object, problems);
        if let Some(address) = object.optional("address", address, problems) {
            push_field(&mut fields.lines, CLIENT_ADDRESS, &address.to_string());
        }
        let country = object.optional("country", country, problems).unwrap_or_default();
        let asn = object.optional("asn", asn, problems).unwrap_or_default();
        let body = object.optional("body", body_bytes, problems);
        let plan = object.optional(PLAN, |name| Ok(input::plan(name, config)?.0.clone()), problems);
        let (method, path) = method.zip(path)?;
        let url = url_of(fields.host.as_deref().unwrap_or(UNKNOWN_HOST), &path);
        if url.is_none() {
            problems.push("headers.host", "is not the name of a host");
        }
        let url = url?;
        let request = RequestToExplain::read(&method, url, fields.lines, config);
        Some(ExplainInput { request: request.from_place(country, asn).with_body(body), plan })
    })
}

/// Returns the URL of a path; `None` if the host has other parts of a URL in it, or is none.
fn url_of(host: &str, path: &str) -> Option<Url> {
    let is_host = !host.contains(['/', '\\', '?', '#', '@']);
    is_host.then(|| Url::parse(&format!("https://{host}{path}")).ok())?
}

/// The header fields of a request.
#[derive(Debug, Default)]
struct Headers {
    /// In the form of [`Fields`](crate::http::Fields).
    lines: String,
    host: Option<String>,
}

fn headers(object: &Object<'_>, problems: &mut Problems) -> Headers {
    let mut headers = Headers::default();
    let mut names: Vec<String> = Vec::new();
    let given = object.get(HEADERS).and_then(|value| members(value, HEADERS, problems));
    for (name, value) in given.into_iter().flatten() {
        let lower = name.to_ascii_lowercase();
        let value = match header(&lower, value) {
            Ok(_) if names.contains(&lower) => Err("is given twice (the case of a name does not count)".to_owned()),
            other => other,
        };
        match value {
            Ok(value) => {
                push_field(&mut headers.lines, &lower, value);
                headers.host = headers.host.or_else(|| (lower == "host").then(|| value.to_owned()));
                names.push(lower);
            }
            Err(problem) => problems.push(join(HEADERS, name), problem),
        }
    }
    headers
}

fn header<'v>(name: &str, value: &'v Value) -> Result<&'v str, String> {
    if name == CLIENT_ADDRESS {
        return Err("is set by Cloudflare (give address)".to_owned());
    }
    if !is_header_name(name) || name.len() > MAX_NAME {
        return Err(format!("is not the name of a header, of at most {MAX_NAME} bytes"));
    }
    let is_value = |text: &&str| text.len() <= MAX_VALUE && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let what = format!("a text of at most {MAX_VALUE} visible ASCII characters and spaces");
    value.as_str().filter(is_value).map(str::trim).ok_or_else(|| expected(&what, value))
}

fn method(value: &Value) -> Result<String, String> {
    let text = text(value)?;
    let is_method = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_method { Ok(text) } else { Err(format!("expected a method in capitals, found {text:?}")) }
}

fn path(value: &Value) -> Result<String, String> {
    let path = text(value)?;
    let is_path = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if is_path && path.len() <= MAX_PATH {
        return Ok(path);
    }
    Err(format!(
        "expected a path like \"/v1/chat?stream=1\", of at most {MAX_PATH} visible ASCII characters without \"#\""
    ))
}

fn address(value: &Value) -> Result<IpAddr, String> {
    text(value)?.parse().map_err(|_| "expected an IPv4 or IPv6 address".to_owned())
}

fn country(value: &Value) -> Result<String, String> {
    let text = text(value)?;
    match text.as_bytes() {
        [first, second] if first.is_ascii_uppercase() && (second.is_ascii_uppercase() || second.is_ascii_digit()) => {
            Ok(text)
        }
        _ => Err(format!("expected two capitals like \"DE\", found {text:?}")),
    }
}

fn asn(value: &Value) -> Result<String, String> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number.map(|number| number.to_string()).ok_or_else(|| expected("a number from 0 to 4294967295", value))
}

fn body_bytes(value: &Value) -> Result<Vec<u8>, String> {
    match value {
        Value::String(text) => Ok(text.clone().into_bytes()),
        Value::Object(_) | Value::Array(_) => Ok(value.to_string().into_bytes()),
        _ => Err(expected("a text, or an object or a list, which is sent as JSON", value)),
    }
}

const FIELDS: [&str; 7] = ["method", "path", HEADERS, "address", "country", "asn", "body"];
const HEADERS: &str = "headers";

/// The field for the plan of the tenant.
pub(super) const PLAN: &str = "plan";

/// The host of a request without the header `host`. No real host has such a name (RFC 6761, section 6.4).
const UNKNOWN_HOST: &str = "host.invalid";

/// The longest name of a header, in bytes.
const MAX_NAME: usize = 128;

/// The longest value of a header, in bytes: that of a token.
const MAX_VALUE: usize = 16 * 1024;

/// The longest path with its query, in bytes.
const MAX_PATH: usize = 8192;
