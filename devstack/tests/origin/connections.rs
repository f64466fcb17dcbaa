//! Open connections, counts and restarts.

use futures_util::{SinkExt, StreamExt};
use sluicegate_devstack::Origin;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::{client, get};

#[tokio::test]
async fn a_websocket_echoes_messages() {
    let origin = Origin::start(0).await.unwrap();
    let mut request = format!("ws://{}/ws", origin.address()).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "chat.v2, chat.v1".parse().unwrap());
    let (mut socket, response) = connect_async(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "chat.v2");

    for message in [Message::text("h\u{e9}llo"), Message::binary(vec![0, 255, 7])] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    socket.send(Message::text("close 4001 enough of it")).await.unwrap();
    let Message::Close(Some(frame)) = socket.next().await.unwrap().unwrap() else { panic!("no close frame") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4001, "enough of it"));
    assert!(socket.next().await.is_none());
}

#[tokio::test]
async fn requests_are_counted_and_numbered() {
    let origin = Origin::start(0).await.unwrap();
    for number in 1..=3_u64 {
        let response = get(&origin, &format!("/counted?{number}")).await;
        assert_eq!(response.headers()["x-origin-request"], number.to_string());
    }
    get(&origin, "/other").await;
    assert_eq!((origin.requests(), origin.requests_to("/counted"), origin.requests_to("/never")), (4, 3, 0));
}

#[tokio::test]
async fn stop_breaks_connections_and_restart_uses_the_same_port() {
    let mut origin = Origin::start(0).await.unwrap();
    let mut endless = get(&origin, "/stream?n=2&gate=never").await;
    let (mut socket, _) = connect_async(format!("ws://{}/ws", origin.address())).await.unwrap();

    origin.stop().await;
    assert!(endless.chunk().await.is_err());
    assert!(!matches!(socket.next().await, Some(Ok(_))));
    assert!(client().get(origin.url()).send().await.unwrap_err().is_connect());

    origin.restart().await.unwrap();
    assert_eq!(get(&origin, "/").await.status(), 200);
    assert_eq!(origin.requests(), 3);
}

#[tokio::test]
async fn the_error_names_a_taken_port() {
    let first = Origin::start(0).await.unwrap();
    let error = Origin::start(first.address().port()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("demo origin cannot listen at {}", first.address()));
}
