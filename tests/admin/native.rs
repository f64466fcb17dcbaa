//! The API over HTTP, natively, on a free port of this machine.

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

/// A request that waits for its answer. The API does not go from thread to thread, as in a Worker.
type Waiting = (Parts, Bytes, oneshot::Sender<admin::Response>);

/// Serves the API until `client`, which is told the server's URL, has come to its end, and returns what it returns.
pub(crate) async fn serve<T>(client: impl AsyncFnOnce(String) -> T) -> T {
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
    let end = tokio::select! {
        () = answers => panic!("the server ended"),
        end = client(url) => end,
    };
    server.abort();
    end
}

async fn pass_on(State(requests): State<mpsc::Sender<Waiting>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 16 * MAX_BODY).await.unwrap();
    let (reply, answer) = oneshot::channel();
    requests.send((parts, body, reply)).await.unwrap();
    let answer = answer.await.unwrap();
    let response = Response::builder().status(answer.status);
    let response = answer.headers.into_iter().fold(response, |response, (name, value)| response.header(name, value));
    response.body(Body::from(answer.body)).unwrap()
}

async fn answer(service: &Service, parts: &Parts, body: &[u8]) -> admin::Response {
    // Several lines of a header as a Worker sees them: joined.
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
