//! The lines of wrangler's output that say how the Worker is.

use std::net::{Ipv4Addr, SocketAddr};

use super::log::{Follow, Line};

/// Waits until wrangler names the address of the Worker.
pub(super) async fn ready(mut lines: Follow) -> SocketAddr {
    find(&mut lines, address_in).await
}

/// Waits until wrangler reports that workerd has crashed. It does not do so when it stops workerd itself, to reload the
/// Worker or to exit.
pub(super) async fn crash(mut lines: Follow) {
    find(&mut lines, |line| line.contains(CRASHED).then_some(())).await;
}

async fn find<T>(lines: &mut Follow, value: impl Fn(&str) -> Option<T>) -> T {
    while let Some(Line { text, .. }) = lines.next().await {
        if let Some(value) = value(&text) {
            return value;
        }
    }
    // wrangler is exiting, which the waiting caller observes in another way.
    std::future::pending().await
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, url) = line.split_once("Ready on http://")?;
    let (_, port) = url.trim().rsplit_once(':')?;
    Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().ok()?)))
}

const CRASHED: &str = "[wrangler:warn] The Workers runtime crashed";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_one_wrangler_names() {
        let expected = Some(SocketAddr::from(([127, 0, 0, 1], 40_995)));
        assert_eq!(address_in("[wrangler:info] Ready on http://127.0.0.1:40995"), expected);
        assert_eq!(address_in("[wrangler:info] Ready on http://localhost:40995 "), expected);
        assert_eq!(address_in("Starting local server..."), None);
    }
}
