//! The REST client on `reqwest`, natively and in the Worker.

use std::fmt;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};

use super::{Answer, RedisError, Transport};
use crate::time::Millis;

/// A connection pool to one REST server.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: Client,
    url: Url,
    authorization: Token,
    timeout: Millis,
}

/// A bearer token. Its `Debug` does not show it.
#[derive(Clone)]
pub struct Token(HeaderValue);

impl Token {
    /// Takes a token; `None` if it is empty or cannot be written into a header.
    #[must_use]
    pub fn new(token: &str) -> Option<Self> {
        if token.is_empty() {
            return None;
        }
        let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
        value.set_sensitive(true);
        Some(Token(value))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl HttpTransport {
    /// A client of the server at `url`; one round trip takes `timeout` at most.
    #[must_use]
    pub fn new(url: Url, token: Token, timeout: Millis) -> Self {
        HttpTransport { client: Client::new(), url, authorization: token, timeout }
    }
}

impl Transport for HttpTransport {
    async fn post(&self, body: String) -> Result<Answer, RedisError> {
        let answer = self
            .client
            .post(self.url.clone())
            .header(AUTHORIZATION, self.authorization.0.clone())
            .header(CONTENT_TYPE, JSON)
            .timeout(self.timeout.into())
            .body(body)
            .send()
            .await
            .map_err(error)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(error)?.into();
        Ok(Answer { status, body })
    }
}

/// The URL is left out: an operator may have put a secret into it.
fn error(error: reqwest::Error) -> RedisError {
    if error.is_timeout() {
        return RedisError::Timeout;
    }
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        reason.push_str(": ");
        reason.push_str(&cause.to_string());
        source = cause.source();
    }
    RedisError::Unreachable { reason }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
