//! The call as it is sent. Nothing of ours is in its URL or its body: handlers verify signatures over them.

use cvco_log::Envelope;

use crate::outbound::Delivery;

use super::RelaySettings;

/// Says to whoever reads it that the call was relayed, and which entry of the log it is.
pub(crate) const MARK: &str = "cvco-relay";

/// Headers of the PSP's call that are ours to set, or that concern its own connection.
const DROPPED: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    MARK,
];

/// The handler's URL with the raw query of a call after its own. Nothing is encoded again.
pub(super) fn join(url: &str, query: &str) -> String {
    let between = match url.split_once('?') {
        _ if query.is_empty() => "",
        None => "?",
        Some((_, own)) if own.is_empty() || own.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{url}{between}{query}")
}

/// The call to a handler; `None` if the stored bytes cannot be sent in HTTP.
pub(super) fn delivery(
    target: &RelaySettings,
    envelope: &Envelope,
    notification: i64,
    attempt: u32,
) -> Option<Delivery> {
    let query = std::str::from_utf8(&envelope.query).ok()?;
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    for line in envelope.headers.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
        if !DROPPED.contains(&name.as_str()) {
            headers.push((name, value.get(2..)?.to_vec()));
        }
    }
    if !envelope.user_agent.is_empty() {
        headers.push(("user-agent".to_owned(), envelope.user_agent.clone().into_bytes()));
    }
    if !envelope.peer.is_empty() {
        headers.push(("x-forwarded-for".to_owned(), envelope.peer.clone().into_bytes()));
    }
    headers.push(("x-forwarded-proto".to_owned(), b"https".to_vec()));
    headers.push((MARK.to_owned(), format!("seq={notification}; attempt={attempt}").into_bytes()));
    Some(Delivery {
        is_post: envelope.method == "POST",
        url: join(&target.url, query),
        host: target.host.clone(),
        headers,
        body: envelope.body.clone(),
        allow_private: target.allow_private,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cvco_domain::{HandlerAddress, RelayTarget};

    #[test]
    fn a_raw_query_follows_the_handlers_own_as_it_came() {
        for (url, query, joined) in [
            ("https://h/ipn", "Mt=6000&Sign=a%2Bb+c", "https://h/ipn?Mt=6000&Sign=a%2Bb+c"),
            ("https://h/ipn.php?a=i", "Mt=6000", "https://h/ipn.php?a=i&Mt=6000"),
            ("https://h/ipn?a=i&", "Mt=6000", "https://h/ipn?a=i&Mt=6000"),
            ("https://h/ipn?", "Mt=6000", "https://h/ipn?Mt=6000"),
            ("https://h/ipn?a=i", "", "https://h/ipn?a=i"),
            ("https://h/ipn", "", "https://h/ipn"),
        ] {
            assert_eq!(join(url, query), joined);
        }
    }

    fn target() -> RelaySettings {
        RelaySettings {
            id: RelayTarget::new("shop").expect("an id"),
            url: "https://shop.example/ipn".to_owned(),
            address: HandlerAddress::new("https://shop.example/ipn").expect("an address"),
            host: None,
            allow_private: false,
        }
    }

    #[test]
    fn signature_headers_pass_and_what_concerns_the_connection_does_not() {
        let envelope = Envelope {
            method: "POST".to_owned(),
            query: Vec::new(),
            body: b"{\"id\": 1}".to_vec(),
            peer: "192.0.2.7".to_owned(),
            user_agent: "PSP/1".to_owned(),
            headers:
                b"X-GCS-Signature: abc=\nContent-Type: application/json\nCookie: a=b\nAuthorization: x\n"
                    .to_vec(),
        };
        let call = delivery(&target(), &envelope, 7, 2).expect("a call");
        let header = |wanted: &str| {
            let found = call.headers.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        };
        assert_eq!(header("x-gcs-signature").as_deref(), Some("abc="));
        assert_eq!(header("content-type").as_deref(), Some("application/json"));
        assert_eq!(header("user-agent").as_deref(), Some("PSP/1"));
        assert_eq!(header("x-forwarded-for").as_deref(), Some("192.0.2.7"));
        assert_eq!(header("cvco-relay").as_deref(), Some("seq=7; attempt=2"));
        assert_eq!((header("cookie"), header("authorization")), (None, None));
        assert_eq!((call.is_post, call.body.as_slice()), (true, envelope.body.as_slice()));
    }
}
