//! The subject that a request is charged to, and its Redis keys.
//!
//! All keys of a subject contain the same hash tag, `{SUBJECT}`, so all keys of one call are in one slot (Redis
//! Cluster specification, "Hash tags"). Text that a client can choose is percent-encoded in a key. The exception is a limit
//! of all callers together: its state has the hash tag `{everyone}`.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::by::By;
use super::limit::Limit;
use super::name::LimitName;

/// The owner of a quota: all requests of equal subjects share one.
///
/// A limit may have one quota for each value of something else, such as a header ([`Limit::by`]). Then the subject of a
/// request has the [value](Subject::with): a further subject, which owns a state of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The hash tag of the keys.
    name: String,
    /// What follows the hash tag, if this is a further subject.
    suffix: String,
    /// The further subjects of a request, if there are any. Remembered refusals share them.
    further: Option<Arc<Vec<(By, Subject)>>>,
}

impl Subject {
    /// Returns the subject of a client known only by its address.
    ///
    /// All clients without a known address share one quota: unknown does not mean unlimited.
    #[must_use]
    pub fn client(address: Option<IpAddr>, ipv6_prefix: u8) -> Self {
        address.map_or_else(|| Subject::named("ip:unknown"), |address| Subject::address(address, ipv6_prefix))
    }

    /// Returns the subject of an address. An IPv4-mapped address (`::ffff:a.b.c.d`) counts as IPv4. Other IPv6
    /// addresses with the same first `ipv6_prefix` bits are one subject.
    #[must_use]
    pub fn address(address: IpAddr, ipv6_prefix: u8) -> Self {
        Subject::named(&format!("ip:{}", Subject::network(address, ipv6_prefix)))
    }

    /// Returns the address or network that [`Subject::address`] names.
    #[must_use]
    pub fn network(address: IpAddr, ipv6_prefix: u8) -> String {
        match address.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("{}/{ipv6_prefix}", network(address, ipv6_prefix)),
        }
    }

    /// Returns the subject with this name. Percent-encodes everything that could end a hash tag or is hard to
    /// read.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let name = utf8_percent_encode(name, ENCODED).to_string();
        Subject { name, suffix: String::new(), further: None }
    }

    /// Adds the value by which limits of a request count. Without a value, `value` is empty.
    pub fn add(&mut self, by: &By, value: &[u8]) {
        if self.find(by).is_none() {
            let name = if *by == By::Everyone { EVERYONE } else { &self.name };
            let subject = Subject { name: name.to_owned(), suffix: by.key_suffix(value), further: None };
            Arc::make_mut(self.further.get_or_insert_default()).push((by.clone(), subject));
        }
    }

    /// Returns the subject with a value, as [`Subject::add`] adds it.
    #[must_use]
    pub fn with(mut self, by: &By, value: &[u8]) -> Self {
        self.add(by, value);
        self
    }

    /// Returns the subject that owns the state of a limit; `None` if the request has no value for it.
    #[must_use]
    pub fn owner(&self, limit: &Limit) -> Option<&Subject> {
        limit.by().map_or(Some(self), |by| self.find(by))
    }

    /// Returns the further subjects.
    #[must_use]
    pub fn further(&self) -> impl ExactSizeIterator<Item = &Subject> {
        self.further.as_deref().map_or(&[][..], Vec::as_slice).iter().map(|(_, subject)| subject)
    }

    /// Returns whether this is the same owner of a state, whatever its further subjects.
    #[must_use]
    pub fn is(&self, owner: &Subject) -> bool {
        self.name == owner.name && self.suffix == owner.suffix
    }

    /// Returns the subject without further ones.
    #[must_use]
    pub fn alone(&self) -> Self {
        Subject { name: self.name.clone(), suffix: self.suffix.clone(), further: None }
    }

    fn find(&self, by: &By) -> Option<&Subject> {
        self.further.as_deref()?.iter().find_map(|(found, subject)| (found == by).then_some(subject))
    }

    /// Returns the key of the packed state.
    #[must_use]
    pub fn state_key(&self) -> String {
        format!("sg:1:{{{}}}{}", self.name, self.suffix)
    }

    /// Returns the key of a sliding log.
    #[must_use]
    pub fn log_key(&self, limit: &LimitName) -> String {
        format!("sg:1:{{{}}}{}:log:{limit}", self.name, self.suffix)
    }

    /// Returns the key of the leases of a concurrency limit.
    #[must_use]
    pub fn inflight_key(&self, limit: &LimitName) -> String {
        format!("sg:1:{{{}}}{}:inflight:{limit}", self.name, self.suffix)
    }

    /// Returns the key of the ids of settled requests.
    #[must_use]
    pub fn settled_key(&self) -> String {
        format!("sg:1:{{{}}}{}:settled", self.name, self.suffix)
    }

    /// Returns the caller as text, as in the hash tag of keys and in logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

