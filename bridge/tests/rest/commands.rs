//! Single commands: their arguments, results and error texts.

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{error, read, start};

#[tokio::test]
async fn json_commands_return_every_kind_of_result() {
    let (bridge, _redis) = start().await;
    for (command, expected) in [
        (json!(["SET", "key", "välue\n"]), json!("OK")),
        (json!(["get", "key"]), json!("välue\n")),
        (json!(["GET", "none"]), Value::Null),
        (json!(["INCRBY", "number", 5]), json!(5)),
        (json!(["SET", "flag", true]), json!("OK")),
        (json!(["MGET", "flag", "none", "number"]), json!(["true", null, "5"])),
        (json!(["EVAL", "return {1,{2,{'x',false}},{}}", 0]), json!([1, [2, ["x", null]], []])),
        (json!(["EVAL", "return 3.99", 0]), json!(3)),
        (json!(["HSET", "hash", "a", 1.5]), json!(1)),
        (json!(["HGETALL", "hash"]), json!(["a", "1.5"])),
        (json!(["PING"]), json!("PONG")),
    ] {
        assert_eq!(bridge.run(command.clone()).await, expected, "{command}");
    }
}

#[tokio::test]
async fn path_style_takes_path_then_body_then_query() {
    let (bridge, _redis) = start().await;
    assert_eq!(bridge.get("/set/a%2Fb/1").await, (200, json!({"result": "OK"})));
    assert_eq!(bridge.get("/get/a%2Fb").await, (200, json!({"result": "1"})));
    assert_eq!(bridge.post("/set/k?EX=100&NX", "body").await, (200, json!({"result": "OK"})));
    assert_eq!(bridge.post("/set/k?EX=100&NX", "other").await, (200, json!({"result": null})));
    assert_eq!(bridge.get("/get/k").await, (200, json!({"result": "body"})));
    let put = bridge.request(Method::PUT, "/set/put").body("x");
    assert_eq!(read(put).await, (200, json!({"result": "OK"})));
    let head = bridge.request(Method::HEAD, "/get/k").send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.bytes().await.unwrap().len()), (200, 0));
}

#[tokio::test]
async fn redis_errors_are_400_with_their_text() {
    let (bridge, _redis) = start().await;
    bridge.run(json!(["SET", "text", "x"])).await;
    for (command, expected) in [
        (json!(["EVALSHA", "f".repeat(40), 0]), "NOSCRIPT No matching script. Please use EVAL."),
        (json!(["LPUSH", "text", "x"]), "WRONGTYPE Operation against a key holding the wrong kind of value"),
        (json!(["GET"]), "ERR wrong number of arguments for 'get' command"),
        (json!(["INCR", "text"]), "ERR value is not an integer or out of range"),
        (json!(["EVAL", "return redis.error_reply('MINE of a script')", 0]), "MINE of a script"),
    ] {
        assert_eq!(bridge.fail(command).await, expected);
    }
    let unknown = bridge.fail(json!(["NONSENSE", "x"])).await;
    assert!(unknown.starts_with("ERR unknown command 'NONSENSE'"), "{unknown}");
}

