//! What `packaging/instructions.sh` counts: one notification after the other is proven, read, sealed, appended and folded, each in
//! a group of its own, as on a quiet day.
//!
//! `instructions PSP COUNT` makes and signs [`MESSAGES`] calls of a PSP, and takes the first COUNT of them. So two runs with
//! different counts differ by nothing but what was taken.

use std::error::Error;

use cvco_domain::crypto::{RsaPublicKey, SealKey};
use cvco_domain::{Cents, Contract, EndpointId, EndpointRef, Mode, Psp, ShopId, Timestamp};
use cvco_ledger::Ledger;
use cvco_log::entry::{Hint, Notification, Origin};
use cvco_log::{Draft, Envelope, LogEntry, LogStore as _, SqliteLog};
use cvco_psp::api::BaseUrl;
use cvco_psp::sogecommerce::codes::{Source, TransStatus};
use cvco_psp::worldline::sender::{Happening, IdForm, Part, Webhook};
use cvco_psp::{Adapter, Method, Reading, WireMessage, monext, sogecommerce, up2pay, worldline};

/// More than any run takes.
const MESSAGES: u64 = 300;

const KEY: &str = "COUNTEDKEYNOTREAL";
const SITE: &str = "12345678";
/// The digits of a key are as many as its bytes want, and cost the same whichever they are.
const SEAL_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [psp, count] = arguments.as_slice() else { return Err("instructions PSP COUNT".into()) };
    let (psp, count) = (psp.parse()?, count.parse()?);
    let at = Timestamp::parse("2026-04-08T14:56:48Z")?;
    let (adapter, messages) = match psp {
        Psp::Up2pay => of_up2pay()?,
        Psp::Sogecommerce => of_sogecommerce(at)?,
        Psp::Worldline => of_worldline(at),
        Psp::Monext => of_monext()?,
        Psp::Ancv => return Err("ANCV calls nobody".into()),
    };
    let endpoint = EndpointRef {
        shop: ShopId::new("camping")?,
        endpoint: EndpointId::new(psp.to_string())?,
        psp,
        mode: Mode::Production,
    };
    let folder = tempfile::tempdir()?;
    let mut log = SqliteLog::open_or_create(&folder.path().join("log.sqlite"), &[])?;
    let mut ledger = Ledger::open(&folder.path().join("ledger.sqlite"), &log.id()?)?;
    let key = SealKey::parse(SEAL_KEY)?;
    let mut now = at;
    for message in messages.iter().take(count) {
        now = Timestamp::from_millis(now.millis() + 1000);
        log.append(&[evidence(adapter.as_ref(), &endpoint, message, &key)?], now)?;
        ledger.catch_up_all(&mut log)?;
    }
    Ok(())
}

/// A message as the listener stores it.
fn evidence(
    adapter: &dyn Adapter,
    endpoint: &EndpointRef,
    wire: &WireMessage,
    key: &SealKey,
) -> Result<Draft, Box<dyn Error>> {
    let request = wire.as_request();
    let message = adapter.prove(&request).map_err(|refused| refused.to_string())?;
    let (endpoint, origin) = (endpoint.clone(), Origin::Call);
    let entry = match adapter.read(&message).map_err(|unread| unread.to_string())? {
        Reading::Facts { events, questions, remark, .. } => {
            LogEntry::Notification(Notification { endpoint, origin, events, questions, remark })
        }
        Reading::Hint { questions, remark } => LogEntry::Hint(Hint { endpoint, origin, questions, remark }),
        Reading::Nothing { why } => return Err(format!("tells of nothing: {why}").into()),
    };
    let envelope = Envelope {
        method: if wire.method == Method::Get { "GET" } else { "POST" }.to_owned(),
        query: wire.query.clone().into_bytes(),
        body: wire.body.clone().into_bytes(),
        peer: "192.0.2.1".to_owned(),
        user_agent: String::new(),
        headers: Vec::new(),
    };
    Ok(Draft::with_payload(&entry, envelope.seal(key, request.payload())?)?)
}

