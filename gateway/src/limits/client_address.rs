//! Who is at the other end: the connection's address, or, behind proxies that are trusted, the one
//! they say. Refuses to believe a header of anyone else.

use accounts::IpAllowList;
use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap},
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's address, which the first layer notes in every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl ClientAddress {
    /// The noted address; nowhere, on no list, in a request that no server took in.
    pub(crate) fn noted(extensions: &Extensions) -> IpAddr {
        extensions.get().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Self(address)| *address)
    }

    /// Of a request as the server gives it.
    pub(super) fn of(extensions: &Extensions, headers: &HeaderMap, proxies: &IpAllowList) -> Self {
        let connection = extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip());
        let lists = headers.get_all(FORWARDED_FOR).iter().map(|value| value.to_str().unwrap_or_default());
        Self(behind(connection, lists, proxies).to_canonical())
    }
}

/// Each proxy adds the address it was asked from at the end: from there back, the first that is not a
/// proxy of ours is the client. What cannot be read ends the way back.
fn behind<'a>(
    connection: IpAddr,
    lists: impl DoubleEndedIterator<Item = &'a str>,
    proxies: &IpAllowList,
) -> IpAddr {
    let mut address = connection;
    for entry in lists.rev().flat_map(|list| list.rsplit(',')) {
        if !proxies.lists(address) {
            break;
        }
        match entry.trim().parse() {
            Ok(before) => address = before,
            Err(_) => break,
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        for (proxies, connection, lists, client) in [
            ("", "198.51.100.1", &["203.0.113.7"][..], "198.51.100.1"),
            ("10.0.0.0/8", "198.51.100.1", &["203.0.113.7"], "198.51.100.1"),
            ("10.0.0.0/8", "10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.0/8", "10.0.0.1", &["203.0.113.7"], "203.0.113.7"),
            ("10.0.0.0/8", "::ffff:10.0.0.1", &["203.0.113.7"], "203.0.113.7"),
            // What the client itself wrote comes first, and counts for nothing.
            ("10.0.0.0/8", "10.0.0.1", &["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
            ("10.0.0.0/8", "10.0.0.1", &["1.1.1.1", "203.0.113.7,10.0.0.2"], "203.0.113.7"),
            ("10.0.0.0/8", "10.0.0.1", &["10.9.9.9, 203.0.113.7", "10.0.0.2"], "203.0.113.7"),
            ("10.0.0.0/8", "10.0.0.1", &["203.0.113.7, unknown"], "10.0.0.1"),
            ("10.0.0.0/8", "10.0.0.1", &["10.0.0.3"], "10.0.0.3"),
            ("10.0.0.0/8", "10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
        ] {
            let found = behind(connection.parse().unwrap(), lists.iter().copied(), &proxies.parse().unwrap());
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{proxies} {connection} {lists:?}");
        }
    }
}
