//! WebSocket upgrades pass through.

use futures_util::{SinkExt, StreamExt};
use sluicegate_devstack::Stack;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

fn address(stack: &Stack, path: &str) -> String {
    format!("ws://{}{path}", stack.worker.address())
}

pub(crate) async fn websocket(stack: &Stack) {
    let mut request = address(stack, "/ws").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "chat".parse().unwrap());
    let (mut socket, answer) = connect_async(request).await.unwrap();
    assert_eq!(answer.status(), 101);
    assert_eq!(answer.headers()["sec-websocket-protocol"], "chat");
    for message in [Message::text("hello"), Message::binary(vec![0, 255, 7]), Message::text("x".repeat(70_000))] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    socket.send(Message::text("close 4001 enough")).await.unwrap();
    let Some(Ok(Message::Close(Some(frame)))) = socket.next().await else { panic!("the origin closes") };
    assert_eq!((frame.code, frame.reason.as_str()), (CloseCode::Library(4001), "enough"));
}

pub(crate) async fn a_refused_upgrade(stack: &Stack) {
    let error = connect_async(address(stack, "/status/403")).await.unwrap_err();
    assert!(error.to_string().contains("403"), "{error}");
}
