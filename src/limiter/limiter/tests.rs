use std::cell::RefCell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::limiter::fixtures::{burst, day};
use crate::limiter::settlement::Correction;
use crate::limiter::{RequestId, Settlement};
use crate::redis::Response;

const NOW: Millis = Millis::new(1_800_000_000_000);

/// A Redis that refuses every check, and replies to the first call only when it is polled for the second time.
#[derive(Default)]
struct Slow {
    calls: RefCell<Vec<String>>,
}

impl Transport for Slow {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        let is_check = body.contains(&script::CHECK.in_dialect(Dialect::Plain).sha1);
        let number = {
            let mut calls = self.calls.borrow_mut();
            calls.push(body);
            calls.len()
        };
        if number == 1 {
            let mut polled = false;
            std::future::poll_fn(
                |_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending },
            )
            .await;
        }
        let result = if is_check { format!("[0,0,700,9000,{}]", NOW.get()) } else { "[1,1]".to_owned() };
        Ok(Response { status: 200, body: format!(r#"{{"result":{result}}}"#).into() })
    }
}

fn limiter(transport: &Slow) -> Limiter<&Slow> {
    let refusals = Refusals::new(Millis::from_secs(1), Millis::new(250));
    Limiter::new(transport, Dialect::Plain).with_refusals(Arc::new(refusals))
}

/// Returns whether a check is refused from memory.
async fn is_remembered(limiter: &Limiter<&Slow>, subject: &str) -> bool {
    let (subject, request) = (Subject::named(subject), CheckRequest::from(1));
    limiter.decide(&subject, &[burst()], request, Clock::Edge, NOW).await.unwrap().decider == Decider::Refusal
}

/// Lets `give_back` happen while a check is on its way, and returns whether its refusal is remembered.
async fn remembered_after(give_back: impl AsyncFnOnce(&Limiter<&Slow>)) -> bool {
    let transport = Slow::default();
    let limiter = limiter(&transport);
    {
        let mut check = pin!(is_remembered(&limiter, "acme"));
        assert!(check.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        give_back(&limiter).await;
        assert!(!check.await);
    }
    is_remembered(&limiter, "acme").await
}

async fn settle(limiter: &Limiter<&Slow>, correction: Correction) {
    let request = RequestId::new("one").unwrap();
    let settlement = Settlement { request: &request, charged_at: NOW, correction, memory: Millis::from_secs(60) };
    limiter.settle(&Subject::named("acme"), &[day()], &settlement, Now::At(NOW)).await.unwrap();
}

#[tokio::test]
async fn what_is_given_back_meanwhile_forgets_a_refusal_on_its_way() {
    assert!(remembered_after(async |_| {}).await);
    assert!(!remembered_after(async |limiter| settle(limiter, Correction::GiveBack(1)).await).await);
    assert!(remembered_after(async |limiter| settle(limiter, Correction::Charge(1)).await).await);
    assert!(!remembered_after(async |limiter| limiter.forget_refusals(&Subject::named("acme"))).await);
    // The reply to this reset is not a number. It may have happened all the same.
    assert!(!remembered_after(async |limiter| drop(limiter.reset(&Subject::named("acme"), &[day()]).await)).await);
}
