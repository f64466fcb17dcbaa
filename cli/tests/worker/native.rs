//! The API itself, served by this test.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use sluicegate::admin::{Answer, Call, MAX_BODY};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::life::life_of_a_tenant;
use crate::service::{Service, TOKEN};

/// A request that waits for its answer. The API does not go from thread to thread, as in a Worker.
type Waiting = (Parts, Bytes, oneshot::Sender<Answer>);

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_lives_natively() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (requests, mut waiting) = mpsc::channel::<Waiting>(16);
    let router = Router::new()
        .route("/_sluicegate/health", axum::routing::get(|| async { r#"{"status":"ok"}"# }))
        .fallback(pass_on)
        .with_state(requests);
    let server = tokio::spawn(axum::serve(listener, router).into_future());
    let service = Service::start().await;
    let answers = async {
        while let Some((parts, body, reply)) = waiting.recv().await {
            // Whoever has gone does not wait for an answer.
            let _ = reply.send(answer(&service, &parts, &body).await);
        }
    };
    tokio::select! {
        () = answers => panic!("the server ended"),
        () = life_of_a_tenant(&url, TOKEN) => (),
    }
    server.abort();
}

async fn pass_on(State(requests): State<mpsc::Sender<Waiting>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 2 * MAX_BODY).await.unwrap();
    let (reply, answer) = oneshot::channel();
    requests.send((parts, body, reply)).await.unwrap();
    let answer = answer.await.unwrap();
    let response = Response::builder().status(answer.status);
    let response = answer.headers.into_iter().fold(response, |response, (name, value)| response.header(name, value));
    response.body(Body::from(answer.body)).unwrap()
}

async fn answer(service: &Service, parts: &Parts, body: &[u8]) -> Answer {
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap());
    let call = Call {
        method: parts.method.as_str(),
        path: parts.uri.path().strip_prefix("/_sluicegate/v1").unwrap_or_default(),
        query: parts.uri.query(),
        authorization: header("authorization"),
        content_type: header("content-type"),
        if_match: header("if-match"),
        body,
    };
    service.send(&call).await
}
