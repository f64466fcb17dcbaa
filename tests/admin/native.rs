//! The API over HTTP, natively, on a free local port.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::HeaderName;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use axum::http::request::Parts;
use axum::response::Response;
use sluicegate::admin::{self, Call, MAX_BODY};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::service::Service;

/// A request and the sender of its response. One thread runs the API, as in a Worker.
type PendingRequest = (Parts, Bytes, oneshot::Sender<admin::Response>);

/// Serves the API until `client` returns, and returns its result. `client` gets the URL of the server.
pub(crate) async fn serve<T>(client: impl AsyncFnOnce(String) -> T) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (requests, mut pending) = mpsc::channel::<PendingRequest>(16);
    let router = Router::new()
        .route("/_sluicegate/health", axum::routing::get(|| async { r#"{"status":"ok","breaker":"closed"}"# }))
        .fallback(forward)
        .with_state(requests);
    let server = tokio::spawn(axum::serve(listener, router).into_future());
    let service = Service::start().await;
    let serving = async {
        while let Some((parts, body, sender)) = pending.recv().await {
            // A client that has disconnected needs no response.
            let _ = sender.send(respond(&service, &parts, &body).await);
        }
    };
    let result = tokio::select! {
        () = serving => panic!("the server ended"),
        result = client(url) => result,
    };
    server.abort();
    result
}

async fn forward(State(requests): State<mpsc::Sender<PendingRequest>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 16 * MAX_BODY).await.unwrap();
    let (sender, receiver) = oneshot::channel();
    requests.send((parts, body, sender)).await.unwrap();
    let api_response = receiver.await.unwrap();
    let response = Response::builder().status(api_response.status);
    let response =
        api_response.headers.into_iter().fold(response, |response, (name, value)| response.header(name, value));
    response.body(Body::from(api_response.body)).unwrap()
}

async fn respond(service: &Service, parts: &Parts, body: &[u8]) -> admin::Response {
    // Joins several lines of a header, as a Worker does.
    let header = |name: HeaderName| {
        let lines = parts.headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
        lines.map(String::from).reduce(|all, line| format!("{all}, {line}"))
    };
    let (authorization, content_type, if_match) = (header(AUTHORIZATION), header(CONTENT_TYPE), header(IF_MATCH));
    let call = Call {
        method: parts.method.as_str(),
        path: parts.uri.path().strip_prefix("/_sluicegate/v1").unwrap_or_default(),
        query: parts.uri.query(),
        authorization: authorization.as_deref(),
        content_type: content_type.as_deref(),
        if_match: if_match.as_deref(),
        body,
    };
    service.send(&call).await
}
