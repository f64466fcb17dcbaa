//! The functions of the limiter, over REST.

use sluicegate::limiter::{Limiter, Now};
use sluicegate::policy::{Limit, LimitName};
use sluicegate::question::{LeaseId, Request};
use sluicegate::redis::{HttpTransport, Token};
use sluicegate::script::Spelling;
use sluicegate::settle::{Correction, Outcome, RequestId, Settlement};
use sluicegate::subject::Subject;
use sluicegate::time::Millis;
use sluicegate_bridge::RedisServer;
use sluicegate_devstack::BridgeServer;

use crate::call::T;

#[tokio::test]
async fn the_limiter_settles_releases_and_resets_over_rest() {
    let redis = RedisServer::start().await.unwrap();
    let bridge = BridgeServer::start(0, "token", redis.url()).await.unwrap();
    let transport =
        HttpTransport::new(bridge.url().parse().unwrap(), &Token::new("token").unwrap(), Millis::from_secs(5));
    let name = |text| LimitName::new(text).unwrap();
    let limits = [
        Limit::token_bucket(name("tokens"), 1000, Millis::from_secs(600), None).unwrap(),
        Limit::sliding_log(name("day"), 1000, Millis::from_secs(86_400)).unwrap(),
        Limit::concurrency(name("inflight"), 1, Millis::from_secs(30)).unwrap(),
    ];
    let (at, memory) = (Millis::new(T), Millis::from_secs(60));
    let (lease, request) = (LeaseId::new("request-1").unwrap(), RequestId::new("request-1").unwrap());
    for spelling in [Spelling::Plain, Spelling::KeyLocking] {
        let limiter = Limiter::new(transport.clone(), spelling);
        let subject = Subject::named(&format!("{spelling:?}"));
        let remaining = async || {
            let verdict = limiter.peek(&subject, &limits, Now::At(at)).await.unwrap();
            verdict.budgets().iter().map(|budget| budget.remaining).collect::<Vec<_>>()
        };
        let asked = Request { cost: 600, lease: Some(&lease) };
        assert!(limiter.check(&subject, &limits, asked, Now::At(at)).await.unwrap().is_allow());
        assert_eq!(remaining().await, [400, 400, 0]);
        let correction = Correction::between(600, 250);
        let settlement = Settlement { request: &request, charged_at: at, correction, memory };
        let outcome = limiter.settle(&subject, &limits, &settlement, Now::At(at)).await.unwrap();
        assert_eq!(outcome, Outcome::Settle { units: vec![350, 350, 0] });
        let again = limiter.settle(&subject, &limits, &settlement, Now::At(at)).await.unwrap();
        assert_eq!(again, Outcome::Repeat);
        assert_eq!(remaining().await, [750, 750, 0]);
        assert_eq!(limiter.release(&subject, &limits, &lease).await, Ok(1));
        assert_eq!(limiter.release(&subject, &limits, &lease).await, Ok(0));
        assert_eq!(limiter.release(&subject, &limits[..2], &lease).await, Ok(0));
        assert_eq!(remaining().await, [750, 750, 1]);
        assert_eq!(limiter.reset(&subject, &limits).await, Ok(3));
        assert_eq!(remaining().await, [1000, 1000, 1]);
        assert!(limiter.settle(&subject, &[], &settlement, Now::Redis).await.is_err());
    }
}
