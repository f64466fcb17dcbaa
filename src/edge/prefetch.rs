//! Gives back the units that were taken in advance and not spent.

use std::rc::Rc;
use std::time::Duration;

use worker::{Context, Delay};

use super::isolate::Isolate;
use super::js::{now, random_uuid};
use super::log;
use crate::limiter::LotId;
use crate::time::Millis;

/// Gives back what is left of a lot after `wait`, whether or not the client of this request has left by then. If that fails,
/// what is left counts as used.
pub(super) fn give_back_later(isolate: &Rc<Isolate>, context: &Context, lot: LotId, wait: Millis) {
    let isolate = Rc::clone(isolate);
    context.wait_until(async move {
        Delay::from(Duration::from(wait)).await;
        let given_back = isolate.limiter().give_back(&lot, &random_uuid(), isolate.config.clock, now()).await;
        if let Err(error) = given_back {
            log::redis_failure("prefetch", &format!("units taken in advance are not given back: {error}"));
        }
    });
}
