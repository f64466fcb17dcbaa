//! Reads the configuration from its source, and again while the Worker runs if it is in KV.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use js_sys::futures::JsFuture;
use wasm_bindgen::JsValue;
use worker::{Context, Env};

use super::isolate::{Isolate, variable};
use super::js::{KvNamespace, binding, error_message, now, property};
use super::log;
use crate::config::source::{CONFIG_FILE, CONFIG_KEY, CONFIG_KV, ConfigSource, Refresh};
use crate::time::Millis;

/// The configuration in force, with all that belongs to it.
#[derive(Default)]
struct State {
    /// `None` before the first request. An error stays only if the source cannot change.
    isolate: Option<Result<Rc<Isolate>, String>>,
    /// Where it comes from.
    source: Option<ConfigSource>,
    /// When to read the source again.
    refresh: Option<Refresh>,
    /// The time from which a source that failed on the first attempt is read again.
    retry_at: Option<Millis>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Returns the state of this isolate. The first call reads the configuration.
///
/// # Errors
/// Returns the reason if the configuration is invalid or cannot be read.
pub(super) async fn current(env: &Env) -> Result<Rc<Isolate>, String> {
    let known = STATE.with_borrow_mut(|state| {
        let is_retried = state.retry_at.is_some_and(|at| now() >= at);
        if is_retried {
            state.retry_at = Some(soon());
        }
        state.isolate.clone().filter(|_| !is_retried)
    });
    match known {
        Some(known) => known,
        None => first(env).await,
    }
}

/// Reads a configuration that may have changed, after the response and once per time to live.
pub(super) fn refresh_later(env: &Env, context: &Context) {
    if let Some(refresh) = refresh_if_due(env) {
        context.wait_until(refresh);
    }
}

/// Returns the work to read a configuration that may have changed; `None` if it is not due.
pub(super) fn refresh_if_due(env: &Env) -> Option<impl Future<Output = ()> + 'static> {
    let due = STATE.with_borrow_mut(|state| state.refresh.as_mut().is_some_and(|refresh| refresh.begin(now())));
    due.then(|| refresh(env.clone()))
}

/// Returns why the configuration that was read last is not in force.
pub(super) fn rejected() -> Option<String> {
    STATE.with_borrow(|state| state.refresh.as_ref()?.rejected().map(str::to_owned))
}

/// Returns where the configuration in force comes from; `None` before the first request.
pub(super) fn found() -> Option<ConfigSource> {
    STATE.with_borrow(|state| state.source.clone())
}

/// Reads the configuration for the first time.
async fn first(env: &Env) -> Result<Rc<Isolate>, String> {
    let kv: Option<KvNamespace> = binding(env, CONFIG_KV);
    let source = ConfigSource::find(|name| variable(env, name), kv.is_some()).map_err(|error| error.to_string());
    let (may_change, found) = (kv.is_some(), source.clone().ok());
    let (isolate, refresh) = match (source, kv) {
        (Ok(ConfigSource::Kv { ttl }), Some(kv)) => match read(&kv).await {
            Ok(text) => {
                let isolate = Isolate::new(env, Some(&text)).map(Rc::new);
                let refresh = isolate.is_ok().then(|| Refresh::new(ttl, text, now()));
                (isolate, refresh)
            }
            Err(reason) => (Err(reason), None),
        },
        (Ok(ConfigSource::File(name)), _) => {
            (bundled(&name).and_then(|text| Isolate::new(env, Some(&text))).map(Rc::new), None)
        }
        (Ok(ConfigSource::Variable | ConfigSource::Kv { .. }), _) => (Isolate::new(env, None).map(Rc::new), None),
        (Err(reason), _) => (Err(reason), None),
    };
    STATE.with_borrow_mut(|state| {
        // Another request may have been faster.
        if let Some(Ok(isolate)) = &state.isolate {
            return Ok(Rc::clone(isolate));
        }
        state.retry_at = (isolate.is_err() && may_change).then(soon);
        state.source = found;
        state.refresh = refresh;
        state.isolate = Some(isolate.clone());
        isolate
    })
}

/// Reads the configuration from KV and puts it in force if it is valid.
async fn refresh(env: Env) {
    let Some(kv) = binding::<KvNamespace>(&env, CONFIG_KV) else { return };
    let read = read(&kv).await;
    STATE.with_borrow_mut(|state| {
        let Some(refresh) = &mut state.refresh else { return };
        let rejected = match read {
            Ok(text) if !refresh.differs(&text) => return,
            Ok(text) => match Isolate::new(&env, Some(&text)) {
                Ok(mut isolate) => {
                    if let Some(Ok(former)) = &state.isolate {
                        isolate.keep_token_keys(former);
                    }
                    state.isolate = Some(Ok(Rc::new(isolate)));
                    refresh.accept(text);
                    return log::configuration_changed();
                }
                Err(reason) => reason,
            },
            Err(reason) => reason,
        };
        if refresh.reject(rejected.clone()) {
            log::failure("configuration", &format!("{rejected} (the last one stays in force)"));
        }
    });
}

/// Reads the text in KV.
async fn read(kv: &KvNamespace) -> Result<String, String> {
    let value = match kv.get(CONFIG_KEY) {
        Ok(promise) => JsFuture::from(promise).await,
        Err(error) => Err(error),
    };
    let value = value.map_err(|error| format!("{CONFIG_KV}: cannot be read: {}", error_message(&error)))?;
    value
        .as_string()
        .ok_or_else(|| format!("{CONFIG_KV}: has no key {CONFIG_KEY:?} (run `sluicegate config push FILE`)"))
}

/// Returns the text of the file that was bundled with the Worker.
fn bundled(name: &str) -> Result<String, String> {
    let file = property(&js_sys::global(), BUNDLED);
    let field = |field| file.as_ref().and_then(|file: &JsValue| property(file, field)?.as_string());
    match (field("name"), field("text")) {
        (Some(found), Some(text)) if found == name => Ok(text),
        (Some(found), Some(_)) => {
            Err(format!("{CONFIG_FILE}: names {name:?}, but the Worker was built with {found:?} (run `make deploy`)"))
        }
        _ => Err(format!("{CONFIG_FILE}: names {name:?}, but the Worker was built without a file (run `make deploy`)")),
    }
}

fn soon() -> Millis {
    now().saturating_add(RETRY)
}

/// The global object that `entry.js` takes from the module of the bundled file.
const BUNDLED: &str = "sluicegateFile";

/// How soon a configuration that cannot be used is read again if none is in force.
const RETRY: Millis = Millis::from_secs(1);
