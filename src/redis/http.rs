//! The REST client, on `reqwest`; the same one natively and in the Worker.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};

use super::error::RedisError;
use super::token::Token;
use super::transport::{Response, Transport};
use crate::time::Millis;

/// A client of one REST server, with a connection pool.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: Client,
    url: Url,
    authorization: HeaderValue,
    timeout: Option<Millis>,
}

impl HttpTransport {
    /// Creates a client of the server at `url`. One round trip takes at most `timeout`.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "it cannot panic")]
    pub fn new(url: Url, token: &Token, timeout: Millis) -> Self {
        #[expect(clippy::expect_used, reason = "a Token is visible ASCII, which is valid in a header")]
        let mut authorization =
            HeaderValue::from_str(&format!("Bearer {}", token.reveal())).expect("a token is a valid header value");
        authorization.set_sensitive(true);
        HttpTransport { client: client(), url, authorization, timeout: Some(timeout) }
    }

    /// Returns the same client without a timeout of its own, to be bounded by a [`Timed`](super::deadline::Timed).
    #[must_use]
    pub fn without_timeout(&self) -> Self {
        HttpTransport { timeout: None, ..self.clone() }
    }
}

impl Transport for HttpTransport {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        let mut request = self
            .client
            .post(self.url.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, JSON)
            .body(body);
        if let Some(timeout) = self.timeout {
            request = request.timeout(timeout.into());
        }
        let response = request.send().await.map_err(error)?;
        let status = response.status().as_u16();
        let redirected_to = (*response.url() != self.url).then(|| response.url().clone());
        let body = response.bytes().await.map_err(error)?.into();
        match redirected_to {
            None => Ok(Response { status, body }),
            Some(url) => Err(RedisError::Unreachable {
                reason: format!("the server redirects to another address ({})", url.host_str().unwrap_or_default()),
            }),
        }
    }
}

/// Builds the HTTP client. It does not follow redirects: a redirect is an error like any other status.
///
/// In the Worker `reqwest` cannot turn redirects off, and the runtime follows them, without the token. What another server
/// replies is not used.
fn client() -> Client {
    #[cfg(target_arch = "wasm32")]
    return Client::new();
    #[cfg(not(target_arch = "wasm32"))]
    {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        #[expect(clippy::expect_used, reason = "like Client::new, fails only if the system has no TLS or resolver")]
        client.expect("the system has TLS and a resolver")
    }
}

/// Converts an error of `reqwest`. It omits the URL, which may contain a secret.
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
    // The Workers runtime wraps the error with which reqwest aborts a fetch, and reqwest does not recognize it.
    if timed_out || reason.contains("reqwest::errors::TimedOut") {
        return RedisError::Timeout;
    }
    // A JavaScript error has its stack from the second line on.
    let first = reason.lines().next().unwrap_or_default();
    RedisError::Unreachable { reason: first.trim().to_owned() }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
