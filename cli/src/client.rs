//! The client of the admin API.

use reqwest::header::{CONTENT_TYPE, ETAG, HeaderValue, IF_MATCH, LOCATION};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::address;
use crate::failure::Failure;
use crate::host::Http;
use crate::problem::{NO_API, Problem};

/// A client of the admin API of one Worker.
pub(crate) struct Client {
    http: Http,
    base: Url,
    token: HeaderValue,
}

/// A request to the API, sent by [`Client::send`].
pub(crate) struct Call<'a> {
    method: Method,
    path: &'a [&'a str],
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    if_match: Option<&'a str>,
}

/// A successful response of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The JSON body; null if it is empty.
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
    /// Creates a client for the Worker at `url`.
    ///
    /// # Errors
    /// Fails if the URL or the token is missing or invalid, or if the token would cross a network unencrypted.
    pub(crate) fn new(url: Option<&str>, token: &str) -> Result<Self, Failure> {
        let base = address::parse(url)?;
        if token.is_empty() {
            return Err(Failure::Usage(
                "SLUICEGATE_ADMIN_TOKEN is not set (set it to the value of the Worker's secret of the same name)"
                    .into(),
            ));
        }
        let mut token = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
            Failure::Usage(
                "SLUICEGATE_ADMIN_TOKEN contains a character that is not allowed in a token (check for a line break)"
                    .into(),
            )
        })?;
        token.set_sensitive(true);
        Ok(Client { http: Http::new()?, base, token })
    }

    /// Returns the host of the Worker, with its port if that is not the scheme's own.
    pub(crate) fn host(&self) -> String {
        let port = self.base.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}{port}", self.base.host_str().unwrap_or_default())
    }

    /// Sends a request and returns a successful response.
    ///
    /// # Errors
    /// Returns [`Failure::Refused`] if the API refuses the request, [`Failure::NoAnswer`] if there is no valid response.
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
                Err(self.not_sluicegate(&format!("nothing is at {}{API}: {NO_API}", self.base)))
            }
            None => Err(self.not_sluicegate(&format!("status {} without a problem document", status.as_u16()))),
        }
    }

    fn url(&self, path: &[&str], query: &[(&str, String)]) -> Result<Url, Failure> {
        // URL parsers remove these segments, so the request would address another resource.
        if let Some(segment) = path.iter().find(|segment| matches!(**segment, "" | "." | "..")) {
            return Err(Failure::Usage(format!("{segment:?} is not an id")));
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
        exchange(&self.http, &self.base, request).await
    }

    fn not_sluicegate(&self, problem: &str) -> Failure {
        Failure::NoAnswer(format!("{}: not a response of sluicegate: {problem}", self.base))
    }
}

impl Answer {
    /// Parses the body as a `T`.
    ///
    /// # Errors
    /// Fails if the body has another form: the Worker has another version.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        T::deserialize(&self.body).map_err(|error| {
            Failure::NoAnswer(format!(
                "the response has an unexpected form: {error} (the Worker may have another version: run `sluicegate doctor`)"
            ))
        })
    }

    /// Returns the body for programs, with the entity tag, which the API sends in a header.
    pub(crate) fn json(&self) -> Value {
        let mut json = self.body.clone();
        if let (Value::Object(members), Some(etag)) = (&mut json, &self.etag) {
            members.insert("etag".to_owned(), Value::from(etag.as_str()));
        }
        json
    }
}

/// Requests the Worker's health, which needs no token: the HTTP status and the body.
///
/// # Errors
/// Fails if the URL is missing or invalid, or if the Worker does not respond.
pub(crate) async fn health(url: Option<&str>) -> Result<(StatusCode, Value), Failure> {
    let base = address::parse(url)?;
    let mut url = base.clone();
    url.set_path(HEALTH);
    let http = Http::new()?;
    let (status, answer) = exchange(&http, &base, http.request(Method::GET, url)).await?;
    Ok((status, answer.body))
}

async fn exchange(http: &Http, base: &Url, request: RequestBuilder) -> Result<(StatusCode, Answer), Failure> {
    let reply = http.send(request).await.map_err(|problem| Failure::NoAnswer(format!("{base}: {problem}")))?;
    let header = |name| reply.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if reply.status.is_redirection() {
        let target = header(LOCATION).unwrap_or_default();
        let problem = format!("{base}: redirects to {target:?} (pass the final address as --url)");
        return Err(Failure::NoAnswer(problem));
    }
    let body =
        if reply.body.is_empty() { Value::Null } else { serde_json::from_slice(&reply.body).unwrap_or(Value::Null) };
    Ok((reply.status, Answer { body, etag: header(ETAG) }))
}

/// Returns the tag as a header value, with the quotation marks that a shell may have removed.
fn entity_tag(text: &str) -> Result<HeaderValue, Failure> {
    let tag = if text == "*" || text.contains('"') { text.to_owned() } else { format!("\"{text}\"") };
    HeaderValue::try_from(tag)
        .map_err(|_| Failure::Usage("--if-match: contains a character that is not allowed in an ETag".into()))
}

/// The path of the admin API.
const API: &str = "_sluicegate/v1";
/// The path of the health check.
const HEALTH: &str = "/_sluicegate/health";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_is_one_path_segment() {
        let client = Client::new(Some("https://x"), "t").unwrap();
        let url = |id: &str| client.url(&["tenants", id, "keys"], &[]).map(String::from);
        assert_eq!(url("acme").unwrap(), "https://x/_sluicegate/v1/tenants/acme/keys");
        assert_eq!(url("a/../b?c#d").unwrap(), "https://x/_sluicegate/v1/tenants/a%2F..%2Fb%3Fc%23d/keys");
        for id in ["", ".", ".."] {
            assert!(url(id).is_err(), "{id:?}");
        }
    }
}
