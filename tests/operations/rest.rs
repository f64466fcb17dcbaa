//! The limiter's methods, over REST.

use sluicegate::limit::{CheckRequest, LeaseId, Limit, LimitName, Subject, Verdict};
use sluicegate::limiter::{BatchVerdict, Correction, Limiter, Now, RequestId, SettleOutcome, Settlement};
use sluicegate::redis::script::Dialect;
use sluicegate::redis::{HttpTransport, Token};
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
    for dialect in [Dialect::Plain, Dialect::KeyLocking] {
        let limiter = Limiter::new(transport.clone(), dialect);
        let subject = Subject::named(&format!("{dialect:?}"));
        let remaining = async || {
            let verdict = limiter.peek(&subject, &limits, Now::At(at)).await.unwrap();
            verdict.budgets().iter().map(|budget| budget.remaining).collect::<Vec<_>>()
        };
        let asked = CheckRequest { cost: 600, lease: Some(&lease) };
        assert!(limiter.check(&subject, &limits, asked, Now::At(at)).await.unwrap().is_allow());
        assert_eq!(remaining().await, [400, 400, 0]);
        let correction = Correction::between(600, 250);
        let settlement = Settlement { request: &request, charged_at: at, correction, memory };
        let outcome = limiter.settle(&subject, &limits, &settlement, Now::At(at)).await.unwrap();
        assert_eq!(outcome, SettleOutcome::Settle { units: vec![350, 350, 0] });
        let again = limiter.settle(&subject, &limits, &settlement, Now::At(at)).await.unwrap();
        assert_eq!(again, SettleOutcome::Repeat);
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

#[tokio::test]
async fn settling_by_redis_clock_uses_the_checks_time() {
    let redis = RedisServer::start().await.unwrap();
    let mut connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
    let bridge = BridgeServer::start(0, "token", redis.url()).await.unwrap();
    let transport =
        HttpTransport::new(bridge.url().parse().unwrap(), &Token::new("token").unwrap(), Millis::from_secs(5));
    let limiter = Limiter::new(transport, Dialect::Plain);
    let name = LimitName::new("day").unwrap();
    let limits = [Limit::sliding_log(name.clone(), 1000, Millis::from_secs(86_400)).unwrap()];
    // After a charge by an exact clock, and by one that is ahead. Both entries have the same time, so units of the older
    // one are equivalent to the request's own.
    for (ahead, costs_left) in [(0, &["100", "250", "200"][..]), (5000, &["350", "200"])] {
        let subject = Subject::named(&format!("ahead{ahead}"));
        let first = time_of(&mut connection) + ahead;
        assert!(limiter.check(&subject, &limits, 100, Now::At(Millis::new(first))).await.unwrap().is_allow());
        let mut earliest = first;
        while earliest == first {
            earliest = time_of(&mut connection);
        }
        let BatchVerdict { at, verdicts } =
            limiter.check_batch_timed(&subject, &limits, [600, 600], Now::Redis).await.unwrap();
        assert!((earliest..=time_of(&mut connection)).contains(&at.get()), "from {earliest}: {at:?}");
        assert_eq!(verdicts.iter().map(Verdict::is_allow).collect::<Vec<_>>(), [true, false]);
        assert!(limiter.check(&subject, &limits, 200, Now::Redis).await.unwrap().is_allow());
        let request = RequestId::new("request-1").unwrap();
        let correction = Correction::between(600, 250);
        let settlement = Settlement { request: &request, charged_at: at, correction, memory: Millis::from_secs(60) };
        let outcome = limiter.settle(&subject, &limits, &settlement, Now::Redis).await.unwrap();
        assert_eq!(outcome, SettleOutcome::Settle { units: vec![350] });
        assert_eq!(limiter.peek(&subject, &limits, Now::Redis).await.unwrap().budgets()[0].remaining, 450);
        let log = subject.log_key(&name);
        let entries: Vec<String> = redis::cmd("ZRANGE").arg(log).arg(0).arg(-1).query(&mut connection).unwrap();
        let costs: Vec<_> = entries.iter().map(|entry| entry.split_once(':').unwrap().1).collect();
        assert_eq!(costs, costs_left, "ahead by {ahead}");
    }
}

/// Redis's time in milliseconds.
fn time_of(connection: &mut redis::Connection) -> u64 {
    let (seconds, micros): (u64, u64) = redis::cmd("TIME").query(connection).unwrap();
    seconds * 1000 + micros / 1000
}
