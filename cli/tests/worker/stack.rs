//! The Worker in workerd.

use sluicegate_devstack::{Options, Stack};

use crate::life::life_of_a_tenant;

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_lives_in_workerd() {
    let stack =
        Stack::start(Options { sluicegate: Some(crate::service::config()), ..Options::default() }).await.unwrap();
    life_of_a_tenant(&stack.worker.url(), &stack.secrets.admin_token).await;
    stack.stop().await;
}
