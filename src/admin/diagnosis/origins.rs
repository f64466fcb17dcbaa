//! Checks that no origin leads back to the Worker.

use std::collections::BTreeSet;

use url::Url;

use super::check::Check;

/// Returns what can be said about the origins of the Worker that answers at `worker`, if that is known.
pub(super) fn check(origins: &BTreeSet<String>, worker: Option<&Url>) -> Vec<Check> {
    let leads_back = |origin: &String| leads_back(origin, worker?);
    let problems: Vec<_> = origins.iter().filter_map(leads_back).collect();
    if problems.is_empty() {
        let all: Vec<_> = origins.iter().map(String::as_str).collect();
        return vec![Check::ok("origin", all.join(", "))];
    }
    problems
}

fn leads_back(origin: &str, worker: &Url) -> Option<Check> {
    if origin == "zone" {
        let found = "zone: a request to workers.dev comes back to this Worker, which is its only origin";
        let remedy = "run the Worker on a route of your zone, and set workers_dev = false";
        return account(worker).map(|_| Check::failure("origin", found, remedy));
    }
    // A service is no URL with a host.
    let url = Url::parse(origin).ok().filter(Url::has_host)?;
    if (url.host(), url.port_or_known_default()) == (worker.host(), worker.port_or_known_default()) {
        let found = format!(
            "{origin} is where the Worker itself answers: unless that is a route of a zone, each request comes back"
        );
        let remedy = "name the address of the server behind it, or use \"zone\" on a route or \"service:NAME\"";
        return Some(Check::warning("origin", found, remedy));
    }
    if account(&url).is_some() && account(&url) == account(worker) {
        let found = format!("{origin} is a Worker of the same account: Cloudflare answers with error 1042");
        return Some(Check::failure("origin", found, "bind it in [[services]] and use \"service:NAME\""));
    }
    None
}

/// Returns the name of the account in an address of workers.dev.
fn account(url: &Url) -> Option<&str> {
    url.host_str()?.strip_suffix(".workers.dev")?.rsplit('.').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_that_lead_back_are_found() {
        let check = |worker: &str, origin: &str| leads_back(origin, &Url::parse(worker).unwrap());
        for (worker, origin) in [
            ("https://api.example.com", "https://api.example.com/v1"),
            ("https://API.example.com:443", "https://api.example.com"),
            ("https://gate.me.workers.dev", "https://shop.me.workers.dev"),
            ("https://gate.me.workers.dev", "zone"),
        ] {
            assert!(check(worker, origin).is_some(), "{worker}: {origin}");
        }
        for (worker, origin) in [
            ("https://api.example.com", "https://origin.example.com"),
            ("http://127.0.0.1:8787", "http://127.0.0.1:9000"),
            ("https://api.example.com", "zone"),
            ("https://api.example.com", "service:API"),
            ("https://gate.me.workers.dev", "service:API"),
            ("https://gate.me.workers.dev", "https://shop.you.workers.dev"),
        ] {
            assert_eq!(check(worker, origin), None, "{worker}: {origin}");
        }
    }
}
