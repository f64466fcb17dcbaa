//! The address of a Worker.

use reqwest::Url;

use crate::failure::Failure;

/// Parses the address of a Worker: an origin, without a path.
///
/// # Errors
/// Fails if there is no address, if it is not an origin, or if the token would cross a network unencrypted.
pub(crate) fn parse(url: Option<&str>) -> Result<Url, Failure> {
    let Some(text) = url.filter(|url| !url.is_empty()) else {
        let problem = "no Worker address (pass --url https://api.example.com or set SLUICEGATE_URL)";
        return Err(Failure::Usage(problem.to_owned()));
    };
    let problem = |problem: &str| Err(Failure::Usage(format!("--url: {problem}")));
    let expected = "expected the Worker's address like \"https://api.example.com\"";
    let Ok(url) = Url::parse(text) else { return problem(&format!("{expected}, found {text:?}")) };
    match url.scheme() {
        "https" => (),
        "http" if is_loopback(&url) => (),
        "http" => {
            return problem(
                "would send the admin token unencrypted (use https; http is allowed only for this machine)",
            );
        }
        _ => return problem(&format!("{expected}, found {text:?}")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return problem("contains credentials (put the token into SLUICEGATE_ADMIN_TOKEN)");
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return problem(&format!("{expected} without a path, found {text:?}"));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_an_origin() {
        for text in
            ["https://api.example.com", "https://api.example.com:8443/", "http://127.0.0.1:8787", "http://[::1]:1"]
        {
            assert!(parse(Some(text)).is_ok(), "{text}");
        }
        for (text, problem) in [
            ("", "no Worker address (pass --url https://api.example.com or set SLUICEGATE_URL)"),
            (
                "api.example.com",
                "--url: expected the Worker's address like \"https://api.example.com\", found \"api.example.com\"",
            ),
            (
                "http://api.example.com",
                "--url: would send the admin token unencrypted (use https; http is allowed only for this machine)",
            ),
            ("https://u:p@x", "--url: contains credentials (put the token into SLUICEGATE_ADMIN_TOKEN)"),
            (
                "https://x/_sluicegate/v1",
                "--url: expected the Worker's address like \"https://api.example.com\" without a path, \
                 found \"https://x/_sluicegate/v1\"",
            ),
        ] {
            assert_eq!(parse(Some(text)).unwrap_err().to_string(), problem);
        }
    }
}
