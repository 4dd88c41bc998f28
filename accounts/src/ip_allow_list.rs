//! From where a key may be used. Refuses to know how the client's address was found (a proxy's header
//! is the gateway's matter).

use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Addresses and networks; an empty list allows every address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpAllowList(Vec<IpNet>);

/// An entry that is neither an address nor a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address and no network; write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32")]
pub struct BadNetwork(String);

impl IpAllowList {
    /// Whether a request from `address` is allowed. An IPv4 address inside IPv6 counts as IPv4.
    pub fn allows(&self, address: IpAddr) -> bool {
        self.0.is_empty() || self.lists(address)
    }

    /// Whether an entry names `address`: an empty list names none.
    pub fn lists(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether every address that this list allows is allowed by `other` too.
    pub fn is_within(&self, other: &Self) -> bool {
        let covered = |network: &IpNet| other.0.iter().any(|wider| wider.contains(network));
        other.0.is_empty() || (!self.0.is_empty() && self.0.iter().all(covered))
    }

    /// The entries, as networks (an address is a network of one).
    pub fn networks(&self) -> &[IpNet] {
        &self.0
    }
}

impl FromStr for IpAllowList {
    type Err = BadNetwork;

    /// Parses entries with a comma between; empty: an empty list.
    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let networks = entries.map(|entry| {
            let network = entry.parse::<IpNet>().ok();
            let address = || entry.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical()));
            network.or_else(address).ok_or_else(|| BadNetwork(entry.to_owned()))
        });
        networks.collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for IpAllowList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for network in &self.0 {
            write!(formatter, "{separator}{network}")?;
            separator = ",";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_allowed_by_the_list() {
        for (list, address, allowed) in [
            ("", "203.0.113.7", true),
            ("", "2001:db8::1", true),
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("203.0.113.7", "::ffff:203.0.113.7", true),
            ("::ffff:203.0.113.7", "203.0.113.7", true),
            ("203.0.113.0/24", "203.0.113.255", true),
            ("203.0.113.0/24", "203.0.114.0", false),
            ("203.0.113.0/24", "2001:db8::1", false),
            ("10.0.0.0/8, 2001:db8::/32", "2001:db8:ffff::1", true),
            ("10.0.0.0/8, 2001:db8::/32", "10.255.0.1", true),
            ("10.0.0.0/8, 2001:db8::/32", "2001:db9::1", false),
            ("0.0.0.0/0", "198.51.100.1", true),
        ] {
            let parsed: IpAllowList = list.parse().unwrap();
            assert_eq!(parsed.allows(address.parse().unwrap()), allowed, "{list:?} {address}");
            assert_eq!(parsed.to_string().parse::<IpAllowList>().unwrap(), parsed);
        }
    }

    #[test]
    fn a_list_is_within_another_that_allows_as_much() {
        for (list, other, within) in [
            ("", "", true),
            ("10.0.0.0/8", "", true),
            ("", "10.0.0.0/8", false),
            ("10.1.0.0/16", "10.0.0.0/8", true),
            ("10.0.0.0/8", "10.0.0.0/8", true),
            ("10.0.0.0/7", "10.0.0.0/8", false),
            ("10.1.2.3,2001:db8:1::/48", "10.0.0.0/8,2001:db8::/32", true),
            ("10.1.2.3,203.0.113.7", "10.0.0.0/8", false),
        ] {
            let parsed = |text: &str| text.parse::<IpAllowList>().unwrap();
            assert_eq!(parsed(list).is_within(&parsed(other)), within, "{list:?} in {other:?}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for bad in ["localhost", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "10.0.0.0/8;1.2.3.4", "2001:db8::/129"] {
            assert!(bad.parse::<IpAllowList>().is_err(), "{bad}");
        }
    }
}
