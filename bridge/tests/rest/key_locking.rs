//! Scripts with Upstash's key-locking flag.

use serde_json::{Value, json};

use crate::support::start;

const SCRIPT: &str = "#!lua flags=allow-key-locking\nreturn {KEYS[1], ARGV[1]}";
const NOSCRIPT: &str = "NOSCRIPT No matching script. Please use EVAL.";

fn sha(script: &str) -> String {
    sha1_smol::Sha1::from(script).hexdigest()
}

fn evalsha(sha: &str) -> Value {
    json!(["EVALSHA", sha, 1, "key", "arg"])
}

#[tokio::test]
async fn evalsha_works_after_eval_and_again_after_a_flush() {
    let (bridge, _redis) = start().await;
    for _ in 0..2 {
        assert_eq!(bridge.fail(evalsha(&sha(SCRIPT))).await, NOSCRIPT);
        let eval = json!(["EVAL", SCRIPT, 1, "key", "arg"]);
        assert_eq!(bridge.run(eval).await, json!(["key", "arg"]));
        assert_eq!(bridge.run(evalsha(&sha(SCRIPT))).await, json!(["key", "arg"]));
        assert_eq!(bridge.run(evalsha(&sha(SCRIPT).to_uppercase())).await, json!(["key", "arg"]));
        assert_eq!(bridge.run(json!(["SCRIPT", "FLUSH"])).await, "OK");
    }
}

#[tokio::test]
async fn script_load_and_exists_use_the_clients_sha() {
    let (bridge, _redis) = start().await;
    assert_eq!(bridge.run(json!(["SCRIPT", "EXISTS", sha(SCRIPT)])).await, json!([0]));
    assert_eq!(bridge.run(json!(["SCRIPT", "LOAD", SCRIPT])).await, sha(SCRIPT));
    let exists = json!(["script", "exists", sha(SCRIPT), "0".repeat(40)]);
    assert_eq!(bridge.run(exists).await, json!([1, 0]));
    assert_eq!(bridge.run(evalsha(&sha(SCRIPT))).await, json!(["key", "arg"]));
}

#[tokio::test]
async fn the_script_without_the_flag_is_the_same_to_redis() {
    let (bridge, _redis) = start().await;
    bridge.run(json!(["SCRIPT", "LOAD", SCRIPT])).await;
    let plain = SCRIPT.split_once('\n').unwrap().1;
    assert_eq!(bridge.run(evalsha(&sha(plain))).await, json!(["key", "arg"]));
}

#[tokio::test]
async fn other_flags_reach_redis() {
    let (bridge, _redis) = start().await;
    let text = bridge.fail(json!(["EVAL", "#!lua flags=no-writes\nreturn redis.call('SET', 'a', 1)", 0])).await;
    assert!(text.contains("Write commands are not allowed"), "{text}");
    let text = bridge.fail(json!(["EVAL", "#!lua flags=made-up\nreturn 1", 0])).await;
    assert!(text.contains("Unexpected flag"), "{text}");
}

#[tokio::test]
async fn flagged_scripts_work_in_batches() {
    let (bridge, _redis) = start().await;
    for path in ["/pipeline", "/multi-exec"] {
        bridge.run(json!(["SCRIPT", "FLUSH"])).await;
        let commands = json!([["SCRIPT", "LOAD", SCRIPT], evalsha(&sha(SCRIPT)), ["EVAL", SCRIPT, 1, "a", "b"]]);
        let (status, body) = bridge.post(path, commands.to_string()).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(body, json!([{"result": sha(SCRIPT)}, {"result": ["key", "arg"]}, {"result": ["a", "b"]}]));
    }
}

#[tokio::test]
async fn a_restarted_redis_replies_noscript() {
    let (bridge, mut redis) = start().await;
    bridge.run(json!(["SCRIPT", "LOAD", SCRIPT])).await;
    redis.restart().await.unwrap();
    bridge.until(200).await;
    assert_eq!(bridge.fail(evalsha(&sha(SCRIPT))).await, NOSCRIPT);
}
