//! Every path of the demo origin, over real HTTP.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod bodies;
#[path = "../common/mod.rs"]
mod common;
mod connections;
mod responses;
mod violations;

use reqwest::{Client, Response, redirect::Policy};
use sluicegate_devstack::Origin;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

fn client() -> Client {
    Client::builder().redirect(Policy::none()).no_proxy().build().unwrap()
}

async fn get(origin: &Origin, target: &str) -> Response {
    client().get(origin.url() + target).send().await.unwrap()
}

/// Sends bytes unchanged, which no client library does, and reads until the origin closes.
async fn raw(origin: &Origin, request: &str) -> String {
    let mut stream = TcpStream::connect(origin.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}
