//! The life of a tenant against the native API and against the Worker in workerd.

use sluicegate_devstack::{Options, Stack};

use crate::lifecycle::life_of_a_tenant;
use crate::native;
use crate::service::TOKEN;

#[tokio::test(flavor = "multi_thread")]
async fn life_of_a_tenant_natively() {
    native::serve(async |url| life_of_a_tenant(&url, TOKEN).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn life_of_a_tenant_in_workerd() {
    let secrets = vec![("ORIGIN_KEY".to_owned(), "k".to_owned())];
    let options = Options { sluicegate: Some(crate::service::config()), secrets, ..Options::default() };
    let stack = Stack::start(options).await.unwrap();
    life_of_a_tenant(&stack.worker.url(), &stack.secrets.admin_token).await;
    stack.stop().await;
}
