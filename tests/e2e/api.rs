//! A client of a Worker's admin API.

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use sluicegate_devstack::Stack;

use crate::support::{body, client, header};

/// Builds a request to the API with the token, and with a JSON body unless it is null.
pub(crate) fn api(stack: &Stack, method: &str, path: &str, body: &Value) -> RequestBuilder {
    let url = format!("{}/_sluicegate/v1{path}", stack.worker.url());
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = client().request(method, url).bearer_auth(&stack.secrets.admin_token);
    if body.is_null() {
        return request;
    }
    request.header("content-type", "application/json").body(body.to_string())
}

/// Sends such a request, expects this status, and returns the response.
async fn expect(stack: &Stack, method: &str, path: &str, sent: Value, status: u16) -> Response {
    let answer = api(stack, method, path, &sent).send().await.unwrap();
    assert_eq!(answer.status(), status, "{method} {path}");
    answer
}

/// Creates a tenant and returns its entity tag.
pub(crate) async fn create_tenant(stack: &Stack, id: &str, plan: &str) -> String {
    header(&expect(stack, "POST", "/tenants", json!({ "id": id, "plan": plan }), 201).await, "etag")
}

/// Creates a key of a tenant and returns its id and the key.
pub(crate) async fn create_key(stack: &Stack, tenant: &str, more: Value) -> (String, String) {
    let made = body(expect(stack, "POST", &format!("/tenants/{tenant}/keys"), more, 201).await).await;
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

/// Creates a tenant with one key.
pub(crate) async fn tenant_with_key(stack: &Stack, id: &str, plan: &str) -> String {
    create_tenant(stack, id, plan).await;
    create_key(stack, id, json!({})).await.1
}

/// Revokes a key.
pub(crate) async fn revoke_key(stack: &Stack, tenant: &str, key: &str) {
    expect(stack, "DELETE", &format!("/tenants/{tenant}/keys/{key}"), Value::Null, 204).await;
}

/// Changes a tenant by merge patch.
pub(crate) async fn patch(stack: &Stack, tenant: &str, patch: Value) -> Value {
    body(expect(stack, "PATCH", &format!("/tenants/{tenant}"), patch, 200).await).await
}

/// Returns what a tenant has used.
pub(crate) async fn usage(stack: &Stack, tenant: &str) -> Value {
    body(expect(stack, "GET", &format!("/tenants/{tenant}/usage"), Value::Null, 200).await).await
}
