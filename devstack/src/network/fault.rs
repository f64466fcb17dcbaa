//! The faults of a network.

use std::time::Duration;

/// What a [`Network`](super::Network) does to requests and responses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: everything passes at once.
    #[default]
    None,
    /// Delays each piece of a response.
    Delay(Duration),
    /// Accepts connections and forwards no request. A request whose client has disconnected is lost.
    HoldRequests,
    /// Forwards requests and no response.
    HoldResponses,
    /// Forwards the head of a response, including the blank line, and not its body.
    HoldBody,
    /// Forwards the head of a response and half of its body.
    HoldHalfBody,
    /// Forwards one byte of a response in each interval.
    Drip(Duration),
    /// Forwards the head of a response and half of its body, then resets the connection.
    Reset,
    /// Breaks open connections and closes the port.
    Refuse,
    /// Answers each request itself. The server does not see it.
    Answer(Answer),
}

/// An HTTP response that a network sends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, without `Content-Length`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Creates a response with the header `Content-Type`.
    #[must_use]
    pub fn new(status: u16, content_type: &str, body: &str) -> Self {
        Self { status, headers: vec![("Content-Type", content_type.to_owned())], body: body.to_owned() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Returns the bytes on the wire; the reason phrase is empty.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 {} \r\n", self.status);
        for (name, value) in &self.headers {
            bytes.extend([name, ": ", value, "\r\n"]);
        }
        bytes.extend(["Content-Length: ", &self.body.len().to_string(), "\r\n\r\n", &self.body]);
        bytes.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_its_headers_and_length() {
        let answer = Answer::new(307, "text/html", "<p>").header("Location", "/x");
        let expected = "HTTP/1.1 307 \r\nContent-Type: text/html\r\nLocation: /x\r\nContent-Length: 3\r\n\r\n<p>";
        assert_eq!(answer.bytes(), expected.as_bytes());
    }
}