#[tokio::test]
async fn invalid_requests_are_400() {
    let (bridge, _redis) = start().await;
    for (path, body, expected) in [
        ("/", "", "ERR failed to parse command: EOF"),
        ("/", "{}", "ERR failed to parse command: invalid type: map"),
        ("/", r#"["GET",null]"#, "ERR failed to parse command: argument 1 is null"),
        ("/", "[]", "ERR empty command"),
        ("/pipeline", r#"["GET","a"]"#, "ERR failed to parse pipeline request: "),
        ("/pipeline", "[]", "ERR empty pipeline request"),
        ("/multi-exec", "nonsense", "ERR failed to parse multi-exec request: "),
        ("/multi-exec", "[]", "ERR empty multi-exec request"),
    ] {
        let (status, body) = bridge.post(path, body).await;
        assert_eq!(status, 400, "{path}");
        assert!(error(&body).starts_with(expected), "{path}: {body}");
    }
}

#[tokio::test]
async fn commands_unfit_for_a_shared_connection_are_400() {
    let (bridge, _redis) = start().await;
    for command in [
        json!(["SUBSCRIBE", "c"]),
        json!(["monitor"]),
        json!(["BLPOP", "list", 0]),
        json!(["XREAD", "BLOCK", 0, "STREAMS", "s", "$"]),
        json!(["MULTI"]),
        json!(["WATCH", "k"]),
        json!(["SELECT", 1]),
        json!(["CLIENT", "REPLY", "OFF"]),
        json!(["SHUTDOWN", "NOSAVE"]),
    ] {
        let name = command[0].as_str().unwrap().to_uppercase();
        let text = bridge.fail(command).await;
        assert!(text.starts_with(&format!("ERR Command is not available: '{name}'")), "{text}");
    }
    assert_eq!(bridge.run(json!(["PING"])).await, "PONG");
}

#[tokio::test]
async fn a_missing_or_wrong_token_is_401() {
    let (bridge, _redis) = start().await;
    let post = |path: &str| bridge.bare(Method::POST, path).body(r#"["PING"]"#);
    for request in [
        post("/"),
        post("/").bearer_auth("wrong"),
        post("/").basic_auth("user", Some("test-token")),
        post("/?_token=wrong"),
        post("/pipeline"),
        post("/multi-exec"),
        bridge.bare(Method::GET, "/get/a"),
    ] {
        let (status, body) = read(request).await;
        assert_eq!((status, error(&body).as_str()), (401, "WRONGPASS invalid or missing auth token"));
    }
    let expected = (200, json!({"result": "PONG"}));
    assert_eq!(read(post("/?_token=test-token")).await, expected);
    assert_eq!(read(bridge.bare(Method::GET, "/ping?_token=test-token")).await, expected);
}

#[tokio::test]
async fn other_methods_are_405() {
    let (bridge, _redis) = start().await;
    for method in [Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let (status, body) = read(bridge.request(method, "/get/a")).await;
        assert_eq!(status, 405);
        assert!(error(&body).starts_with("ERR method not allowed"), "{body}");
    }
}

#[tokio::test]
async fn base64_encodes_every_string_but_ok() {
    let (bridge, _redis) = start().await;
    let post = |body: Value| {
        let request = bridge.request(Method::POST, "/").header("Upstash-Encoding", "base64");
        read(request.body(body.to_string()))
    };
    assert_eq!(post(json!(["SET", "k", "value"])).await.1, json!({"result": "OK"}));
    assert_eq!(post(json!(["GET", "k"])).await.1, json!({"result": "dmFsdWU="}));
    let script = "return {'a', 1, false, {'b'}}";
    assert_eq!(post(json!(["EVAL", script, 0])).await.1, json!({"result": ["YQ==", 1, null, ["Yg=="]]}));
    let (status, body) = post(json!(["EVALSHA", "f".repeat(40), 0])).await;
    assert_eq!((status, error(&body).as_str()), (400, "NOSCRIPT No matching script. Please use EVAL."));
}

#[tokio::test]
async fn base64_leaves_only_a_top_level_status_ok_plain() {
    let (bridge, _redis) = start().await;
    let post = |path: &str, body: Value| {
        let request = bridge.request(Method::POST, path).header("Upstash-Encoding", "base64");
        read(request.body(body.to_string()))
    };
    for (command, expected) in [
        (json!(["SET", "k", "OK"]), json!("OK")),
        (json!(["EVAL", "return redis.call('SET', 'k', 'OK')", 0]), json!("OK")),
        (json!(["GET", "k"]), json!("T0s=")),
        (json!(["MGET", "k", "none"]), json!(["T0s=", null])),
        (json!(["EVAL", "return {'OK', {'OK'}, {ok = 'OK'}}", 0]), json!(["T0s=", ["T0s="], "T0s="])),
    ] {
        let (status, body) = post("/", command.clone()).await;
        assert_eq!((status, body), (200, json!({ "result": expected })), "{command}");
    }
    for path in ["/pipeline", "/multi-exec"] {
        let (_, body) = post(path, json!([["SET", "k", "OK"], ["GET", "k"], ["MGET", "k"]])).await;
        assert_eq!(body, json!([{ "result": "OK" }, { "result": "T0s=" }, { "result": ["T0s="] }]), "{path}");
    }
}

#[tokio::test]
async fn every_byte_survives() {
    let (bridge, _redis) = start().await;
    let bytes: Vec<u8> = (0..=255).collect();
    assert_eq!(bridge.post("/set/binary", bytes.clone()).await.0, 200);
    assert_eq!(bridge.run(json!(["STRLEN", "binary"])).await, 256);
    let get = bridge.request(Method::GET, "/get/binary").header("Upstash-Encoding", "base64");
    let (_, body) = read(get).await;
    assert_eq!(BASE64_STANDARD.decode(body["result"].as_str().unwrap()).unwrap(), bytes);
    let lossy = bridge.run(json!(["GETRANGE", "binary", 127, 128])).await;
    assert_eq!(lossy, "\u{7f}\u{fffd}");
}

#[tokio::test]
async fn resp2_is_refused_and_the_sync_token_returned() {
    let (bridge, _redis) = start().await;
    let ping = || bridge.request(Method::POST, "/").body(r#"["PING"]"#);
    let (status, body) = read(ping().header("Upstash-Response-Format", "resp2")).await;
    assert_eq!(status, 400);
    assert!(error(&body).starts_with("ERR Upstash-Response-Format is not supported"), "{body}");
    let response = ping().header("upstash-sync-token", "abc=").send().await.unwrap();
    assert_eq!(response.headers()["upstash-sync-token"], "abc=");
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(!ping().send().await.unwrap().headers().contains_key("upstash-sync-token"));
}

#[tokio::test]
async fn a_body_above_the_maximum_is_413() {
    let (bridge, _redis) = start().await;
    let limit = sluicegate_bridge::MAX_BODY_BYTES;
    assert_eq!(bridge.post("/set/large", vec![b'x'; limit]).await.0, 200);
    assert_eq!(bridge.run(json!(["STRLEN", "large"])).await, limit);
    let (status, body) = bridge.post("/set/larger", vec![b'x'; limit + 1]).await;
    assert_eq!(status, 413);
    assert_eq!(error(&body), "ERR max request size exceeded. Limit: 10000000 bytes");
    assert_eq!(bridge.run(json!(["EXISTS", "larger"])).await, 0);
}
