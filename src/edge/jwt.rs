//! Identifies the sender of a request by its JSON Web Token: verifies the token, and fetches the keys when they are needed.
//!
//! A fetch goes on in `waitUntil` whatever becomes of the request that began it. The requests that need its result wait
//! until it has ended, each with a timer of its own: the runtime ends a request that only waits for another one.

use std::rc::Rc;
use std::time::Duration;

use js_sys::Object;
use js_sys::futures::JsFuture;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Response};
use worker::{Context, Delay};

use super::js::{discard_body, error_message, fetch, now, object, read_body};
use super::log;
use super::web_crypto::WebCrypto;
use crate::admin::TokenResult;
use crate::config::OnOutage;
use crate::config::jwt::{JwtRules, KeySet, KeysFrom};
use crate::gateway::RoutedRequest;
use crate::http::problem::Problem;
use crate::jwt::{FETCH_TIMEOUT, KeyStatus, Token, TokenVerifier, Verification};
use crate::redis::Deadline;
use crate::tenant::Caller;
use crate::time::Millis;

/// What this isolate needs to verify tokens.
pub(super) struct Jwt {
    pub(super) verifier: TokenVerifier,
    crypto: WebCrypto,
}

impl Jwt {
    pub(super) fn new(rules: &JwtRules, keys: Option<KeySet>) -> Self {
        Jwt { verifier: TokenVerifier::new(rules.clone(), keys), crypto: WebCrypto::default() }
    }
}

/// Resolves a token to its subject. The wait for the keys ends at the deadline.
///
/// # Errors
/// Returns the refusal if the token is not valid, or if the keys are unavailable and the request must not pass without.
pub(super) async fn identify(
    jwt: &Rc<Jwt>,
    context: &Context,
    deadline: &Deadline,
    request: &RoutedRequest<'_>,
    token: &Token,
) -> Result<Caller, Problem> {
    let retry = match verify(jwt, context, deadline, token).await {
        Ok(Ok(identity)) => return Ok(Caller::Subject(identity)),
        Ok(Err(reason)) => return Err(Problem::invalid_token(reason)),
        Err(retry) => retry,
    };
    match request.without_token_keys() {
        OnOutage::Closed => {
            log::outage(&UNAVAILABLE, OnOutage::Closed, "refused the request");
            Err(Problem::token_keys_unavailable(retry))
        }
        policy @ (OnOutage::Open | OnOutage::Local) => {
            log::outage(
                &UNAVAILABLE,
                policy,
                "could not verify the token, and limited the client by what comes next in identify",
            );
            Ok(Caller::Anonymous)
        }
    }
}

/// Verifies a token, and fetches the keys for it if they are needed. The wait for them ends at the deadline.
pub(super) async fn verify(jwt: &Rc<Jwt>, context: &Context, deadline: &Deadline, token: &Token) -> TokenResult {
    loop {
        let verification = match jwt.verifier.verify(token, &jwt.crypto, now()).await {
            Ok(verification) => verification,
            Err(reason) => return Ok(Err(reason)),
        };
        let begins =
            matches!(verification, Verification::Valid { refresh: true, .. } | Verification::Wait { begin: true });
        if begins {
            let jwt = Rc::clone(jwt);
            context.wait_until(async move { fetch_keys(&jwt).await });
        }
        match verification {
            Verification::Valid { identity, .. } => return Ok(Ok(identity)),
            Verification::Unavailable(retry) => return Err(retry),
            Verification::Wait { .. } => {}
        }
        if !wait_for_keys(jwt, deadline).await {
            return Err(RETRY);
        }
    }
}

/// Waits until no fetch is under way. Returns false if the deadline passes first.
async fn wait_for_keys(jwt: &Jwt, deadline: &Deadline) -> bool {
    while jwt.verifier.is_fetching(now()) {
        if deadline.bound(Delay::from(POLL_EVERY)).await.is_none() {
            return false;
        }
    }
    true
}

/// Fetches the keys if they have a URL, whether or not it is time to, and returns their state.
pub(super) async fn probe(jwt: &Jwt) -> KeyStatus {
    fetch_keys(jwt).await;
    jwt.verifier.status(now())
}

/// Fetches the keys.
async fn fetch_keys(jwt: &Jwt) {
    let KeysFrom::Url(url) = &jwt.verifier.rules().keys else { return };
    let text = download(url).await;
    if let Err(reason) = jwt.verifier.fetched(text, now()) {
        log::failure("jwt keys", &format!("they cannot be fetched: {reason}"));
    }
}

/// Downloads the body at `url`.
async fn download(url: &str) -> Result<Vec<u8>, String> {
    let error = |error: JsValue| error_message(&error);
    let signal = AbortSignal::timeout_with_u32(u32::try_from(FETCH_TIMEOUT.get()).unwrap_or(u32::MAX));
    let headers = object([("accept", "application/json".into())]);
    let options = object([("redirect", "manual".into()), ("headers", headers), ("signal", signal.into())]);
    let options: &Object = options.unchecked_ref();
    let response: Response = JsFuture::from(fetch(url, options)).await.map_err(error)?.unchecked_into();
    if response.status() != 200 {
        discard_body(&response);
        return Err(format!("the server answered with status {}", response.status()));
    }
    match response.body() {
        Some(body) => read_body(&body, KeySet::MAX_BYTES, 0).await.map_err(error),
        None => Ok(Vec::new()),
    }
}

/// What the log says when a token cannot be verified.
const UNAVAILABLE: &str = "the keys that verify tokens are unavailable";

/// How often a request looks whether the fetch of the keys has ended. It costs little, and few requests wait.
const POLL_EVERY: Duration = Duration::from_millis(10);

/// When a client may retry whose request did not wait longer for a fetch that is under way.
const RETRY: Millis = Millis::from_secs(1);
