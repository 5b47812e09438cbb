//! What the targets share. An input is a message as it is on the wire, just like the files of `fixtures/`: so these are where
//! every run begins.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cvco_domain::crypto::{HmacSha256Key, RsaPublicKey};
use cvco_domain::{Contract, Mode, Psp};
use cvco_psp::api::BaseUrl;
use cvco_psp::sogecommerce::Algorithm;
use cvco_psp::up2pay::{Template, TrialKey};
use cvco_psp::{Adapter, Message, Method, Request, ancv, monext, sogecommerce, up2pay, worldline};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

/// The secret of every PSP that has one.
pub const KEY: &str = "a key of the fuzzer";

/// Signs for Up2pay.
pub static TRIAL_KEY: LazyLock<TrialKey> = LazyLock::new(TrialKey::published);

/// A message, taken apart as the listener does.
#[derive(Debug)]
pub struct Wire<'d> {
    /// The first line.
    pub start: &'d [u8],
    /// GET only if it says so.
    pub method: Method,
    /// What stands after the first `?`.
    pub query: &'d [u8],
    /// Name in lower case, and value.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The rest.
    pub body: &'d [u8],
}

impl<'d> Wire<'d> {
    /// Takes a message apart, whatever it is.
    #[must_use]
    pub fn of(data: &'d [u8]) -> Self {
        let (start, mut rest) = line(data);
        let target = start.split(|b| *b == b' ').nth(1).unwrap_or(start);
        let query = target.iter().position(|b| *b == b'?').map_or(&b""[..], |at| &target[at + 1..]);
        let method = if start.starts_with(b"GET ") { Method::Get } else { Method::Post };
        let mut headers = Vec::new();
        while !rest.is_empty() && headers.len() < 64 {
            let (header, after) = line(rest);
            rest = after;
            let Some(colon) = header.iter().position(|b| *b == b':') else { break };
            let name = String::from_utf8_lossy(&header[..colon]).to_ascii_lowercase();
            headers.push((name, header[colon + 1..].trim_ascii().to_vec()));
        }
        Self { start, method, query, headers, body: rest }
    }

    /// The status of an answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        let status = self.start.split(|b| *b == b' ').nth(1).and_then(|text| std::str::from_utf8(text).ok());
        status.and_then(|text| text.parse().ok()).unwrap_or(200)
    }

    /// The headers that an adapter asks for.
    #[must_use]
    pub fn headers_for(&self, adapter: &dyn Adapter) -> Vec<(&'static str, Vec<u8>)> {
        let wanted = adapter.headers().iter();
        wanted
            .flat_map(|name| {
                self.headers
                    .iter()
                    .filter(move |(known, _)| known == name)
                    .map(move |(_, value)| (*name, value.clone()))
            })
            .collect()
    }
}

fn line(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let rest = data.get(end + 1..).unwrap_or_default();
    (data[..end].strip_suffix(b"\r").unwrap_or(&data[..end]), rest)
}

fn base() -> BaseUrl {
    BaseUrl::parse("https://api.example/x").expect("an address")
}

/// An adapter that knows the trial key.
#[must_use]
pub fn up2pay() -> Box<dyn Adapter> {
    Box::new(up2pay::Up2pay::new(up2pay::Settings {
        mode: Mode::Test,
        template: Template::default(),
        keys: vec![RsaPublicKey::from_pem(TRIAL_KEY.public_pem().as_bytes()).expect("a key")],
        api: Some(up2pay::ApiSettings {
            base_url: base(),
            backup_url: Some(base()),
            site: "1999888".to_owned(),
            rang: "32".to_owned(),
            key: up2pay::ApiKey::from_hex(&"0123456789ABCDEF".repeat(8).into()).expect("a key"),
        }),
    }))
}

/// An adapter of this algorithm.
#[must_use]
pub fn sogecommerce(algorithm: Algorithm) -> Box<dyn Adapter> {
    Box::new(sogecommerce::Sogecommerce::new(sogecommerce::Settings {
        mode: Mode::Test,
        site_id: sogecommerce::SiteId::new("12345678").expect("an id"),
        keys: vec![KEY.to_owned().into()],
        algorithm,
        rest_passwords: vec![KEY.to_owned().into()],
        api: Some(base()),
    }))
}

