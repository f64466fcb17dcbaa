//! Examples about where requests go.

use sluicegate_devstack::{Origin, OriginKind};

use super::Example;
use crate::support::{body, echoed, get, header, status};

#[tokio::test(flavor = "multi_thread")]
async fn a_server() {
    let stack = Example::read("server").start().await;
    let answer = get(&stack, "/any").send().await.unwrap();
    assert_eq!(header(&answer, "ratelimit-policy"), r#""burst";q=20;w=10;burst=40, "hour";q=1000;w=3600"#);
    let mut admitted = 1;
    // The bucket refills while they are sent, the log does not.
    while status(get(&stack, "/any")).await == 200 {
        admitted += 1;
    }
    assert!((40..=1000).contains(&admitted), "{admitted}");
    assert_eq!(status(get(&stack, "/health")).await, 200);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_worker() {
    let stack = Example::read("worker").origin(OriginKind::Service).start().await;
    let answer = get(&stack, "/any").send().await.unwrap();
    assert_eq!(header(&answer, "x-second-worker"), "yes");
    assert_eq!(header(&answer, "ratelimit-policy"), r#""minute";q=100;w=60"#);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone() {
    let stack = Example::read("zone").origin(OriginKind::Zone).start().await;
    let answer = get(&stack, "/any").send().await.unwrap();
    assert_eq!(header(&answer, "ratelimit-policy"), r#""minute";q=300;w=60"#);
    assert_eq!(echoed(&body(answer).await, "host"), [stack.origin.address().to_string()]);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_origins() {
    let (search, maps) = (Origin::start(0).await.unwrap(), Origin::start(0).await.unwrap());
    let stack = Example::read("two-origins")
        .replace("https://search.example.com", &search.url())
        .replace("https://maps.example.com", &maps.url())
        .secret("ORIGIN_MAPS", "a-secret")
        .start()
        .await;
    let echo = body(get(&stack, "/search/books?q=rust").send().await.unwrap()).await;
    assert_eq!((&echo["target"], search.requests()), (&"/books?q=rust".into(), 1));
    let echo = body(get(&stack, "/maps/world").header("cookie", "a=b").send().await.unwrap()).await;
    assert_eq!((&echo["target"], maps.requests()), (&"/v3/world".into(), 1));
    assert_eq!((echoed(&echo, "authorization"), echoed(&echo, "cookie")), (vec!["Bearer a-secret"], vec![]));
    let echo = body(get(&stack, "/any").header("cookie", "a=b").send().await.unwrap()).await;
    assert_eq!((echoed(&echo, "authorization"), echoed(&echo, "cookie")), (vec![], vec!["a=b"]));
    stack.stop().await;
}
