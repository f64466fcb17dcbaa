//! Encodings of a path: none bypasses the route of the resource it reaches.

use serde_json::Value;
use sluicegate_devstack::Stack;

use crate::support::{ADDRESS, raw};

async fn code(stack: &Stack, method: &str, target: &str, address: &str) -> u16 {
    let (head, _) = raw(stack, method, target, &format!("{ADDRESS}: {address}\r\n")).await;
    head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{target}: {head}"))
}

/// Every encoding is charged to the route's single request, or refused as ambiguous.
pub(crate) async fn do_not_escape(stack: &Stack) {
    let host = stack.worker.address();
    let absolute = format!("http://{host}/v1/chat");
    let same = [
        "/v1/chat",
        "/v1/chat/",
        "/v1/chat//",
        "//v1/chat",
        "/v1//chat",
        "/V1/Chat",
        "/v1/CHAT",
        "/v1/%63hat",
        "/%76%31/%43hat",
        "/v1/./chat",
        "/v1/%2e/chat",
        "/v1/%2E/chat",
        "/v1/x/../chat",
        "/v1/x/%2e%2e/chat",
        "/v1/x/.%2E/chat",
        "/exempt/../v1/chat",
        "/exempt/%2e%2e/v1/chat",
        "/v1\\chat",
        "/v1/x\\..\\chat",
        "/v1/chat?x=/exempt/",
        "/v1/chat?",
        "/v1/chat#/exempt/",
        &absolute,
    ];
    for (i, target) in same.into_iter().enumerate() {
        let address = format!("198.51.100.{i}");
        assert_eq!(code(stack, "POST", "/v1/chat", &address).await, 200, "{target}");
        let reached = stack.origin.requests();
        assert_eq!(code(stack, "POST", target, &address).await, 429, "{target}");
        assert_eq!(stack.origin.requests(), reached, "{target}");
        // In the other order, too, it is charged to the route.
        let address = format!("203.0.113.{i}");
        assert_eq!(code(stack, "POST", target, &address).await, 200, "{target}");
        assert_eq!(code(stack, "POST", "/v1/chat", &address).await, 429, "{target}");
    }
    let unclear = [
        "/v1%2Fchat",
        "/v1%2fchat",
        "/v1%5Cchat",
        "/v1/chat;x=1",
        "/v1;x/chat",
        "/v1/chat%3bx",
        "/exempt/..%2Fv1/chat",
        "/exempt/%2e%2e%2Fv1%2Fchat",
        "/x/..;/v1/chat",
        "/exempt/..%5Cv1/chat",
    ];
    for target in unclear {
        let reached = stack.origin.requests();
        assert_eq!(code(stack, "POST", target, "198.51.100.200").await, 400, "{target}");
        assert_eq!(stack.origin.requests(), reached, "{target}");
    }
    // Unusual methods match as well: the route accepts any.
    for method in ["post", "Post", "PURGE"] {
        let reached = stack.origin.requests();
        assert_ne!(code(stack, method, "/v1/chat", "198.51.100.0").await, 200, "{method}");
        assert_eq!(stack.origin.requests(), reached, "{method}");
    }
}

/// No encoding is mistaken for an exempt path or for one below `/_sluicegate/`.
pub(crate) async fn do_not_open_doors(stack: &Stack) {
    for target in [
        "/admin/users",
        "//admin/users",
        "/ADMIN/users",
        "/%61dmin/users",
        "/exempt/../admin/users",
        "/exempt/%2e%2e/admin/users",
        "/exempt/..%2Fadmin/users",
        "/admin%2Fusers",
        "/admin;x/users",
        "/exempt\\..\\admin\\users",
    ] {
        let reached = stack.origin.requests();
        let code = code(stack, "GET", target, "198.51.100.201").await;
        assert!([400, 401].contains(&code), "{target}: {code}");
        assert_eq!(stack.origin.requests(), reached, "{target}");
    }
    // Only paths below `/_sluicegate/` are reserved.
    for target in ["/_SLUICEGATE/v1/tenants", "//_sluicegate/v1/tenants", "/_sluicegate%2Fv1/tenants"] {
        let (head, body) = raw(stack, "GET", target, &format!("{ADDRESS}: 198.51.100.202\r\n")).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{target}: {head}");
        let (from, to) = (body.find('{').unwrap(), body.rfind('}').unwrap());
        let echo: Value = serde_json::from_str(&body[from..=to]).unwrap();
        assert_eq!(echo["target"], target, "it is the origin's");
    }
}
