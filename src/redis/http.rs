//! The REST client on `reqwest`, natively and in the Worker.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};

use super::error::RedisError;
use super::token::Token;
use super::transport::{Response, Transport};
use crate::time::Millis;

/// A connection pool to one REST server.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: Client,
    url: Url,
    authorization: HeaderValue,
    timeout: Millis,
}

impl HttpTransport {
    /// A client of the server at `url`; one round trip takes `timeout` at most.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn new(url: Url, token: &Token, timeout: Millis) -> Self {
        #[expect(clippy::expect_used, reason = "a Token is visible ASCII, and so it is a header's value")]
        let mut authorization =
            HeaderValue::from_str(&format!("Bearer {}", token.reveal())).expect("a token is a header's value");
        authorization.set_sensitive(true);
        HttpTransport { client: client(), url, authorization, timeout }
    }
}

impl Transport for HttpTransport {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        let answer = self
            .client
            .post(self.url.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, JSON)
            .timeout(self.timeout.into())
            .body(body)
            .send()
            .await
            .map_err(error)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(error)?.into();
        Ok(Response { status, body })
    }
}

/// A redirect is an answer like any other that is not a result. In the Worker `reqwest` cannot say so to the
/// runtime, which follows it: a server that redirects has not executed the command.
fn client() -> Client {
    #[cfg(target_arch = "wasm32")]
    return Client::new();
    #[cfg(not(target_arch = "wasm32"))]
    {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        #[expect(clippy::expect_used, reason = "fails only where the system has no TLS or resolver, as Client::new")]
        client.expect("the system has what a client needs")
    }
}

/// The URL is left out: an operator may have put a secret into it.
fn error(error: reqwest::Error) -> RedisError {
    let timed_out = error.is_timeout();
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        reason.push_str(": ");
        reason.push_str(&cause.to_string());
        source = cause.source();
    }
    // The Workers runtime wraps what reqwest aborts its fetch with, and reqwest does not know it again.
    if timed_out || reason.contains("reqwest::errors::TimedOut") {
        return RedisError::Timeout;
    }
    // An error of JavaScript brings its stack along, from the second line on.
    let first = reason.lines().next().unwrap_or_default();
    RedisError::Unreachable { reason: first.trim().to_owned() }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
