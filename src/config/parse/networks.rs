//! Lists of addresses and networks.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use crate::config::error::ConfigError;

/// Parses addresses and networks in CIDR notation. IPv4-mapped ones (`::ffff:a.b.c.d`) become IPv4, as the addresses of
/// clients do.
pub(super) fn networks(path: fmt::Arguments<'_>, texts: &[String]) -> Result<Vec<IpNet>, ConfigError> {
    let network = |(i, text): (usize, &String)| {
        let parsed = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        parsed.ok().and_then(canonical).ok_or_else(|| {
            let problem = format!("expected an address or a network like \"192.0.2.0/24\", found {text:?}");
            ConfigError::new(format!("{path}[{i}]"), problem)
        })
    };
    texts.iter().enumerate().map(network).collect()
}

/// Converts an IPv4-mapped network to IPv4. Returns `None` if it is larger than all of IPv4.
fn canonical(network: IpNet) -> Option<IpNet> {
    let IpNet::V6(six) = network else { return Some(network) };
    match six.addr().to_ipv4_mapped() {
        Some(address) => Ipv4Net::new(address, six.prefix_len().checked_sub(96)?).ok().map(IpNet::V4),
        None => Some(network),
    }
}
