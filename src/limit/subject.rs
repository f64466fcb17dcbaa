//! Who is asking: the subject whose quota a request is charged to, and how its keys are spelled.
//!
//! All keys of one subject carry the same Redis Cluster hash tag, `{SUBJECT}`, so that every key of one
//! call is in one slot (Redis Cluster specification, "Hash tags"). What a client can choose is
//! percent-encoded before it enters a key.

use std::net::{IpAddr, Ipv6Addr};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::name::LimitName;

/// A subject: everything that shares one quota.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject(String);

impl Subject {
    /// The subject of a client that is known by its address only.
    ///
    /// Clients of which not even that is known share one quota: unknown is not unlimited.
    #[must_use]
    pub fn client(address: Option<IpAddr>, ipv6_prefix: u8) -> Self {
        address.map_or_else(|| Subject::named("ip:unknown"), |address| Subject::address(address, ipv6_prefix))
    }

    /// The subject of an address. IPv4 in IPv6's clothes (`::ffff:a.b.c.d`) is IPv4; of other IPv6
    /// addresses the first `ipv6_prefix` bits count.
    #[must_use]
    pub fn address(address: IpAddr, ipv6_prefix: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Subject::named(&format!("ip:{address}")),
            IpAddr::V6(address) => {
                let network = network(address, ipv6_prefix);
                Subject::named(&format!("ip:{network}/{ipv6_prefix}"))
            }
        }
    }

    /// The subject of this name. Whatever could end a hash tag or confuse a reader is percent-encoded.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Subject(utf8_percent_encode(name, ENCODED).to_string())
    }

    /// The key of the packed state.
    #[must_use]
    pub fn state_key(&self) -> String {
        format!("sg:1:{{{}}}", self.0)
    }

    /// The key of a sliding log.
    #[must_use]
    pub fn log_key(&self, limit: &LimitName) -> String {
        format!("sg:1:{{{}}}:log:{limit}", self.0)
    }

    /// The key of the leases of a limit of concurrency.
    #[must_use]
    pub fn inflight_key(&self, limit: &LimitName) -> String {
        format!("sg:1:{{{}}}:inflight:{limit}", self.0)
    }

    /// The key of the ids of requests that are settled.
    #[must_use]
    pub fn settled_key(&self) -> String {
        format!("sg:1:{{{}}}:settled", self.0)
    }

    /// The subject's text as it stands in keys and logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn network(address: Ipv6Addr, prefix: u8) -> Ipv6Addr {
    let host_bits = 128_u32.saturating_sub(prefix.into());
    let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
    Ipv6Addr::from_bits(address.to_bits() & mask)
}

/// Everything but what addresses and identifiers need.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'.').remove(b':').remove(b'/').remove(b'-').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn subject(address: &str, prefix: u8) -> String {
        Subject::address(address.parse().unwrap(), prefix).0
    }

    #[test]
    fn addresses_are_grouped() {
        for (address, prefix, expected) in [
            ("203.0.113.7", 64, "ip:203.0.113.7"),
            ("::ffff:203.0.113.7", 64, "ip:203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", 64, "ip:2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::", 64, "ip:2001:db8:1:2::/64"),
            ("2001:db8:1:2ff:3::", 56, "ip:2001:db8:1:200::/56"),
            ("2001:db8::1", 128, "ip:2001:db8::1/128"),
            ("2001:db8::1", 1, "ip:::/1"),
            ("::1", 64, "ip:::/64"),
        ] {
            assert_eq!(subject(address, prefix), expected, "{address}");
        }
    }

    #[test]
    fn keys_carry_the_hash_tag() {
        let subject = Subject::address("203.0.113.7".parse().unwrap(), 64);
        let limit = LimitName::new("minute").unwrap();
        assert_eq!(subject.state_key(), "sg:1:{ip:203.0.113.7}");
        assert_eq!(subject.log_key(&limit), "sg:1:{ip:203.0.113.7}:log:minute");
        assert_eq!(subject.inflight_key(&limit), "sg:1:{ip:203.0.113.7}:inflight:minute");
        assert_eq!(subject.settled_key(), "sg:1:{ip:203.0.113.7}:settled");
    }

    #[test]
    fn a_request_without_an_address_is_not_unlimited() {
        assert_eq!(Subject::client(None, 64).as_str(), "ip:unknown");
    }

    proptest! {
        #[test]
        fn no_name_breaks_the_hash_tag(name in "\\PC*") {
            let key = Subject::named(&name).state_key();
            prop_assert_eq!(key.matches(['{', '}']).count(), 2);
            prop_assert!(key.bytes().all(|byte| byte.is_ascii_graphic()));
        }

        #[test]
        fn two_names_are_two_subjects(a in "\\PC*", b in "\\PC*") {
            prop_assert_eq!(a == b, Subject::named(&a) == Subject::named(&b));
        }

        #[test]
        fn addresses_of_one_network_are_one_subject(bits in any::<u128>(), other in any::<u128>(), prefix in 1_u8..=128) {
            let network = |bits: u128| bits.checked_shr(128 - u32::from(prefix)).unwrap_or(0);
            let (a, b) = (Ipv6Addr::from_bits(bits), Ipv6Addr::from_bits(other));
            prop_assume!(a.to_ipv4_mapped().is_none() && b.to_ipv4_mapped().is_none());
            let same = Subject::address(a.into(), prefix) == Subject::address(b.into(), prefix);
            prop_assert_eq!(same, network(bits) == network(other));
        }
    }
}
