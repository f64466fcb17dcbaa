//! The API against its own description: schemathesis sends requests that the description allows and many that it
//! does not, and reports no finding.

use crate::native;
use crate::schemathesis;
use crate::service::TOKEN;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_matches_its_description() {
    let findings = native::serve(async |url| {
        let check = move || schemathesis::hold_to_description(&format!("{url}/_sluicegate/v1"), TOKEN);
        tokio::task::spawn_blocking(check).await.unwrap()
    })
    .await;
    if let Err(findings) = findings {
        panic!("{findings}");
    }
}
