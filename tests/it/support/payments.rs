//! Payments as the PSPs tell of them, signed with keys of these tests.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use cvco_domain::{Cents, Mode, Timestamp};
use cvco_psp::WireMessage;
use cvco_psp::sogecommerce::codes::{Source, TransStatus};
use cvco_psp::sogecommerce::{self, Algorithm, SiteId};
use cvco_psp::up2pay::{self, Template, TrialKey};

/// The token of every endpoint of these tests.
pub const TOKEN: &str = "6f1c0a5be9d24c7f8a3b2c1d0e9f8a7b";

/// A key of these tests alone: the one that is published for trials is refused in production.
const PRIVATE_PEM: &str = include_str!("up2pay-private-key.pem");

/// The Up2pay key of these tests.
pub fn key() -> &'static TrialKey {
    static KEY: LazyLock<TrialKey> =
        LazyLock::new(|| TrialKey::from_private_pem(PRIVATE_PEM.as_bytes()).expect("a key"));
    &KEY
}

pub fn private_pem() -> String {
    PRIVATE_PEM.to_owned()
}

pub fn public_pem() -> String {
    key().public_pem()
}

/// One part of an Up2pay payment.
#[derive(Clone)]
pub struct Up2pay(pub up2pay::Call);

impl Up2pay {
    pub fn voucher(reference: &str, call: u64, cents: i64) -> Self {
        Self(up2pay::Call {
            amount: Cents::new(cents),
            reference: reference.to_owned(),
            authorisation: None,
            call_number: call.to_string(),
            brand: "CVCONNECT".to_owned(),
            error: "00000".to_owned(),
            transaction: format!("{call}1"),
            date_time: None,
            index: None,
        })
    }

    pub fn card(reference: &str, call: u64, cents: i64) -> Self {
        let mut card = Self::voucher(reference, call, cents);
        card.0.brand = "LIMOCB".into();
        card.0.transaction = format!("{call}2");
        card.0.authorisation = Some("292615".to_owned());
        card
    }

    pub fn refused(mut self) -> Self {
        self.0.error = "00151".into();
        self.0.authorisation = None;
        self.0.transaction.push('9');
        self
    }

    pub fn wire(&self) -> WireMessage {
        self.0.signed(&Template::default(), key())
    }

    /// The path and query of the call.
    pub fn target(&self) -> String {
        format!("/n/up2pay/{TOKEN}?{}", self.wire().query)
    }
}

/// A query of Up2pay with whatever bytes, signed as they stand.
pub fn signed_by_up2pay(variables: &[u8]) -> Vec<u8> {
    let base64 = STANDARD.encode(key().sign_sha1(variables));
    let value = base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    [variables, format!("&Signature={value}").as_bytes()].concat()
}

/// A Sogecommerce notification.
pub struct Sogecommerce(pub sogecommerce::sender::Call);

impl Sogecommerce {
    pub const KEY: &'static str = "1122334455667788";
    pub const SITE: &'static str = "12345678";

    pub fn split(reference: &str, trans_id: &str, voucher: i64, card: i64) -> Self {
        let part = |brand: &str, cents: i64, number: u8| sogecommerce::sender::Part {
            brand: brand.to_owned(),
            amount: Cents::new(cents),
            status: TransStatus::of("AUTHORISED"),
            auth_result: if brand == "CVCO" { "0".to_owned() } else { "00".to_owned() },
            uuid: Some(format!("{:0>31}{number}", hex::encode(trans_id))),
            auth_number: (brand != "CVCO").then(|| "949478".to_owned()),
            contract: "5785350".to_owned(),
            refund: false,
        };
        Self(sogecommerce::sender::Call {
            site_id: SiteId::new(Self::SITE).expect("site"),
            mode: Mode::Production,
            trans_id: trans_id.to_owned(),
            trans_date: Timestamp::parse("2026-03-01T10:00:00Z").expect("date"),
            order_ref: Some(reference.to_owned()),
            total: Cents::new(voucher + card),
            source: Source::of("PAY"),
            attempt: 1,
            parts: vec![part("CVCO", voucher, 1), part("VISA", card, 2)],
        })
    }

    pub fn wire(&self) -> WireMessage {
        self.0.form(&Self::KEY.to_owned().into(), Algorithm::HmacSha256)
    }

    pub fn target() -> String {
        format!("/n/sogecommerce/{TOKEN}")
    }
}
