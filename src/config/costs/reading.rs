//! What a route reads of a request before it is checked.

use super::pointer::{Pointer, Pointers};
use crate::config::header_name::header_name;
use crate::limit::MAX_INTEGER;

/// What a route reads of a request: its cost, and whether it asks for a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestReading {
    /// Where the request tells its cost. The first that has one counts.
    pub sources: Vec<CostSource>,
    /// The pointers of the sources.
    pub pointers: Pointers,
    /// The most that a request costs, in units.
    pub most: u64,
    /// The most bytes of a body that are read.
    pub bytes: usize,
    /// Whether a request for a stream also asks for its usage.
    pub include_usage: bool,
}

/// A place in a request that tells its cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CostSource {
    /// A header; the name is in lower case.
    Header(String),
    /// The place of a pointer into the JSON body.
    Json(usize),
}

impl RequestReading {
    /// A route that reads nothing.
    pub const NOTHING: RequestReading = RequestReading {
        sources: Vec::new(),
        pointers: Pointers::NONE,
        most: MAX_INTEGER,
        bytes: DEFAULT_BYTES,
        include_usage: false,
    };

    /// Adds the sources of an expression like `json:/max_tokens | header:x-batch | 1000`. Returns the number at its end,
    /// which is the cost of a request without any of them.
    ///
    /// # Errors
    /// Returns the problem.
    pub fn add_sources(&mut self, text: &str) -> Result<u64, String> {
        let (sources, fallback) = text.rsplit_once('|').unwrap_or(("", text));
        let fallback = fallback.trim();
        let number = fallback.parse().ok().filter(|_| fallback.bytes().all(|byte| byte.is_ascii_digit()));
        let number = number.ok_or_else(|| {
            format!("expected a number at the end, like \"json:/max_tokens | 1000\", found {fallback:?}")
        })?;
        for source in sources.split('|').map(str::trim).filter(|_| !sources.is_empty()) {
            let source = match source.split_once(':') {
                Some(("header", name)) => CostSource::Header(header_name(name.trim())?),
                Some(("json", pointer)) => CostSource::Json(self.pointers.add(Pointer::parse(pointer)?)?),
                _ => {
                    return Err(format!(
                        "expected json:/POINTER, header:NAME or a number at the end, found {source:?}"
                    ));
                }
            };
            self.sources.push(source);
        }
        if self.sources.len() > MAX_SOURCES {
            return Err(format!("expected at most {MAX_SOURCES} alternatives, found {}", self.sources.len()));
        }
        Ok(number)
    }

    /// Returns a source as it is written: `header:x-batch`, `json:/max_tokens`.
    #[must_use]
    pub fn text_of(&self, source: &CostSource) -> String {
        match source {
            CostSource::Header(name) => format!("header:{name}"),
            CostSource::Json(place) => {
                let pointer = self.pointers.iter().find(|(found, _)| found == place);
                format!("json:{}", pointer.map(|(_, pointer)| pointer.to_string()).unwrap_or_default())
            }
        }
    }

    /// Returns whether anything of the request is read.
    #[must_use]
    pub fn reads(&self) -> bool {
        !self.sources.is_empty() || self.include_usage
    }

    /// Returns whether the body is read.
    #[must_use]
    pub fn reads_body(&self) -> bool {
        !self.pointers.is_empty() || self.include_usage
    }
}

/// A long conversation. What a body has beyond that are images, mostly.
const DEFAULT_BYTES: usize = 256 << 10;

/// The most sources of a cost.
const MAX_SOURCES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Vec<CostSource>, u64), String> {
        let mut reading = RequestReading::NOTHING;
        let fallback = reading.add_sources(text)?;
        Ok((reading.sources, fallback))
    }

    #[test]
    fn sources_end_with_a_number() {
        let (sources, fallback) = read("json:/max_completion_tokens | json:/max_tokens|header:X-Batch | 1000").unwrap();
        assert_eq!(sources, [CostSource::Json(0), CostSource::Json(1), CostSource::Header("x-batch".to_owned())]);
        assert_eq!(fallback, 1000);
        let mut reading = RequestReading::NOTHING;
        reading.add_sources("header:X-Batch | json:/a/b~1c | 7").unwrap();
        let texts: Vec<_> = reading.sources.iter().map(|source| reading.text_of(source)).collect();
        assert_eq!(texts, ["header:x-batch", "json:/a/b~1c"]);
        assert_eq!(read("1000"), Ok((Vec::new(), 1000)));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, problem) in [
            ("", "expected a number at the end, like \"json:/max_tokens | 1000\", found \"\""),
            ("json:/a", "expected a number at the end, like \"json:/max_tokens | 1000\", found \"json:/a\""),
            ("json:/a | -1", "expected a number at the end, like \"json:/max_tokens | 1000\", found \"-1\""),
            ("json:/a | +1", "expected a number at the end, like \"json:/max_tokens | 1000\", found \"+1\""),
            ("json:a | 1", "expected a JSON pointer like \"/usage/total_tokens\", found \"a\""),
            ("x-batch | 1", "expected json:/POINTER, header:NAME or a number at the end, found \"x-batch\""),
            ("header: | 1", "expected the name of a header, found \"\""),
            ("1 | 2", "expected json:/POINTER, header:NAME or a number at the end, found \"1\""),
        ] {
            assert_eq!(read(text).unwrap_err(), problem, "{text}");
        }
        let many = format!("{}1", "header:x | ".repeat(9));
        assert_eq!(read(&many).unwrap_err(), "expected at most 8 alternatives, found 9");
    }
}
