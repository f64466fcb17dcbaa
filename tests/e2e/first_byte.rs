//! How much later the first byte of a body comes if its cost stands in it. Prints what it measures and asserts no time:
//! `cargo test --test e2e first_byte -- --nocapture`.

use serde_json::json;
use tokio::time::Instant;

use crate::bare::Bare;
use crate::real_costs::{STREAM, fixture};
use crate::support::client;

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_read_passes_like_any_other() {
    let tokens = json!({ "name": "tokens", "algorithm": "fixed_window", "limit": 1_000_000, "window": "1d" });
    let route = |method: &str, settle: &str| json!({ "match": format!("{method} /served/*"), "limits": [tokens], "settle": settle });
    let bare = Bare::start(json!({
        "default_plan": "p",
        "timeout": "30s",
        "plans": { "p": { "limits": [{ "name": "all", "algorithm": "fixed_window", "limit": 1_000_000, "window": "1d" }] } },
        "routes": [route("PUT", "x-tokens-used"), route("PATCH", "sse:/usage/total_tokens")],
    }))
    .await;
    let stream = fixture("openai-stream-with-usage.sse");
    bare.origin.serve("stream", STREAM, stream.clone());
    let url = format!("{}/served/stream?chunked=true&piece=300", bare.url());
    let mut micros = [Vec::new(), Vec::new()];
    // They take turns, so that what else the machine does meets both.
    for _ in 0..ROUNDS {
        for (method, micros) in ["PUT", "PATCH"].into_iter().zip(&mut micros) {
            let request = client().request(method.parse().unwrap(), &url);
            let start = Instant::now();
            let mut answer = request.send().await.unwrap();
            let mut found = answer.chunk().await.unwrap().unwrap().to_vec();
            micros.push(start.elapsed().as_micros());
            while let Some(piece) = answer.chunk().await.unwrap() {
                found.extend_from_slice(&piece);
            }
            assert_eq!(found, stream);
        }
    }
    let [header, body] = micros.map(|mut micros| {
        micros.sort_unstable();
        micros[ROUNDS / 2]
    });
    println!(
        "first byte, median of {ROUNDS}: {header} us with the cost in a header, {body} us with the cost in the body"
    );
}

const ROUNDS: usize = 200;
