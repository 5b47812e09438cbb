//! Who calls: the connection's address, or what a trusted proxy in front says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

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
    let forwarded: Vec<&[u8]> = headers
        .get_all("x-forwarded-for")
        .iter()
        .flat_map(|value| value.as_bytes().split(|b| *b == b','))
        .collect();
    for written in forwarded.iter().rev().filter(|written| !written.trim_ascii().is_empty()) {
        let Some(hop) = hop(written) else { break };
        address = canonical(hop);
        if !is_trusted(address) {
            break;
        }
    }
    address
}

/// Reads a hop in any way in which proxies write it: an address, with a port or without, in brackets or quotation marks, with
/// a zone.
fn hop(written: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(written).ok()?.trim();
    let text = text.strip_prefix('"').map_or(text, |rest| rest.strip_suffix('"').unwrap_or(rest)).trim();
    if let Ok(with_port) = text.parse::<SocketAddr>() {
        return Some(with_port.ip());
    }
    let inner = match text.strip_prefix('[') {
        // What follows the bracket is a port, whatever it is.
        Some(rest) => rest.split_once(']')?.0,
        None => text,
    };
    let inner = inner.split_once('%').map_or(inner, |(address, _zone)| address);
    let with_odd_port = || inner.split_once(':').and_then(|(address, _)| address.parse::<Ipv4Addr>().ok());
    inner.parse().ok().or_else(|| with_odd_port().map(IpAddr::V4))
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

    #[test]
    fn a_hop_is_read_in_every_spelling() {
        let from = |forwarded: &str| caller("127.0.0.1:1", &[forwarded], &["127.0.0.1/32"]);
        for written in [
            "194.50.38.12:54321",
            "\"194.50.38.12\"",
            "\"194.50.38.12:54321\"",
            "[::ffff:194.50.38.12]:54321",
            "::ffff:194.50.38.12",
            "[194.50.38.12]",
            " 194.50.38.12\t",
            "194.50.38.12:",
            "203.0.113.9, 194.50.38.12:443",
            "194.50.38.12, ",
            "194.50.38.12, 127.0.0.1:40000",
        ] {
            assert_eq!(from(written), "194.50.38.12", "{written}");
        }
        for written in ["[2001:db8::7]:443", "2001:db8::7", "\"[2001:db8::7]:443\"", "[2001:db8::7%eth0]:443"]
        {
            assert_eq!(from(written), "2001:db8::7", "{written}");
        }
        for nonsense in ["unknown", "_hidden", "[194.50.38.12", "194.50.38", "for=194.50.38.12"] {
            assert_eq!(from(nonsense), "127.0.0.1", "{nonsense}");
        }
        assert_eq!(from("198.51.100.7:443"), "198.51.100.7", "a stranger with a port is a stranger");
    }
}
