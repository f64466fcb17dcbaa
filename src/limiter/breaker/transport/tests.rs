use std::cell::Cell;

use super::*;

/// A transport that counts its calls and gives the same response to all.
struct Fake {
    result: Result<(u16, &'static str), RedisError>,
    calls: Cell<usize>,
}

impl Transport for Fake {
    async fn post(&self, _body: String) -> Result<Response, RedisError> {
        self.calls.set(self.calls.get() + 1);
        self.result.clone().map(|(status, body)| Response { status, body: body.into() })
    }
}

/// A clock that the test moves, and the changes reported.
#[derive(Default)]
struct Program {
    now: Cell<u64>,
    changes: RefCell<Vec<(Change, Option<String>)>>,
}

impl Surroundings for Program {
    fn now(&self) -> Millis {
        Millis::new(self.now.get())
    }

    fn breaker_changed(&self, change: Change, cause: Option<&str>) {
        self.changes.borrow_mut().push((change, cause.map(str::to_owned)));
    }
}

/// Makes ten calls, and returns how many of them reached the inner transport.
async fn calls_of_ten(result: Result<(u16, &'static str), RedisError>) -> usize {
    let fake = Fake { result, calls: Cell::new(0) };
    let (breaker, program) = (RefCell::new(CircuitBreaker::new(Millis::new(250), 1)), Program::default());
    let guarded = Guarded::new(&fake, &breaker, &program);
    for _ in 0..10 {
        let _ = guarded.post(String::new()).await;
    }
    fake.calls.get()
}

#[tokio::test]
async fn answers_of_redis_keep_the_breaker_closed() {
    for (status, body) in [
        (200, r#"{"result":[1,2]}"#),
        (200, r#"{ "result": null }"#),
        (200, r#"{"error":"WRONGTYPE Operation against a key"}"#),
        (400, r#"{"error":"OOM command not allowed when used memory > 'maxmemory'"}"#),
        (404, r#"{"error":"NOSCRIPT No matching script"}"#),
    ] {
        assert_eq!(calls_of_ten(Ok((status, body))).await, 10, "{status} {body}");
    }
}

#[tokio::test]
async fn failures_open_the_breaker() {
    for (status, body) in [
        (200, "<html>"),
        (200, r#"{"result":[1,"#),
        (200, "[]"),
        (302, ""),
        (401, r#"{"error":"WRONGPASS"}"#),
        (429, ""),
        (400, r#"{"error":"ERR max daily request limit exceeded"}"#),
        (500, "oops"),
        (503, r#"{"error":"down"}"#),
    ] {
        assert_eq!(calls_of_ten(Ok((status, body))).await, 5, "{status} {body}");
    }
    assert_eq!(calls_of_ten(Err(RedisError::Timeout)).await, 5);
    assert_eq!(calls_of_ten(Err(RedisError::Unreachable { reason: "refused".to_owned() })).await, 5);
}

#[tokio::test]
async fn an_open_breaker_reports_the_wait_and_the_cause() {
    let fake = Fake { result: Err(RedisError::Timeout), calls: Cell::new(0) };
    let (breaker, program) = (RefCell::new(CircuitBreaker::new(Millis::new(250), 1)), Program::default());
    let guarded = Guarded::new(&fake, &breaker, &program);
    for _ in 0..5 {
        assert_eq!(guarded.post(String::new()).await, Err(RedisError::Timeout));
    }
    let Err(RedisError::NotAsked { retry, cause }) = guarded.post(String::new()).await else { panic!("it is open") };
    assert_eq!(cause, "redis did not answer in time");
    assert_eq!(*program.changes.borrow(), [(Change::Opened(retry), Some(cause))]);

    // The probe succeeds.
    program.now.set(retry.get());
    let back = Fake { result: Ok((200, r#"{"result":1}"#)), calls: Cell::new(0) };
    let guarded = Guarded::new(&back, &breaker, &program);
    assert!(guarded.post(String::new()).await.is_ok() && guarded.post(String::new()).await.is_ok());
    assert_eq!((back.calls.get(), program.changes.borrow().last()), (2, Some(&(Change::Closed, None))));
}
