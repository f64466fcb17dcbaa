//! Scripts, which each node caches for itself.

use serde_json::json;
use sha1_smol::Sha1;

use crate::fixture::{key_of_each_node, start};

const SCRIPT: &str = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
const LOCKING: &str = "#!lua flags=allow-key-locking\nreturn redis.call('INCRBY', KEYS[1], ARGV[1])";

#[tokio::test]
async fn a_loaded_script_runs_on_every_node() {
    let (bridge, cluster) = start().await;
    let keys = key_of_each_node(&cluster).await;
    for script in [SCRIPT, LOCKING] {
        let sha = Sha1::from(script).hexdigest();
        assert_eq!(bridge.run(json!(["SCRIPT", "FLUSH"])).await, "OK");
        assert_eq!(bridge.run(json!(["SCRIPT", "EXISTS", sha])).await, json!([0]));
        for key in &keys {
            let error = bridge.fail(json!(["EVALSHA", sha, 1, key, 1])).await;
            assert!(error.starts_with("NOSCRIPT "), "{error}");
        }
        assert_eq!(bridge.run(json!(["SCRIPT", "LOAD", script])).await, sha);
        assert_eq!(bridge.run(json!(["SCRIPT", "EXISTS", sha, "0"])).await, json!([1, 0]));
        for key in &keys {
            bridge.run(json!(["DEL", key])).await;
            assert_eq!(bridge.run(json!(["EVALSHA", sha, 1, key, 2])).await, 2);
            assert_eq!(bridge.run(json!(["EVALSHA", sha.to_uppercase(), 1, key, 3])).await, 5);
        }
    }
}

#[tokio::test]
async fn eval_loads_the_script_on_the_node_of_its_key() {
    let (bridge, cluster) = start().await;
    let keys = key_of_each_node(&cluster).await;
    for script in [SCRIPT, LOCKING] {
        let sha = Sha1::from(script).hexdigest();
        bridge.run(json!(["SCRIPT", "FLUSH", "SYNC"])).await;
        for key in &keys {
            bridge.run(json!(["DEL", key])).await;
            assert!(bridge.fail(json!(["EVALSHA", sha, 1, key, 1])).await.starts_with("NOSCRIPT "));
            assert_eq!(bridge.run(json!(["EVAL", script, 1, key, 1])).await, 1);
            assert_eq!(bridge.run(json!(["EVALSHA", sha, 1, key, 1])).await, 2);
        }
    }
}

#[tokio::test]
async fn a_script_must_not_use_keys_of_two_slots() {
    let (bridge, cluster) = start().await;
    let [a, b, _] = key_of_each_node(&cluster).await;
    let error = bridge.fail(json!(["EVAL", "return 1", 2, a, b])).await;
    assert!(error.starts_with("CROSSSLOT "), "{error}");
    let tagged = [format!("{{{a}}}x"), format!("{{{a}}}y")];
    assert_eq!(bridge.run(json!(["EVAL", "return #KEYS", 2, tagged[0], tagged[1]])).await, 2);
    assert_eq!(bridge.run(json!(["EVAL", "return 7", 0])).await, 7);
}

#[tokio::test]
async fn scripts_run_in_pipelines_and_transactions() {
    let (bridge, cluster) = start().await;
    let [a, b, c] = key_of_each_node(&cluster).await;
    let sha = Sha1::from(SCRIPT).hexdigest();
    let commands = json!([["EVALSHA", sha, 1, a, 1], ["EVAL", SCRIPT, 1, b, 2], ["EVALSHA", sha, 1, b, 3]]);
    let (status, body) = bridge.post("/pipeline", commands.to_string()).await;
    assert_eq!(status, 200, "{body}");
    assert!(body[0]["error"].as_str().unwrap().starts_with("NOSCRIPT "), "{body}");
    assert_eq!((&body[1], &body[2]), (&json!({ "result": 2 }), &json!({ "result": 5 })));
    let commands = json!([["EVAL", SCRIPT, 1, c, 2], ["EVALSHA", sha, 1, c, 3]]);
    let (status, body) = bridge.post("/multi-exec", commands.to_string()).await;
    assert_eq!((status, body), (200, json!([{ "result": 2 }, { "result": 5 }])));
}
