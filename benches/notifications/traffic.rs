//! Signed traffic: Up2pay calls and Sogecommerce forms in turn, each of a payment of its own.

use std::thread;

use anyhow::{Context, Result};
use cvco_domain::{Cents, Mode, Psp, Timestamp};
use cvco_psp::sogecommerce::codes::{Source, TransStatus};
use cvco_psp::sogecommerce::{Algorithm, SiteId, sender};
use cvco_psp::up2pay::{Call, Template, TrialKey};
use cvco_psp::worldline::WebhookKey;
use cvco_psp::worldline::sender::{Happening, IdForm, Part, Webhook};
use cvco_psp::{Method, WireMessage};
use secrecy::SecretString;

/// Not the published one, which is refused in production.
const UP2PAY_KEY: &[u8] = include_bytes!("../../tests/it/support/up2pay-private-key.pem");

pub(crate) const TOKEN: &str = "6f1c0a5be9d24c7f8a3b2c1d0e9f8a7b";
const SITE_ID: &str = "12345678";
const FORM_KEY: &str = "BENCHKEYNOTAREAL";

/// A notification, as the adapter reads it and as it goes over the wire.
pub(crate) struct Message {
    pub(crate) psp: Psp,
    pub(crate) wire: WireMessage,
    pub(crate) http: Vec<u8>,
}

/// The merchant's side and the PSPs' side of the secrets.
pub(crate) struct Keys {
    up2pay: TrialKey,
    form: SecretString,
    site_id: SiteId,
    template: Template,
}

impl Keys {
    pub(crate) fn generate() -> Result<Self> {
        Ok(Self {
            up2pay: TrialKey::from_private_pem(UP2PAY_KEY)?,
            form: FORM_KEY.to_owned().into(),
            site_id: SiteId::new(SITE_ID)?,
            template: Template::default(),
        })
    }

    /// The PEM file that `CONFIG` names.
    pub(crate) fn up2pay_pem(&self) -> String {
        self.up2pay.public_pem()
    }

    /// The configuration of a shop with an endpoint at each PSP.
    pub(crate) fn config() -> String {
        format!(
            r#"
            [ledger]
            path = "ledger.sqlite"
            [[shop]]
            id = "camping"
            [[shop.endpoint]]
            id = "up2pay"
            psp = "up2pay"
            mode = "production"
            token = "{TOKEN}"
            public_key_files = ["up2pay.pem"]
            [[shop.endpoint]]
            id = "sogecommerce"
            psp = "sogecommerce"
            mode = "production"
            token = "{TOKEN}"
            site_id = "{SITE_ID}"
            key = "{FORM_KEY}"
            [[shop.endpoint]]
            id = "worldline"
            psp = "worldline"
            mode = "production"
            token = "{TOKEN}"
            merchant_id = "BENCH"
            webhook_keys = [{{ id = "bench", secret = "{FORM_KEY}" }}]
            "#
        )
    }

    /// Makes `count` messages on all cores: signing is much slower than verifying.
    pub(crate) fn messages(&self, count: u64) -> Result<Vec<Message>> {
        let workers = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        thread::scope(|scope| {
            let share = count.div_ceil(workers);
            let parts: Vec<_> = (0..workers)
                .map(|worker| (worker * share)..((worker + 1) * share).min(count))
                .map(|numbers| scope.spawn(move || numbers.map(|n| self.message(n)).collect::<Result<_>>()))
                .collect();
            let mut messages = Vec::new();
            for part in parts {
                let part: Result<Vec<Message>> = part.join().ok().context("a signing thread failed")?;
                messages.extend(part?);
            }
            Ok(messages)
        })
    }