fn network(address: Ipv6Addr, prefix: u8) -> Ipv6Addr {
    let host_bits = 128_u32.saturating_sub(prefix.into());
    let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
    Ipv6Addr::from_bits(address.to_bits() & mask)
}

/// The name of the subject of all callers together. No other subject has it.
pub const EVERYONE: &str = "everyone";

/// The characters to encode: all except those in addresses and identifiers.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'.').remove(b':').remove(b'/').remove(b'-').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn subject(address: &str, prefix: u8) -> String {
        Subject::address(address.parse().unwrap(), prefix).name
    }

    #[test]
    fn ipv6_addresses_share_a_network_subject() {
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
    fn keys_contain_the_hash_tag() {
        let subject = Subject::address("203.0.113.7".parse().unwrap(), 64);
        let limit = LimitName::new("minute").unwrap();
        assert_eq!(subject.state_key(), "sg:1:{ip:203.0.113.7}");
        assert_eq!(subject.log_key(&limit), "sg:1:{ip:203.0.113.7}:log:minute");
        assert_eq!(subject.inflight_key(&limit), "sg:1:{ip:203.0.113.7}:inflight:minute");
        assert_eq!(subject.settled_key(), "sg:1:{ip:203.0.113.7}:settled");
    }

    #[test]
    fn keys_of_a_value_contain_the_callers_hash_tag() {
        let (header, everyone) = (By::parse("header:x-user").unwrap(), By::Everyone);
        let subject = Subject::named("tenant:acme").with(&header, b"ada").with(&everyone, b"").with(&header, b"bob");
        let limit =
            |name: &str| Limit::sliding_log(LimitName::new(name).unwrap(), 1, crate::time::Millis::new(1)).unwrap();
        let user = subject.owner(&limit("user").counting_by(header)).unwrap();
        assert_eq!(user.state_key(), "sg:1:{tenant:acme}:by:header:x-user:ada");
        assert_eq!(user.log_key(limit("day").name()), "sg:1:{tenant:acme}:by:header:x-user:ada:log:day");
        let everyone = subject.owner(&limit("all").counting_by(everyone)).unwrap();
        assert_eq!(everyone.state_key(), "sg:1:{everyone}");
        assert_eq!(subject.owner(&limit("own")).unwrap().state_key(), "sg:1:{tenant:acme}");
        assert_eq!(subject.owner(&limit("other").counting_by(By::Country)), None);
        assert_eq!((subject.further().len(), subject.alone()), (2, Subject::named("tenant:acme")));
    }

    #[test]
    fn an_unknown_address_has_a_subject() {
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
        fn different_names_are_different_subjects(a in "\\PC*", b in "\\PC*") {
            prop_assert_eq!(a == b, Subject::named(&a) == Subject::named(&b));
        }

        #[test]
        fn one_network_is_one_subject(bits in any::<u128>(), other in any::<u128>(), prefix in 1_u8..=128) {
            let network = |bits: u128| bits.checked_shr(128 - u32::from(prefix)).unwrap_or(0);
            let (a, b) = (Ipv6Addr::from_bits(bits), Ipv6Addr::from_bits(other));
            prop_assume!(a.to_ipv4_mapped().is_none() && b.to_ipv4_mapped().is_none());
            let same = Subject::address(a.into(), prefix) == Subject::address(b.into(), prefix);
            prop_assert_eq!(same, network(bits) == network(other));
        }
    }
}
