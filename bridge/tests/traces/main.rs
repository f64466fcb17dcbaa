//! Traces of the program, sent to a collector that the test starts.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "tests")]

mod collector;
mod program;

use std::{net::TcpListener, time::Duration};

use reqwest::Method;

use crate::{
    collector::{Collector, Seen},
    program::{Program, TOKEN, failure, signal},
};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Sends spans soon, so that a test need not stop the program to see them.
const SOON: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "20");

/// Returns the span of the request and that of its call to Redis, which has the same trace.
fn pair<'a>(spans: &'a [Seen], name: &str) -> (&'a Seen, &'a Seen) {
    let server = spans.iter().find(|span| span.name == name && span.is_server);
    let server = server.unwrap_or_else(|| panic!("no span {name} in {spans:#?}"));
    let client =
        spans.iter().find(|span| span.parent == server.id).unwrap_or_else(|| panic!("no child of {server:#?}"));
    assert!(!client.is_server && client.trace == server.trace, "{client:#?}");
    (server, client)
}

fn expect(span: &Seen, attributes: &[(&str, &str)]) {
    let found: Vec<_> = span.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(found, attributes, "{}", span.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_has_a_span_and_one_for_redis() {
    let collector = Collector::start().await;
    let program = Program::start(&[(ENDPOINT, &collector.url), SOON]);
    assert_eq!(program.run(r#"["SET","zq-key","zq-value"]"#).await, 200);
    assert_eq!(program.run(r#"["EVALSHA","0123456789012345678901234567890123456789","0","zq-argument"]"#).await, 400);
    let path = program.request(Method::GET, "/set/zq-key/zq-value?EX=77777").send().await.unwrap();
    assert_eq!(path.status(), 200);
    let pipeline = program.request(Method::POST, "/pipeline").body(r#"[["GET","zq-key"],["GET","zq-key"]]"#);
    assert_eq!(pipeline.send().await.unwrap().status(), 200);
    let spans = collector.wait_for(8).await;

    let (set, redis) = pair(&spans, "GET /{command}");
    expect(
        set,
        &[
            ("http.request.method", "GET"),
            ("http.response.status_code", "200"),
            ("http.route", "/{command}"),
            ("url.path", "/set/REDACTED"),
            ("url.scheme", "http"),
        ],
    );
    assert_eq!(redis.name, "SET");
    expect(redis, &[("db.operation.name", "SET"), ("db.system.name", "redis")]);
    assert_eq!(set.parent, "", "a trace begins");
    let (_, redis) = pair(&spans, "POST /pipeline");
    let batch = [("db.operation.batch.size", "2"), ("db.operation.name", "PIPELINE"), ("db.system.name", "redis")];
    expect(redis, &batch);
    let evalsha = spans.iter().find(|span| span.name == "EVALSHA").unwrap();
    let noscript = [
        ("db.operation.name", "EVALSHA"),
        ("db.response.status_code", "NOSCRIPT"),
        ("db.system.name", "redis"),
        ("error.type", "NOSCRIPT"),
    ];
    expect(evalsha, &noscript);
    let server = spans.iter().find(|span| span.id == evalsha.parent).unwrap();
    // A refusal is the client's error, not the server's.
    assert!(evalsha.is_error && !server.is_error, "{spans:#?}");
    assert_eq!(server.attributes["http.response.status_code"], "400");
    assert_eq!(server.resource["service.name"], "sluicegate-bridge");
    assert_eq!(server.resource["service.version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_contain_no_key_argument_or_token() {
    let collector = Collector::start().await;
    let program = Program::start(&[(ENDPOINT, &collector.url), SOON]);
    for (method, path, body) in [
        (Method::POST, "/", r#"["SET","zq-key","zq-value"]"#),
        (Method::POST, "/", r#"["zq-command","zq-key"]"#),
        (Method::POST, "/", r#"["EVAL","return redis.error_reply(ARGV[1])","0","ZQ-SECRET zq-text"]"#),
        (Method::GET, "/zq-command/zq-key?_token=zq-bridge-token", ""),
        (Method::GET, "/get/zq-key?zq-argument", ""),
        (Method::POST, "/multi-exec", r#"[["SET","zq-key","zq-value"],["zq-command","zq-key"]]"#),
        (Method::from_bytes(b"ZQ-METHOD").unwrap(), "/zq-key", ""),
    ] {
        program.request(method, path).header("upstash-sync-token", "zq-sync").body(body).send().await.unwrap();
    }
    // The last request is refused before it reaches Redis.
    collector.wait_for(13).await;
    for received in collector.received() {
        let text = String::from_utf8_lossy(&received.body).to_lowercase();
        assert!(!text.contains("zq"), "{text}");
    }
    assert!(TOKEN.starts_with("zq"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_continues_the_trace_of_its_caller() {
    let collector = Collector::start().await;
    let program = Program::start(&[(ENDPOINT, &collector.url), SOON]);
    let (trace, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    for flags in ["00", "01"] {
        let request = program.request(Method::POST, "/").header("traceparent", format!("00-{trace}-{parent}-{flags}"));
        assert_eq!(request.body(r#"["PING"]"#).send().await.unwrap().status(), 200);
    }
    let spans = collector.wait_for(2).await;
    let (server, _) = pair(&spans, "POST /");
    assert_eq!((server.trace.as_str(), server.parent.as_str()), (trace, parent));
    program.stop();
    assert_eq!(collector.spans().len(), 2, "a caller that does not sample is not traced");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_chooses_no_trace() {
    let collector = Collector::start().await;
    let program = Program::start(&[(ENDPOINT, &collector.url), SOON]);
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let traceparent = format!("00-{trace}-b7ad6b7169203331-00");
    let stranger = reqwest::Client::new().post(&program.url).header("traceparent", traceparent).body(r#"["PING"]"#);
    assert_eq!(stranger.send().await.unwrap().status(), 401);
    let spans = collector.wait_for(1).await;
    assert_eq!((spans[0].name.as_str(), spans[0].parent.as_str()), ("POST /", ""));
    assert_ne!(spans[0].trace, trace);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_variables_of_opentelemetry_are_respected() {
    let collector = Collector::start().await;
    let endpoint = (ENDPOINT, collector.url.as_str());
    for off in [("OTEL_TRACES_SAMPLER", "always_off"), ("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")]
    {
        let program = Program::start(&[endpoint, off]);
        assert_eq!(program.run(r#"["PING"]"#).await, 200);
        program.stop();
        assert!(collector.received().is_empty(), "{off:?}");
    }
    let program = Program::start(&[
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &format!("{}/v1/traces", collector.url)),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=limits"),
        ("OTEL_SERVICE_NAME", "my-bridge"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging,service.name=other"),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.0"),
    ]);
    assert_eq!(program.run(r#"["PING"]"#).await, 200);
    // By default, spans wait for five seconds. The stop sends them at once.
    assert_eq!(program.stop(), "");
    let spans = collector.spans();
    let (server, _) = pair(&spans, "POST /");
    assert_eq!(server.resource["service.name"], "my-bridge");
    assert_eq!(server.resource["deployment.environment.name"], "staging");
    assert_eq!(collector.received()[0].headers["x-team"], "limits");
}

#[test]
fn a_value_that_is_not_supported_prevents_the_start() {
    for (variable, expected) in [
        (
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            r#"OTEL_EXPORTER_OTLP_PROTOCOL: expected "http/protobuf", found "grpc""#,
        ),
        (("OTEL_TRACES_EXPORTER", "zipkin"), r#"OTEL_TRACES_EXPORTER: expected "otlp", found "zipkin""#),
        (("OTEL_TRACES_SAMPLER", "always"), "OTEL_TRACES_SAMPLER: expected \"always_on\" or "),
    ] {
        let message = failure(&[(ENDPOINT, "http://127.0.0.1:9"), variable]);
        assert!(message.contains(expected), "{message}");
    }
    let ratio = [("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "2")];
    let message = failure(&[(ENDPOINT, "http://127.0.0.1:9"), ratio[0], ratio[1]]);
    assert!(message.contains("OTEL_TRACES_SAMPLER_ARG: expected a number from 0 to 1, found \"2\""), "{message}");
    let message = failure(&[(ENDPOINT, "not a url")]);
    assert!(message.contains("OTEL_EXPORTER_OTLP_"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_variable_there_is_no_thread() {
    let names = |threads: Vec<String>| threads.iter().filter(|name| name.starts_with("OpenTelemetry")).count();
    assert_eq!(names(Program::start(&[]).threads()), 0);
    assert_eq!(names(Program::start(&[(ENDPOINT, "")]).threads()), 0);
    assert_eq!(names(Program::start(&[(ENDPOINT, "http://127.0.0.1:9")]).threads()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_neither_breaks_requests_nor_the_stop() {
    // The kernel accepts connections; nobody reads them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let forever = ("OTEL_EXPORTER_OTLP_TIMEOUT", "86400000");
    let small = [("OTEL_BSP_MAX_QUEUE_SIZE", "4"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2")];
    let program = Program::start(&[(ENDPOINT, &url), SOON, forever, small[0], small[1]]);
    for _ in 0..100 {
        assert_eq!(program.run(r#"["PING"]"#).await, 200);
    }
    // This would never return if the program waited for the collector.
    let errors = tokio::time::timeout(Duration::from_mins(5), tokio::task::spawn_blocking(|| program.stop()));
    let errors = errors.await.unwrap().unwrap();
    assert!(errors.contains("sluicegate-bridge: the last traces were not sent"), "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_down_is_reported_once() {
    // Each span is an export of its own.
    let program = Program::start(&[(ENDPOINT, "http://127.0.0.1:9"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")]);
    for _ in 0..20 {
        assert_eq!(program.run(r#"["PING"]"#).await, 200);
    }
    let errors = program.stop();
    assert_eq!(errors.matches("traces cannot be sent").count(), 1, "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_an_error_of_both_spans() {
    let collector = Collector::start().await;
    let program = Program::start(&[(ENDPOINT, &collector.url), SOON]);
    let redis = program.redis().await;
    // The program ends when its Redis ends, but not when it is stopped.
    signal("STOP", &redis);
    assert_eq!(program.run(r#"["PING"]"#).await, 504);
    signal("CONT", &redis);
    let spans = collector.wait_for(4).await;
    let (server, client) = pair(&spans, "POST /");
    assert!(server.is_error && client.is_error, "{spans:#?}");
    assert_eq!((server.attributes["error.type"].as_str(), client.attributes["error.type"].as_str()), ("504", "504"));
    assert!(!client.attributes.contains_key("db.response.status_code"), "{client:#?}");
}
