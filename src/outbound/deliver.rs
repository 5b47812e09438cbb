//! A call to a shop's own handler: as it came, to an address that may be called, and no further than its first answer.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use cvco_domain::Bilingual;
use cvco_psp::api::CallFailure;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use hyper::{Request, Uri};

use super::connect::Stream;
use super::exchange;
use super::target::Target;

/// So much of an answer is read; shops answer with whole pages.
const START_BYTES: usize = 64 * 1024;

/// A call to be handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// POST, else GET.
    pub is_post: bool,
    /// Where to, with the whole query.
    pub url: String,
    /// The name to ask for there, where it is not the one in `url`.
    pub host: Option<String>,
    /// All headers but those of the connection itself; names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
    /// It may go to this host or its network.
    pub allow_private: bool,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Where a redirection leads.
    pub location: Option<String>,
    /// How long to leave it alone.
    pub retry_after: Option<Duration>,
    /// The answer's first bytes.
    pub start: Vec<u8>,
}

/// The request as it will be sent.
pub(super) fn message(delivery: &Delivery, target: &Target) -> Result<Request<Full<Bytes>>, CallFailure> {
    let unfit = |what: &str| target.unreachable(format!("{what} holds what HTTP cannot carry"));
    let mut message = Request::new(Full::new(Bytes::copy_from_slice(&delivery.body)));
    *message.method_mut() = if delivery.is_post { hyper::Method::POST } else { hyper::Method::GET };
    *message.uri_mut() = Uri::from(target.path.clone());
    let headers = message.headers_mut();
    for (name, value) in &delivery.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit("a header"))?;
        headers.append(name, HeaderValue::from_bytes(value).map_err(|_| unfit("a header"))?);
    }
    let host = delivery.host.as_deref().unwrap_or(&target.authority);
    headers.insert(HOST, HeaderValue::from_str(host).map_err(|_| unfit("its name"))?);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(message)
}

/// Sends it and reads the answer's head and first bytes.
pub(super) async fn exchange(
    stream: Box<dyn Stream>,
    message: Request<Full<Bytes>>,
    target: &Target,
) -> Result<Reply, CallFailure> {
    exchange::send(stream, message, target, async |response| {
        let status = response.status().as_u16();
        let location = text(response.headers(), &LOCATION);
        // The date that it may be instead is as good as nothing: clocks of shops differ.
        let retry_after = text(response.headers(), &RETRY_AFTER)
            .and_then(|text| text.trim().parse().ok())
            .map(Duration::from_secs);
        let start = first_bytes(response.into_body()).await?;
        Ok(Reply { status, location, retry_after, start })
    })
    .await
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

async fn first_bytes(mut body: Incoming) -> Result<Vec<u8>, hyper::Error> {
    let mut start = Vec::new();
    while start.len() < START_BYTES {
        let Some(frame) = body.frame().await else { break };
        let Ok(data) = frame?.into_data() else { continue };
        start.extend_from_slice(&data);
    }
    start.truncate(START_BYTES);
    Ok(start)
}

/// Why a handler at this address is not called unless the configuration allows it: a name of the outside that leads into the
/// own network may have been made to.
pub(crate) fn why_private(address: IpAddr) -> Option<Bilingual> {
    is_private(address).then(|| {
        Bilingual::new(
            format!(
                "{address} est une adresse de cette machine ou d’un réseau privé\u{a0}; allow_private = true l’autorise"
            ),
            format!("{address} is an address of this host or a private network; allow_private = true allows it"),
        )
    })
}

/// Loopback, private, link-local (where clouds keep their credentials), shared (RFC 6598), unique local, multicast,
/// documentation, reserved; a v6 address that carries a v4 one goes by that one.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_documentation()
                || a == 0
                || (a == 100 && b & 0xc0 == 64)
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && b & 0xfe == 18)
                || a >= 240
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            let [first, second, ..] = segments;
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_private(IpAddr::V4(v4));
            }
            let tail = || {
                let [.., high, low] = segments;
                IpAddr::from(((u32::from(high) << 16) | u32::from(low)).to_be_bytes())
            };
            match (first, second) {
                // NAT64 (RFC 6052), and the old compatible form, `::` and `::1` among them.
                (0x64, 0xff9b) | (0, 0) => is_private(tail()),
                // 6to4 (RFC 3056).
                (0x2002, _) => {
                    let [_, high, low, ..] = segments;
                    is_private(IpAddr::from(((u32::from(high) << 16) | u32::from(low)).to_be_bytes()))
                }
                (0x2001, 0xdb8 | 0) => true,
                _ => {
                    v6.is_multicast()
                        || first & 0xfe00 == 0xfc00
                        || first & 0xffc0 == 0xfe80
                        || first & 0xffc0 == 0xfec0
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_own_network_are_told_from_those_of_the_outside() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "::7f00:1",
            "2001:db8::1",
            "2001:0:1::1",
        ] {
            assert!(is_private(private.parse().expect(private)), "{private}");
        }
        for public in [
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(!is_private(public.parse().expect(public)), "{public}");
        }
    }
}
