//! The functions of `glue.js`: what each request needs of JavaScript, in one crossing each.

use js_sys::{Function, Object, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{ReadableStream, Request, Response};

#[wasm_bindgen(module = "/src/edge/glue.js")]
extern "C" {
    /// Returns a line with the method, a line with the URL, and the lines of the headers (see
    /// [`Fields`](crate::http::Fields)).
    #[wasm_bindgen(js_name = readRequest)]
    pub(super) fn read_request(request: &Request) -> String;

    /// Returns a line with the client's country, and one with the number of its network. What is not known is empty.
    #[wasm_bindgen(js_name = readPlace)]
    pub(super) fn read_place(request: &Request) -> String;

    /// Returns a line with the status, and the lines of the headers.
    #[wasm_bindgen(js_name = readResponse)]
    pub(super) fn read_response(response: &Response) -> String;

    /// Fetches a copy of `request` from `url` without the headers `dropped`, one name a line, and with the headers `set`,
    /// in lines, or has the binding `service` fetch it. If the client disconnects, the fetch ends.
    ///
    /// # Errors
    /// Fails if the URL is not valid. The promise is rejected if there is no response.
    #[wasm_bindgen(catch, js_name = fetchOnward)]
    pub(super) fn fetch_onward(
        url: &str,
        request: &Request,
        dropped: &str,
        set: &str,
        options: &Object,
        service: Option<&JsValue>,
    ) -> Result<Promise, JsValue>;

    /// Copies a response, without the headers `dropped`, one name a line, with `body` if it is not `None`, and with the
    /// headers `added`, in lines, after those that it has.
    ///
    /// # Errors
    /// Fails if the body has been used, or if a header is not valid.
    #[wasm_bindgen(catch, js_name = copyResponse)]
    pub(super) fn copy_response(
        response: &Response,
        body: Option<&ReadableStream>,
        dropped: &str,
        added: &str,
    ) -> Result<Response, JsValue>;

    /// Makes a response with these headers, in lines. Of several with the same name, the last one counts.
    ///
    /// # Errors
    /// Fails if the status or a header is not valid.
    #[wasm_bindgen(catch, js_name = makeResponse)]
    pub(super) fn make_response(status: u16, body: Option<&str>, headers: &str) -> Result<Response, JsValue>;

    /// Says whether a call to Redis is polled; then `AbortController.abort` does nothing.
    #[wasm_bindgen(js_name = setPolling)]
    pub(super) fn set_polling(value: bool);

    /// Keeps the request of `context` alive until the returned function is called.
    #[wasm_bindgen(js_name = keepAlive)]
    pub(super) fn keep_alive(context: &JsValue) -> Function;
}
