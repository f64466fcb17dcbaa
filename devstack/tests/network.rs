//! Each fault of a network, between raw clients and the demo origin.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::{io::ErrorKind, time::Duration};

use common::eventually;
use sluicegate_devstack::{Fault, Network, Origin, network::Answer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

async fn start() -> (Network, Origin) {
    let origin = Origin::start(0).await.unwrap();
    (Network::start(origin.address()).await.unwrap(), origin)
}

/// Opens a connection that stays open after a response, and sends a request for a body of `BODY` bytes.
async fn send(network: &Network) -> TcpStream {
    let mut client = TcpStream::connect(network.address()).await.unwrap();
    send_again(&mut client).await;
    client
}

async fn send_again(client: &mut TcpStream) {
    client.write_all(format!("GET /bytes/{BODY} HTTP/1.1\r\nHost: origin\r\n\r\n").as_bytes()).await.unwrap();
}

/// Reads `length` bytes.
async fn read(client: &mut TcpStream, length: usize) -> String {
    let mut bytes = vec![0; length];
    client.read_exact(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads a head, without the blank line.
async fn head(client: &mut TcpStream) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head.push(char::from(client.read_u8().await.unwrap()));
    }
    head.truncate(head.len() - "\r\n\r\n".len());
    head
}

/// Reads a complete response.
async fn response(client: &mut TcpStream) {
    assert!(head(client).await.starts_with("HTTP/1.1 200"));
    read(client, BODY).await;
}

async fn expect_silence(client: &mut TcpStream) {
    assert!(timeout(SILENCE, client.read_u8()).await.is_err(), "nothing arrives");
}

#[tokio::test]
async fn everything_passes_and_is_counted() {
    let (network, _origin) = start().await;
    let mut client = send(&network).await;
    response(&mut client).await;
    send_again(&mut client).await;
    response(&mut client).await;
    response(&mut send(&network).await).await;
    assert_eq!((network.connections(), network.requests(), network.held_back()), (2, 3, 0));
}

#[tokio::test]
async fn a_delay_ends_early_when_healed() {
    let (network, _origin) = start().await;
    let start = Instant::now();
    network.inject(Fault::Delay(SILENCE)).await;
    response(&mut send(&network).await).await;
    assert!(start.elapsed() >= SILENCE);
    network.inject(Fault::Delay(FOREVER)).await;
    let mut client = send(&network).await;
    expect_silence(&mut client).await;
    network.heal().await;
    response(&mut client).await;
}

#[tokio::test]
async fn held_requests_reach_the_server_later() {
    let (network, origin) = start().await;
    let mut kept_alive = send(&network).await;
    response(&mut kept_alive).await;
    network.inject(Fault::HoldRequests).await;
    send_again(&mut kept_alive).await;
    let (mut client, abandoned) = (send(&network).await, send(&network).await);
    eventually("four requests", || network.requests() == 4).await;
    drop(abandoned);
    expect_silence(&mut client).await;
    assert_eq!(origin.requests(), 1);
    network.heal().await;
    response(&mut client).await;
    response(&mut kept_alive).await;
    assert_eq!(origin.requests(), 3, "the request of the client that left is lost");
}

#[tokio::test]
async fn held_responses_arrive_later() {
    let (network, origin) = start().await;
    network.inject(Fault::HoldResponses).await;
    let mut client = send(&network).await;
    eventually("a response is held back", || network.held_back() == 1).await;
    assert_eq!(origin.requests(), 1);
    expect_silence(&mut client).await;
    network.heal().await;
    response(&mut client).await;
    assert_eq!(network.held_back(), 0);
}

#[tokio::test]
async fn the_body_can_be_held_whole_or_half() {
    let (network, _origin) = start().await;
    for (fault, passed) in [(Fault::HoldBody, 0), (Fault::HoldHalfBody, BODY / 2)] {
        network.inject(fault).await;
        let mut client = send(&network).await;
        assert!(head(&mut client).await.starts_with("HTTP/1.1 200"));
        read(&mut client, passed).await;
        expect_silence(&mut client).await;
        network.heal().await;
        read(&mut client, BODY - passed).await;
        send_again(&mut client).await;
        response(&mut client).await;
    }
}

#[tokio::test]
async fn a_drip_sends_byte_by_byte() {
    let (network, _origin) = start().await;
    network.inject(Fault::Drip(SILENCE)).await;
    let start = Instant::now();
    let mut client = send(&network).await;
    assert_eq!(read(&mut client, 3).await, "HTT");
    assert!(start.elapsed() >= SILENCE, "the third byte comes an interval after the second one");
    network.heal().await;
    assert!(head(&mut client).await.starts_with("P/1.1 200"));
    read(&mut client, BODY).await;
}

#[tokio::test]
async fn a_reset_comes_in_the_middle_of_the_body() {
    let (network, _origin) = start().await;
    network.inject(Fault::Reset).await;
    let mut client = send(&network).await;
    head(&mut client).await;
    read(&mut client, BODY / 2).await;
    assert_eq!(client.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_closed_port_opens_at_the_same_address() {
    let (network, _origin) = start().await;
    let mut kept_alive = send(&network).await;
    response(&mut kept_alive).await;
    for _ in 0..3 {
        network.inject(Fault::Refuse).await;
        let refused = TcpStream::connect(network.address()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        network.heal().await;
        response(&mut send(&network).await).await;
    }
    assert!(kept_alive.read_u8().await.is_err(), "open connections were broken");
}

#[tokio::test]
async fn a_cut_breaks_connections_only_once() {
    let (network, _origin) = start().await;
    network.inject(Fault::HoldResponses).await;
    let mut client = send(&network).await;
    eventually("a response is held back", || network.held_back() == 1).await;
    network.cut();
    assert!(client.read_u8().await.is_err());
    network.heal().await;
    response(&mut send(&network).await).await;
}

#[tokio::test]
async fn the_network_answers_in_place_of_the_server() {
    let (network, origin) = start().await;
    let mut client = send(&network).await;
    response(&mut client).await;
    network.inject(Fault::Answer(Answer::new(429, "text/plain", "slow down").header("Retry-After", "7"))).await;
    let post = b"POST / HTTP/1.1\r\nHost: origin\r\nContent-Length: 2\r\n\r\n[";
    client.write_all(post).await.unwrap();
    expect_silence(&mut client).await;
    client.write_all(b"]").await.unwrap();
    let answer = head(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 429 \r\n") && answer.contains("\r\nRetry-After: 7\r\n"), "{answer}");
    assert_eq!(read(&mut client, "slow down".len()).await, "slow down");
    network.heal().await;
    send_again(&mut client).await;
    response(&mut client).await;
    assert_eq!((network.requests(), origin.requests()), (3, 2));
}

const BODY: usize = 1000;

/// How long nothing must arrive; also the shortest delay that a test measures.
const SILENCE: Duration = Duration::from_millis(100);
const FOREVER: Duration = Duration::from_hours(1);
