//! Responses that break the rules of HTTP.

use std::io;

use sluicegate_devstack::Origin;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::common::eventually;

/// Sends a request and reads until the connection ends; returns the status line and the body, and how it ended.
async fn exchange(origin: &Origin, target: &str) -> (String, String, io::Result<()>) {
    let mut stream = TcpStream::connect(origin.address()).await.unwrap();
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut response = Vec::new();
    let end = stream.read_to_end(&mut response).await.map(drop);
    let response = String::from_utf8(response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or_default();
    (head.lines().next().unwrap_or_default().to_owned(), body.to_owned(), end)
}

#[tokio::test]
async fn a_reset_comes_after_the_bytes() {
    let origin = Origin::start(0).await.unwrap();
    let (status, body, end) = exchange(&origin, "/reset?after=5&tokens=3").await;
    assert_eq!((&*status, &*body), ("HTTP/1.1 200 OK", "5\r\n.....\r\n"));
    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    let (status, body, end) = exchange(&origin, "/reset?after=0").await;
    assert_eq!((&*status, &*body), ("", ""));
    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    eventually("no stream is open", || origin.open_streams() == 0).await;
}

#[tokio::test]
async fn the_body_is_shorter_than_its_length() {
    let origin = Origin::start(0).await.unwrap();
    let (status, body, end) = exchange(&origin, "/length?declared=10&sent=4").await;
    assert_eq!((&*status, &*body, end.is_ok()), ("HTTP/1.1 200 OK", "....", true));
    eventually("no stream is open", || origin.open_streams() == 0).await;
}

#[tokio::test]
async fn the_body_is_longer_than_its_length() {
    let origin = Origin::start(0).await.unwrap();
    let mut stream = TcpStream::connect(origin.address()).await.unwrap();
    stream.write_all(b"GET /length?declared=4&sent=10 HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut response = String::new();
    while !response.ends_with("....++++++") {
        response.push(char::from(stream.read_u8().await.unwrap()));
    }
    assert!(response.to_lowercase().contains("\r\ncontent-length: 4\r\n"), "{response}");
    eventually("no stream is open", || origin.open_streams() == 0).await;
}
