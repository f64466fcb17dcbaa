//! The admin API over HTTP.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, ETAG, HeaderValue, IF_MATCH, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::address;
use crate::failure::Failure;
use crate::problem::{NO_API, Problem};

/// A Worker and the right to manage it.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    token: HeaderValue,
}

/// A call of the API, to be sent by [`Client::send`].
pub(crate) struct Call<'a> {
    method: Method,
    path: &'a [&'a str],
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    if_match: Option<&'a str>,
}

/// What the API answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Null where there is none.
    pub(crate) body: Value,
    pub(crate) etag: Option<String>,
}

impl<'a> Call<'a> {
    pub(crate) fn get(path: &'a [&'a str]) -> Self {
        Call { method: Method::GET, path, query: Vec::new(), body: None, if_match: None }
    }

    pub(crate) fn post(path: &'a [&'a str], body: Value) -> Self {
        Call { method: Method::POST, body: Some(body), ..Call::get(path) }
    }

    pub(crate) fn patch(path: &'a [&'a str], body: Value) -> Self {
        Call { method: Method::PATCH, body: Some(body), ..Call::get(path) }
    }

    pub(crate) fn delete(path: &'a [&'a str]) -> Self {
        Call { method: Method::DELETE, ..Call::get(path) }
    }

    pub(crate) fn query(mut self, name: &'static str, value: String) -> Self {
        self.query.push((name, value));
        self
    }

    pub(crate) fn if_match(self, etag: Option<&'a str>) -> Self {
        Call { if_match: etag, ..self }
    }
}

impl Client {
    /// A client for the Worker at `url`.
    ///
    /// # Errors
    /// When there is no URL or no token, when either is impossible, and when the token would cross a network in the
    /// clear.
    pub(crate) fn new(url: Option<&str>, token: &str) -> Result<Self, Failure> {
        let base = address::parse(url)?;
        if token.is_empty() {
            return Err(Failure::Usage(
                "SLUICEGATE_ADMIN_TOKEN is not set (it is the Worker's secret of that name)".into(),
            ));
        }
        let mut token = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
            Failure::Usage("SLUICEGATE_ADMIN_TOKEN has a character that no token has (look for a line's end)".into())
        })?;
        token.set_sensitive(true);
        Ok(Client { http: http()?, base, token })
    }

    /// Sends a call, and returns the answer if it is a success.
    ///
    /// # Errors
    /// What the API refuses, and what keeps it from answering.
    pub(crate) async fn send(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let url = self.url(call.path, &call.query)?;
        let mut request = self.http.request(call.method, url).header("authorization", self.token.clone());
        if let Some(etag) = call.if_match {
            request = request.header(IF_MATCH, entity_tag(etag)?);
        }
        if let Some(body) = call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let (status, answer) = self.exchange(request).await?;
        if status.is_success() {
            return Ok(answer);
        }
        match Problem::new(answer.body) {
            Some(problem) => Err(Failure::Refused(Box::new(problem))),
            None if status == StatusCode::NOT_FOUND => {
                Err(self.stranger(&format!("nothing is at {}{API}: {NO_API}", self.base)))
            }
            None => Err(self.stranger(&format!("status {} without a problem document", status.as_u16()))),
        }
    }

    fn url(&self, path: &[&str], query: &[(&str, String)]) -> Result<Url, Failure> {
        // A URL drops these segments, and the call would mean something else.
        if let Some(segment) = path.iter().find(|segment| matches!(**segment, "" | "." | "..")) {
            return Err(Failure::Usage(format!("{segment:?} is no id")));
        }
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(API.split('/')).extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<(StatusCode, Answer), Failure> {
        exchange(&self.base, request).await
    }

    fn stranger(&self, problem: &str) -> Failure {
        Failure::NoAnswer(format!("{}: not the answer of a sluicegate: {problem}", self.base))
    }
}

impl Answer {
    /// The body as a `T`.
    ///
    /// # Errors
    /// When it is something else: the Worker is of another version.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        T::deserialize(&self.body).map_err(|error| {
            Failure::NoAnswer(format!(
                "the answer is not understood: {error} (is the Worker of another version? `sluicegate doctor`)"
            ))
        })
    }

    /// The body for programs, with the entity tag in it, which the API tells in a header.
    pub(crate) fn json(&self) -> Value {
        let mut json = self.body.clone();
        if let (Value::Object(members), Some(etag)) = (&mut json, &self.etag) {
            members.insert("etag".to_owned(), Value::from(etag.as_str()));
        }
        json
    }
}

/// The Worker's health: the status and the body, which needs no token.
///
/// # Errors
/// When the URL is missing or impossible, and when nobody answers.
pub(crate) async fn health(url: Option<&str>) -> Result<(StatusCode, Value), Failure> {
    let base = address::parse(url)?;
    let mut url = base.clone();
    url.set_path(HEALTH);
    let (status, answer) = exchange(&base, http()?.get(url)).await?;
    Ok((status, answer.body))
}

async fn exchange(base: &Url, request: RequestBuilder) -> Result<(StatusCode, Answer), Failure> {
    let lost = |error: reqwest::Error| Failure::NoAnswer(format!("{base}: {}", causes(&error.without_url())));
    let response = request.send().await.map_err(lost)?;
    let status = response.status();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if status.is_redirection() {
        let target = header(LOCATION).unwrap_or_default();
        let problem = format!("{base}: redirects to {target:?} (give the address that answers as --url)");
        return Err(Failure::NoAnswer(problem));
    }
    let etag = header(ETAG);
    let bytes = response.bytes().await.map_err(lost)?;
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or(Value::Null) };
    Ok((status, Answer { body, etag }))
}

/// The tag as a header. A shell takes its quotation marks away unless they are quoted, too.
fn entity_tag(text: &str) -> Result<HeaderValue, Failure> {
    let tag = if text == "*" || text.contains('"') { text.to_owned() } else { format!("\"{text}\"") };
    HeaderValue::try_from(tag).map_err(|_| Failure::Usage("--if-match: has a character that no ETag has".into()))
}

fn http() -> Result<reqwest::Client, Failure> {
    reqwest::Client::builder()
        .redirect(Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(30))
        .user_agent(concat!("sluicegate/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| Failure::NoAnswer(format!("no HTTP client: {}", causes(&error))))
}

fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Where the admin API lives.
const API: &str = "_sluicegate/v1";
/// Where the health is told.
const HEALTH: &str = "/_sluicegate/health";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_segment() {
        let client = Client::new(Some("https://x"), "t").unwrap();
        let url = |id: &str| client.url(&["tenants", id, "keys"], &[]).map(String::from);
        assert_eq!(url("acme").unwrap(), "https://x/_sluicegate/v1/tenants/acme/keys");
        assert_eq!(url("a/../b?c#d").unwrap(), "https://x/_sluicegate/v1/tenants/a%2F..%2Fb%3Fc%23d/keys");
        for id in ["", ".", ".."] {
            assert!(url(id).is_err(), "{id:?}");
        }
    }
}
