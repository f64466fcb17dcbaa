//! Single values of a query and of a `Cookie` header.

use std::borrow::Cow;

use percent_encoding::percent_decode;

/// Returns the first value of a query parameter, decoded as form data (WHATWG URL Standard, "urlencoded parsing"). It can
/// have any bytes.
#[must_use]
pub fn query_value(query: &str, name: &str) -> Option<Vec<u8>> {
    query.split('&').find_map(|pair| {
        let (found, value) = pair.split_once('=').unwrap_or((pair, ""));
        (form_decoded(found) == name.as_bytes()).then(|| form_decoded(value).into_owned())
    })
}

/// Returns the first value of a cookie in a `Cookie` header (RFC 6265, section 4.2).
#[must_use]
pub fn cookie_value<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').find_map(|pair| {
        let (found, value) = pair.split_once('=')?;
        (found.trim() == name).then_some(value.trim())
    })
}

fn form_decoded(text: &str) -> Cow<'_, [u8]> {
    if text.contains('+') {
        return percent_decode(text.replace('+', " ").as_bytes()).collect::<Vec<u8>>().into();
    }
    percent_decode(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_are_decoded() {
        for (query, expected) in [
            ("user=ada", Some(&b"ada"[..])),
            ("x=1&user=ada&user=bob", Some(b"ada")),
            ("us%65r=a+b%20c%2B", Some(b"a b c+")),
            ("user=%FF%00%7B", Some(b"\xff\0{")),
            ("user", Some(b"")),
            ("user=a=b", Some(b"a=b")),
            ("user=%zz%", Some(b"%zz%")),
            ("", None),
            ("users=1&User=2&xuser=3", None),
        ] {
            assert_eq!(query_value(query, "user").as_deref(), expected, "{query}");
        }
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        for (header, expected) in [
            ("session=abc", Some("abc")),
            ("a=1; session=abc; b=2", Some("abc")),
            ("xsession=1;session=\"a b\";session=2", Some("\"a b\"")),
            ("session=", Some("")),
            ("session", None),
            ("Session=1", None),
            ("", None),
        ] {
            assert_eq!(cookie_value(header, "session"), expected, "{header}");
        }
    }
}