    /// Worldline's webhooks about voucher parts: to be read only, so that what the runs over HTTP store stays
    /// comparable.
    pub(crate) fn webhooks(count: u64) -> Result<Vec<Message>> {
        let key = WebhookKey { id: "bench".to_owned(), secret: FORM_KEY.to_owned().into() };
        let at = Timestamp::parse("2026-04-08T14:56:48Z")?;
        let webhook = |number: u64| Webhook {
            merchant_id: "BENCH".to_owned(),
            payment: (1_000_000_000 + number).to_string(),
            operation: 0,
            ids: IdForm::Underscore,
            order_ref: reference(number),
            order_total: Cents::new(9990),
            acquired: Cents::new(6000),
            part: Part::Voucher(5412),
            amount: Cents::new(6000),
            states_amount: false,
            happening: Happening::Captured,
            at,
        };
        let message = |number| {
            let wire = webhook(number).message(&key);
            Message { psp: Psp::Worldline, http: http(Psp::Worldline, &wire), wire }
        };
        Ok((0..count).map(message).collect())
    }

    fn message(&self, number: u64) -> Result<Message> {
        let (psp, wire) = if number.is_multiple_of(2) {
            (Psp::Up2pay, self.voucher_call(number))
        } else {
            (Psp::Sogecommerce, self.cascade(number)?)
        };
        let http = http(psp, &wire);
        Ok(Message { psp, wire, http })
    }

    /// The call for the voucher part of a payment whose card part has not come yet.
    fn voucher_call(&self, number: u64) -> WireMessage {
        Call {
            amount: Cents::new(1500),
            reference: reference(number),
            authorisation: None,
            call_number: (2_310_165 + number).to_string(),
            brand: "CVCONNECT".to_owned(),
            error: "00000".to_owned(),
            transaction: (722_487_980 + number).to_string(),
            date_time: None,
            index: None,
        }
        .signed(&self.template, &self.up2pay)
    }

    /// A voucher and its card complement in one form.
    fn cascade(&self, number: u64) -> Result<WireMessage> {
        let part = |brand: &str, amount, auth_result: &str, auth_number: Option<&str>, salt| sender::Part {
            brand: brand.to_owned(),
            amount: Cents::new(amount),
            status: TransStatus::Authorised,
            auth_result: auth_result.to_owned(),
            uuid: Some(format!("{:016x}{:016x}", scrambled(number ^ salt), scrambled(!number ^ salt))),
            auth_number: auth_number.map(str::to_owned),
            contract: "5785350".to_owned(),
            refund: false,
        };
        let call = sender::Call {
            site_id: self.site_id.clone(),
            mode: Mode::Production,
            trans_id: format!("{number:06}"),
            trans_date: Timestamp::parse("2026-04-08T14:56:48Z")?,
            order_ref: Some(reference(number)),
            total: Cents::new(9990),
            source: Source::Payment,
            attempt: 1,
            parts: vec![
                part("CVCO", 6000, "0", None, 1 << 40),
                part("VISA", 3990, "00", Some("949478"), 1 << 41),
            ],
        };
        Ok(call.form(&self.form, Algorithm::HmacSha256))
    }
}

/// Nine letters in no order, as some shops' software makes them: harder on an index than ascending numbers.
fn reference(number: u64) -> String {
    let mut rest = scrambled(number);
    (0..9)
        .map(|_| {
            let letter = u8::try_from(rest % 26).unwrap_or_default();
            rest /= 26;
            char::from(b'A' + letter)
        })
        .collect()
}

/// The mixing step of `SplitMix64`: one to one, and without visible order.
const fn scrambled(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn http(psp: Psp, wire: &WireMessage) -> Vec<u8> {
    let path = format!("/n/{psp}/{TOKEN}");
    let head = "HTTP/1.1\r\nHost: cvco.example\r\nUser-Agent: bench\r\n";
    match wire.method {
        Method::Get => format!("GET {path}?{} {head}\r\n", wire.query),
        Method::Post => format!(
            "POST {path} {head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{}",
            wire.body.len(),
            wire.body
        ),
    }
    .into_bytes()
}