type Traffic = (Box<dyn Adapter>, Vec<WireMessage>);

fn reference(number: u64) -> String {
    format!("CMD-{number:08}")
}

/// The call for a voucher part.
fn of_up2pay() -> Result<Traffic, Box<dyn Error>> {
    let (template, signer) = (up2pay::Template::default(), up2pay::TrialKey::published());
    let call = |number: u64| {
        up2pay::Call {
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
        .signed(&template, &signer)
    };
    let messages = (0..MESSAGES).map(call).collect();
    let settings = up2pay::Settings {
        mode: Mode::Production,
        keys: vec![RsaPublicKey::from_pem(signer.public_pem().as_bytes())?],
        template,
        api: None,
    };
    Ok((Box::new(up2pay::Up2pay::new(settings)), messages))
}

/// A voucher and its card complement in one form.
fn of_sogecommerce(at: Timestamp) -> Result<Traffic, Box<dyn Error>> {
    let site_id = sogecommerce::SiteId::new(SITE)?;
    let part = |number: u64, brand: &str, amount, auth_number: Option<&str>| sogecommerce::sender::Part {
        brand: brand.to_owned(),
        amount: Cents::new(amount),
        status: TransStatus::Authorised,
        auth_result: "0".to_owned(),
        uuid: Some(format!("{amount:016x}{number:016x}")),
        auth_number: auth_number.map(str::to_owned),
        contract: "5785350".to_owned(),
        refund: false,
    };
    let form = |number: u64| {
        sogecommerce::sender::Call {
            site_id: site_id.clone(),
            mode: Mode::Production,
            trans_id: format!("{number:06}"),
            trans_date: at,
            order_ref: Some(reference(number)),
            total: Cents::new(9990),
            source: Source::Payment,
            attempt: 1,
            parts: vec![part(number, "CVCO", 6000, None), part(number, "VISA", 3990, Some("949478"))],
        }
        .form(&KEY.to_owned().into(), sogecommerce::Algorithm::HmacSha256)
    };
    let messages = (0..MESSAGES).map(form).collect();
    let settings = sogecommerce::Settings {
        mode: Mode::Production,
        site_id: site_id.clone(),
        keys: vec![KEY.to_owned().into()],
        algorithm: sogecommerce::Algorithm::HmacSha256,
        rest_passwords: Vec::new(),
        api: None,
    };
    Ok((Box::new(sogecommerce::Sogecommerce::new(settings)), messages))
}

/// A webhook about a captured voucher part.
fn of_worldline(at: Timestamp) -> Traffic {
    let key = worldline::WebhookKey { id: "counted".to_owned(), secret: KEY.to_owned().into() };
    let webhook = |number: u64| {
        Webhook {
            merchant_id: "COUNTED".to_owned(),
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
        }
        .message(&key)
    };
    let messages = (0..MESSAGES).map(webhook).collect();
    let settings = worldline::Settings {
        mode: Mode::Production,
        merchant_id: "COUNTED".to_owned(),
        webhook_keys: vec![key],
        api: None,
    };
    (Box::new(worldline::Worldline::new(settings)), messages)
}

/// A hint that a session has ended: it raises the question, and states nothing.
fn of_monext() -> Result<Traffic, Box<dyn Error>> {
    let messages =
        (0..MESSAGES).map(|number| monext::sender::session(&format!("session{number:013}"))).collect();
    let settings = monext::Settings {
        mode: Mode::Production,
        merchant_id: "12345678901234".to_owned(),
        access_key: KEY.to_owned().into(),
        base_url: BaseUrl::parse("https://api.example/x")?,
        directory_url: None,
        voucher_contracts: vec![Contract::new("CVCO1")?],
        card_contracts: vec![Contract::new("CB1")?],
    };
    Ok((Box::new(monext::Monext::new(settings)), messages))
}
