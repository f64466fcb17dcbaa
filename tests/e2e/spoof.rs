//! What a client claims about itself.

use sluicegate_devstack::Stack;

use crate::api::tenant_with_key;
use crate::support::{ADDRESS, body, echoed, get_as, get_from, header, problem, raw, status};

/// No header that a client sends makes it another client.
pub(crate) async fn addresses(stack: &Stack) {
    let address = "192.0.2.20";
    assert_eq!(status(get_from(stack, address, "/v1/chat")).await, 200);
    let reached = stack.origin.requests();
    for (i, name) in [
        "x-forwarded-for",
        "x-real-ip",
        "true-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "fastly-client-ip",
        "cf-connecting-ipv6",
        "cf-pseudo-ipv4",
        "x-forwarded",
        "forwarded-for",
        "forwarded",
        "via",
        "x-original-forwarded-for",
    ]
    .into_iter()
    .enumerate()
    {
        for value in [format!("203.0.113.{i}"), format!("for=203.0.113.{i}"), "127.0.0.1".to_owned()] {
            let request = get_from(stack, address, "/v1/chat").header(name, &value);
            assert_eq!(problem(request, 429).await, "quota-exceeded", "{name}: {value}");
        }
    }
    // Nor do these change the request.
    for (name, value) in [
        ("x-original-url", "/exempt/x"),
        ("x-rewrite-url", "/exempt/x"),
        ("x-http-method-override", "PUT"),
        ("host", "exempt.example"),
        ("x-forwarded-host", "exempt.example"),
    ] {
        let request = get_from(stack, address, "/v1/chat").header(name, value);
        assert_eq!(problem(request, 429).await, "quota-exceeded", "{name}: {value}");
    }
    assert_eq!(stack.origin.requests(), reached);
}

/// Only the API key identifies a tenant.
pub(crate) async fn tenants(stack: &Stack) {
    let key = tenant_with_key(stack, "honest", "gold").await;
    tenant_with_key(stack, "mighty", "gold").await;
    for name in ["sluicegate-tenant", "Sluicegate-Tenant", "SLUICEGATE-TENANT"] {
        let answer = get_from(stack, "192.0.2.21", "/x").header(name, "mighty").send().await.unwrap();
        assert!(header(&answer, "ratelimit-policy").starts_with("\"plan\""), "{name}");
        assert!(echoed(&body(answer).await, "sluicegate-tenant").is_empty(), "{name}");
        let claim = get_from(stack, "192.0.2.21", "/admin/x").header(name, "mighty");
        assert_eq!(problem(claim, 401).await, "key-required", "{name}");
        let answer = get_as(stack, &key, "/admin/x").header(name, "mighty").send().await.unwrap();
        assert_eq!(echoed(&body(answer).await, "sluicegate-tenant"), ["honest"], "{name}");
    }
    // Once per form: some servers treat an underscore as a dash.
    let lines = format!(
        "{ADDRESS}: 192.0.2.21\r\nSluicegate-Tenant: mighty\r\nsluicegate-tenant: mighty\r\nX-API-Key: {key}\r\n"
    );
    let (head, body) = raw(stack, "GET", "/x", &lines).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(body.contains("[\"sluicegate-tenant\",\"honest\"]") && !body.contains("mighty"), "{body}");
}
