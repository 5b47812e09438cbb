//! Which part of a payment is the voucher's. No public source says whether voucher or card stands first in an answer,
//! so the place decides nothing: the contract does, then the name of the payment method, then the kind of
//! transaction.

use cvco_domain::{Brand, Event, Instrument, StatusReading};

use super::super::settings::Settings;
use super::details::{Leg, Unreadable};

/// Monext's code of the payment method.
pub(super) const ANCV_CONNECT: &str = "ANCV_CONNECT";

/// Card methods by Monext's codes; `ELECTRON` is Visa's.
const CARDS: [&str; 12] = [
    "CB",
    "VISA",
    "MASTERCARD",
    "MCVISA",
    "AMEX",
    "MAESTRO",
    "ELECTRON",
    "BCMC",
    "BANCONTACT",
    "DINERS",
    "DISCOVER",
    "JCB",
];

/// A complementary authorisation and capture (transaction type 15) under the names that documentation, PHP samples
/// and `OpenAPI` give it; which of them SOAP uses is not public.
const COMPLEMENTS: [&str; 3] =
    ["15", "AUTHORIZATION_CAPTURE_COMPENSE", "AUTHORIZATION_AND_CAPTURE_COMPLEMENT"];

/// What a part was paid with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) instrument: Instrument,
    pub(super) brand: Brand,
    /// `Attention` where nothing tells what it is. It then counts as a card, so that its money is not lost from
    /// sight, and a person is told.
    pub(super) reading: StatusReading,
}

/// What a part was paid with; `known` is what the ledger has about the order already.
pub(super) fn of(leg: &Leg, known: &[Event], settings: &Settings) -> Result<Share, Unreadable> {
    let told = by_contract(leg, settings).or_else(|| by_name(leg));
    let before = known.iter().find(|event| event.tender_id.as_ref() == Some(&leg.id));
    let (instrument, brand, reading) = match (told, before) {
        (Some(instrument), _) => (instrument, brand(leg)?, StatusReading::Known),
        (None, Some(event)) => (event.instrument, event.brand.clone(), StatusReading::Known),
        (None, None) => (Instrument::Card, brand(leg)?, StatusReading::Attention),
    };
    Ok(Share { instrument, brand, reading })
}

fn by_contract(leg: &Leg, settings: &Settings) -> Option<Instrument> {
    let contract = leg.contract.as_ref()?;
    if settings.voucher_contracts.contains(contract) {
        return Some(Instrument::Voucher);
    }
    settings.card_contracts.contains(contract).then_some(Instrument::Card)
}

fn by_name(leg: &Leg) -> Option<Instrument> {
    let names = || [&leg.method, &leg.card_type].into_iter().flatten().map(|name| name.to_ascii_uppercase());
    if names().any(|name| name == ANCV_CONNECT) {
        return Some(Instrument::Voucher);
    }
    let complement = leg.kind.as_deref().is_some_and(|kind| COMPLEMENTS.contains(&kind));
    (complement || names().any(|name| CARDS.contains(&name.as_str()))).then_some(Instrument::Card)
}

/// The method's name; where the answer has none, something to find the part by.
fn brand(leg: &Leg) -> Result<Brand, Unreadable> {
    let contract = leg.contract.as_ref().map(|contract| contract.as_str().to_owned());
    let named = [leg.method.clone(), leg.card_type.clone(), contract];
    match named.into_iter().flatten().find_map(|text| Brand::new(text).ok()) {
        Some(brand) => Ok(brand),
        None => Brand::new("UNKNOWN").map_err(|error| Unreadable(error.to_string())),
    }
}
