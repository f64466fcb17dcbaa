//! The functions of `bodies.js`: bodies that are read on their way.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use js_sys::futures::JsFuture;
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ReadableStream, Request, WritableStream};
use worker::Delay;

use super::facts::ClientRequest;
use crate::config::costs::RequestReading;
use crate::http::problem::Problem;
use crate::http::usage::{BodyMemory, Usage, UsageMeter, body_to_read, read_request};
use crate::redis::Deadline;
use crate::time::Millis;

#[wasm_bindgen(module = "/src/edge/bodies.js")]
extern "C" {
    /// Passes a body on and shows each piece to `see`. Resolves to whether the body has come to its end.
    #[wasm_bindgen(js_name = passBody)]
    fn pass_body(body: &ReadableStream, writable: &WritableStream, see: &Closure<dyn FnMut(Vec<u8>)>) -> Promise;

    /// Reads the body of a request. Resolves to its bytes; if there are more than `most`, to a copy of the request that has
    /// all of them.
    ///
    /// The promise is rejected if the body is cut.
    #[wasm_bindgen(js_name = readBody)]
    fn read_body(request: &Request, most: u32) -> Promise;

    /// Copies a request whose body has been read.
    ///
    /// # Errors
    /// Fails if the request cannot have a body.
    #[wasm_bindgen(catch, js_name = withBody)]
    fn with_body(request: &Request, body: &Uint8Array) -> Result<Request, JsValue>;
}

/// The body of a response on its way to the client, and what is read of it.
pub(super) struct MeteredBody {
    meter: Rc<RefCell<Option<UsageMeter>>>,
    /// Called with each piece, for as long as this value lives.
    _see: Closure<dyn FnMut(Vec<u8>)>,
    passed: Promise,
}

impl MeteredBody {
    /// Passes a body on to a stream, and shows it to a meter.
    pub(super) fn pass(body: &ReadableStream, to: &WritableStream, meter: UsageMeter) -> Self {
        let meter = Rc::new(RefCell::new(Some(meter)));
        let fed = Rc::clone(&meter);
        let see = Closure::new(move |piece: Vec<u8>| {
            if let Some(meter) = fed.borrow_mut().as_mut() {
                meter.feed(&piece);
            }
        });
        let passed = pass_body(body, to, &see);
        MeteredBody { meter, _see: see, passed }
    }

    /// Waits for the end of the body, or until the client has disconnected, and returns what it reports.
    pub(super) async fn usage(self) -> Usage {
        let is_whole = JsFuture::from(self.passed).await.is_ok_and(|whole| whole.is_truthy());
        let meter = self.meter.borrow_mut().take();
        meter.map(|meter| meter.finish(is_whole)).unwrap_or_default()
    }
}

/// What a request tells, and the request to forward in its place, if its body was read.
pub(super) struct ToldRequest {
    /// The cost in units, if the request tells one.
    pub(super) cost: Option<u64>,
    /// A request with the same body, or with the one that the route wants instead.
    pub(super) request: Option<Request>,
}

/// Reads what a route needs of a request.
///
/// # Errors
/// Returns the refusal if the body has a key twice, is cut or does not arrive in time, or if too many are being read.
pub(super) async fn read(reading: &RequestReading, client: &ClientRequest<'_>) -> Result<ToldRequest, Problem> {
    let most = body_to_read(reading, &client.facts.method, client.fields);
    let most = most.filter(|_| client.request.body().is_some());
    let mut told = ToldRequest { cost: None, request: None };
    let mut bytes = None;
    if let Some(most) = most {
        let length = client.fields.get("content-length").and_then(|length| length.trim().parse().ok());
        let reserved = MEMORY.with(|memory| memory.reserve(length.unwrap_or(most as u64)));
        let _reserved = reserved.ok_or_else(Problem::too_many_bodies)?;
        let read = read_body(client.request, u32::try_from(most).unwrap_or(u32::MAX));
        let in_time = Deadline::new(Delay::from(Duration::from(LONGEST))).bound(JsFuture::from(read)).await;
        let read = in_time.ok_or_else(|| Problem::slow_body(LONGEST))?;
        match read.map_err(|_| Problem::truncated_body())?.dyn_into::<Uint8Array>() {
            Ok(whole) => bytes = Some(whole),
            Err(longer) => told.request = Some(longer.unchecked_into()),
        }
    }
    let body = bytes.as_ref().map(Uint8Array::to_vec);
    let read = read_request(reading, client.fields, body.as_deref())?;
    told.cost = read.cost;
    if let Some(bytes) = bytes {
        let body = read.body.as_deref().map_or(bytes, Uint8Array::from);
        told.request = Some(with_body(client.request, &body).map_err(|_| Problem::truncated_body())?);
    }
    Ok(told)
}

thread_local! {
    static MEMORY: BodyMemory = BodyMemory::new(MOST_MEMORY);
}

/// A quarter of the memory of an isolate (Cloudflare, Workers limits: 128 MB). Without a bound, clients that send
/// bodies slowly could take all of it.
const MOST_MEMORY: u64 = 32 << 20;

/// The time for a body.
const LONGEST: Millis = Millis::from_secs(30);
