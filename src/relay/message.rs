//! The call as it is sent. Nothing of ours is in its URL or its body: handlers verify signatures over them.

use cvco_domain::Timestamp;
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

/// What our own signature covers: the body, and of a call without one the query as the handler gets it.
fn signed_part<'c>(is_post: bool, url: &'c str, envelope: &'c Envelope) -> &'c [u8] {
    if is_post { &envelope.body } else { url.split_once('?').map_or("", |(_, query)| query).as_bytes() }
}

fn host_of(url: &str) -> Option<String> {
    let uri: hyper::Uri = url.parse().ok()?;
    uri.authority().map(ToString::to_string)
}

/// The call to a handler; `None` if the stored bytes cannot be sent in HTTP.
pub(super) fn delivery(
    target: &RelaySettings,
    envelope: &Envelope,
    notification: i64,
    attempt: u32,
    now: Timestamp,
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
    // From the configuration alone: shops make links of it, and a caller can write what it likes.
    if let Some(host) = target.host.clone().or_else(|| host_of(&target.url)) {
        headers.push(("x-forwarded-host".to_owned(), host.into_bytes()));
    }
    headers.push((MARK.to_owned(), format!("seq={notification}; attempt={attempt}").into_bytes()));
    let (is_post, url) = (envelope.method == "POST", join(&target.url, query));
    if let Some(signer) = &target.signer {
        headers.extend(signer.headers(&notification.to_string(), now, signed_part(is_post, &url, envelope)));
    }
    Some(Delivery {
        is_post,
        url,
        host: target.host.clone(),
        headers,
        body: envelope.body.clone(),
        allow_private: target.allow_private,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::Signer;
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
            wait: std::time::Duration::ZERO,
            signer: None,
        }
    }

    /// A header of the call that a PSP made.
    fn header_of(target: &RelaySettings, envelope: &Envelope, wanted: &str) -> Option<String> {
        let now = Timestamp::from_millis(1_780_000_000_000);
        let call = delivery(target, envelope, 7, 2, now).expect("a call");
        let found = call.headers.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    fn called_by(method: &str, query: &str, body: &str) -> Envelope {
        Envelope {
            method: method.to_owned(),
            query: query.as_bytes().to_vec(),
            body: body.as_bytes().to_vec(),
            peer: String::new(),
            user_agent: String::new(),
            headers: Vec::new(),
        }
    }

    #[test]
    fn the_host_that_is_passed_on_is_the_one_of_the_configuration() {
        let call = called_by("GET", "Mt=1", "");
        let host = |target: &RelaySettings| header_of(target, &call, "x-forwarded-host");
        assert_eq!(host(&target()).as_deref(), Some("shop.example"));
        let by_address = RelaySettings {
            url: "http://10.0.0.7:8080/ipn".to_owned(),
            host: Some("www.shop.example".to_owned()),
            ..target()
        };
        assert_eq!(host(&by_address).as_deref(), Some("www.shop.example"));
    }

    #[test]
    fn with_a_secret_each_attempt_is_signed_under_the_number_of_the_call() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned().into();
        let signer = Signer::of([&secret]).expect("a secret");
        let target = RelaySettings { signer: Some(signer.clone()), ..target() };
        let now = Timestamp::from_millis(1_780_000_000_000);
        let over = |covered: &[u8]| {
            let [_, _, (_, signature)] = signer.headers("7", now, covered);
            String::from_utf8(signature).expect("text")
        };
        let signature = |call: &Envelope| header_of(&target, call, "webhook-signature").expect("signed");
        let post = called_by("POST", "", "vads_hash=a");
        assert_eq!(signature(&post), over(b"vads_hash=a"));
        assert_eq!(header_of(&target, &post, "webhook-id").as_deref(), Some("7"));
        let with_query = RelaySettings { url: "https://shop.example/ipn?a=i".to_owned(), ..target.clone() };
        let get = called_by("GET", "Mt=1", "");
        assert_eq!(header_of(&with_query, &get, "webhook-signature"), Some(over(b"a=i&Mt=1")));
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
        let now = Timestamp::from_millis(1_780_000_000_000);
        let call = delivery(&target(), &envelope, 7, 2, now).expect("a call");
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
