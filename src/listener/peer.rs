//! Who calls: the connection's address, or what a trusted proxy in front says.

use std::net::{IpAddr, SocketAddr};

use hyper::HeaderMap;
use ipnet::IpNet;

/// The caller's address. `X-Forwarded-For` is read from its end, the part that our own proxies have written,
/// up to the first address that is none of them.
pub(super) fn address(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut address = canonical(peer.ip());
    if !is_trusted(address) {
        return address;
    }
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for hop in forwarded.iter().rev() {
        let Ok(hop) = hop.trim().parse().map(canonical) else { break };
        address = hop;
        if !is_trusted(hop) {
            break;
        }
    }
    address
}

/// An IPv4 address that came in over an IPv6 socket is the IPv4 address.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().expect("header"));
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|t| t.parse().expect("network")).collect();
        address(peer.parse().expect("address"), &headers, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies = ["127.0.0.1/32", "10.0.0.0/8"];
        assert_eq!(caller("198.51.100.7:1", &["194.50.38.1"], &proxies), "198.51.100.7");
        assert_eq!(caller("127.0.0.1:1", &["194.50.38.1"], &proxies), "194.50.38.1");
        assert_eq!(caller("127.0.0.1:1", &["194.50.38.1, 198.51.100.7"], &proxies), "198.51.100.7");
        assert_eq!(caller("127.0.0.1:1", &["194.50.38.1, 10.0.0.3"], &proxies), "194.50.38.1");
        assert_eq!(caller("127.0.0.1:1", &["194.50.38.1", "10.0.0.3"], &proxies), "194.50.38.1");
        assert_eq!(caller("127.0.0.1:1", &["194.50.38.1, nonsense"], &proxies), "127.0.0.1");
        assert_eq!(caller("127.0.0.1:1", &[], &proxies), "127.0.0.1");
        assert_eq!(caller("[::ffff:127.0.0.1]:1", &["194.50.38.1"], &proxies), "194.50.38.1");
        assert_eq!(caller("127.0.0.1:1", &["194.50.38.1"], &[]), "127.0.0.1");
    }
}