/// One adapter of each PSP, with an API where it can have one.
pub static ADAPTERS: LazyLock<Vec<Box<dyn Adapter>>> = LazyLock::new(|| {
    let contract = |text: &str| Contract::new(text).expect("a contract");
    vec![
        up2pay(),
        sogecommerce(Algorithm::HmacSha256),
        Box::new(worldline::Worldline::new(worldline::Settings {
            mode: Mode::Test,
            merchant_id: "merchant".to_owned(),
            webhook_keys: vec![worldline::WebhookKey {
                id: "dummy-key-id".to_owned(),
                secret: KEY.to_owned().into(),
            }],
            api: Some(worldline::ApiSettings {
                base_url: base(),
                key_id: "id".to_owned(),
                secret: KEY.to_owned().into(),
            }),
        })),
        Box::new(monext::Monext::new(monext::Settings {
            mode: Mode::Test,
            merchant_id: "12345678901234".to_owned(),
            access_key: KEY.to_owned().into(),
            base_url: base(),
            directory_url: Some(base()),
            voucher_contracts: vec![contract("CVCO1")],
            card_contracts: vec![contract("CB1")],
        })),
        Box::new(ancv::Ancv::new(ancv::Settings {
            mode: Mode::Test,
            shop_id: "10000001".to_owned(),
            service_provider_id: "1".to_owned(),
            base_url: base(),
            key_version: "1".to_owned(),
            key: KEY.to_owned().into(),
        })),
    ]
});

/// The same message with the signature that makes it genuine: so the fuzzer gets behind the proof, and what is read there is
/// its own. A PSP that signs nothing takes it as it is.
pub fn signed(adapter: &dyn Adapter, wire: &Wire<'_>, then: impl FnOnce(&Request<'_>)) {
    match adapter.psp() {
        Psp::Up2pay => {
            // Signing takes longer than all else here: it is kept for what looks like a call.
            let Some(end) = wire.query.windows(11).position(|part| part == b"&Signature=") else { return };
            let mut query = wire.query[..end].to_vec();
            let signature = STANDARD.encode(TRIAL_KEY.sign_sha1(&query));
            query.extend_from_slice(b"&Signature=");
            query.extend(percent_encode(signature.as_bytes(), NON_ALPHANUMERIC).to_string().bytes());
            then(&Request { method: Method::Get, query: &query, body: b"", headers: &[] });
        }
        Psp::Sogecommerce => {
            let Ok(mut fields) = serde_urlencoded::from_bytes::<Vec<(String, String)>>(wire.body) else {
                return;
            };
            fields.retain(|(name, _)| name != "signature");
            let key = KEY.to_owned().into();
            let form = sogecommerce::sender::sign_form(fields, &key, Algorithm::HmacSha256);
            then(&form.as_request());
        }
        Psp::Worldline => {
            let tag = HmacSha256Key::new(KEY.to_owned().into()).tag(wire.body);
            let mut headers = wire.headers_for(adapter);
            headers.retain(|(name, _)| *name != worldline::SIGNATURE);
            headers.push((worldline::SIGNATURE, STANDARD.encode(tag).into_bytes()));
            then(&Request { method: Method::Post, query: b"", body: wire.body, headers: &headers });
        }
        Psp::Monext | Psp::Ancv => {}
    }
}

/// All that the daemon does with a request. What was proven and read must be read in the same way again.
pub fn take(adapter: &dyn Adapter, request: &Request<'_>) -> Option<Message> {
    adapter.handshake(request);
    adapter.diagnose(request);
    let message = adapter.prove(request).ok()?;
    let read = adapter.read(&message);
    assert_eq!(read, adapter.read(&message), "the same bytes say the same");
    if let Ok(reading) = &read {
        let entry = format!("{reading:?}");
        assert!(entry.len() < 64 * 1024 * 1024, "what is stored is bounded");
    }
    Some(message)
}
