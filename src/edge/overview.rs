//! Reports to the shortlist what this isolate has seen of its tenants: after the response, and rarely.

use std::rc::Rc;
use std::time::Duration;

use worker::{Context, Delay};

use super::isolate::Isolate;
use super::js::now as clock;
use super::log;
use crate::tenant::overview::REPORT_AFTER;
use crate::time::Millis;

/// Sends a report after a few seconds if one is due. Until then, other requests add to it.
pub(super) fn report_later(isolate: &Rc<Isolate>, context: &Context, now: Millis) {
    if !isolate.sightings.borrow_mut().begin_report(now) {
        return;
    }
    let isolate = Rc::clone(isolate);
    context.wait_until(async move {
        Delay::from(Duration::from(REPORT_AFTER)).await;
        let report = isolate.sightings.borrow_mut().take_report(clock());
        let sent = report.send(&isolate.limiter(), clock()).await;
        if let Err(error) = &sent {
            log::redis_failure("overview", &format!("tenants are not reported: {error}"));
        }
        isolate.sightings.borrow_mut().end_report(&report, sent.ok(), clock());
    });
}
