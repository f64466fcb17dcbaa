//! Node.js as the host. The calls are in `npm/commands/host.js`.

use std::path::Path;

use js_sys::{Array, Reflect, Uint8Array};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use sluicegate::time::Millis;
use wasm_bindgen::prelude::*;

use super::reply::{Reply, TIMEOUT, USER_AGENT};
use crate::failure::Failure;

// As the module with the WebAssembly sees it, in `dist/` of the npm package.
#[wasm_bindgen(raw_module = "../commands/host.js")]
extern "C" {
    #[wasm_bindgen(js_name = readFile, catch)]
    fn read_file(path: &str) -> Result<Vec<u8>, JsValue>;
    #[wasm_bindgen(js_name = writeFile, catch)]
    fn write_file(path: &str, text: &str) -> Result<(), JsValue>;
    fn environment(name: &str) -> Option<String>;
    #[wasm_bindgen(js_name = runWrangler, catch)]
    fn run_wrangler(arguments: Vec<String>, text: Option<String>) -> Result<Ran, JsValue>;
    #[wasm_bindgen(catch)]
    async fn exchange(request: Array, milliseconds: u32) -> Result<Response, JsValue>;

    type Ran;
    #[wasm_bindgen(method, getter)]
    fn success(this: &Ran) -> bool;
    #[wasm_bindgen(method, getter)]
    fn stdout(this: &Ran) -> String;
    #[wasm_bindgen(method, getter)]
    fn stderr(this: &Ran) -> String;

    type Response;
    #[wasm_bindgen(method, getter)]
    fn status(this: &Response) -> u16;
    /// Names and values in turn.
    #[wasm_bindgen(method, getter)]
    fn headers(this: &Response) -> Vec<String>;
    #[wasm_bindgen(method, getter)]
    fn body(this: &Response) -> Vec<u8>;
}

/// Reads a file.
///
/// # Errors
/// Returns the system's message.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let bytes = read_file(&path.to_string_lossy()).map_err(message)?;
    String::from_utf8(bytes).map_err(|_| "stream did not contain valid UTF-8".to_owned())
}

/// Writes a file.
///
/// # Errors
/// Returns the system's message.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    write_file(&path.to_string_lossy(), text).map_err(message)
}

/// Returns a variable of the environment.
pub(crate) fn variable(name: &str) -> Option<String> {
    environment(name)
}

/// Returns the current time.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number of milliseconds since 1970"
)]
pub(crate) fn now() -> Millis {
    Millis::new(js_sys::Date::now() as u64)
}

/// Runs `npx wrangler` with these arguments and returns what it prints. A text is passed in a file, as `--path`.
pub(crate) async fn wrangler(arguments: &[String], text: Option<&str>) -> Result<String, Failure> {
    let ran = run_wrangler(arguments.to_vec(), text.map(str::to_owned));
    let ran = ran.map_err(|error| Failure::no_npx(&message(error)))?;
    if ran.success() {
        return Ok(ran.stdout().trim().to_owned());
    }
    Err(Failure::of_wrangler(ran.stdout().trim(), ran.stderr().trim()))
}

/// An HTTP client that follows no redirect.
pub(crate) struct Http(reqwest::Client);

impl Http {
    /// Creates a client.
    #[expect(clippy::unnecessary_wraps, reason = "as the native one")]
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Http(reqwest::Client::new()))
    }

    /// Begins a request.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.0.request(method, url)
    }

    /// Sends a request.
    ///
    /// # Errors
    /// Returns the reason in words if there is no response.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Reply, String> {
        let request = request.build().map_err(|error| error.to_string())?;
        let header = |name: &str, value: &[u8]| [name.to_owned(), String::from_utf8_lossy(value).into_owned()];
        let mut headers = header("user-agent", USER_AGENT.as_bytes()).to_vec();
        headers.extend(request.headers().iter().flat_map(|(name, value)| header(name.as_str(), value.as_bytes())));
        let body = request.body().and_then(reqwest::Body::as_bytes).map(Uint8Array::from);
        let sent = Array::new();
        sent.push(&request.method().as_str().into());
        sent.push(&request.url().as_str().into());
        sent.push(&headers.into_iter().map(JsValue::from).collect::<Array>());
        sent.push(&body.map_or(JsValue::UNDEFINED, Into::into));

        let milliseconds = u32::try_from(TIMEOUT.as_millis()).unwrap_or(u32::MAX);
        let response = exchange(sent, milliseconds).await.map_err(message)?;
        let mut headers = HeaderMap::new();
        let mut words = response.headers().into_iter();
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.append(name, value);
            }
        }
        let status = StatusCode::from_u16(response.status()).map_err(|error| error.to_string())?;
        Ok(Reply { status, headers, body: response.body() })
    }
}

/// Returns the message of an error.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn message(error: JsValue) -> String {
    let text = Reflect::get(&error, &"message".into()).ok().and_then(|text| text.as_string());
    text.unwrap_or_else(|| format!("{error:?}"))
}
