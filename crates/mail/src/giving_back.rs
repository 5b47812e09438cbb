//! What is said of a discrepancy, with advice about the payment that it is about. Of several payments that are too much
//! together the latest is to be given back, and no other: whoever followed a step for each would give everything back.

use cvco_domain::{Cents, Instrument, Kind, Psp, Record};

use super::catalogue::{Case, Language, PaidWith, Wording, wording_at};
use super::letter::Item;
use super::render::named;
use super::typography::{amount, paris};
use super::words;

/// All that is said of a discrepancy.
pub(super) fn said(language: Language, item: &Item) -> Wording {
    let case = Case::of(item.kind, &item.detail);
    let surplus = Surplus::of(case, item);
    let concerned: Vec<&Record> = match &surplus {
        Some(surplus) => surplus.payments.clone(),
        None => item.records.iter().collect(),
    };
    let psps = match &surplus {
        Some(surplus) => surplus.psps(),
        None => item.psps(),
    };
    let mut said = wording_at(case, language, &psps, paid_with(&concerned, item));
    if let Some(surplus) = surplus {
        if item.kind == Kind::DoublePayment {
            said.explanation = surplus.explanation(language, item);
        }
        let place = said.what_to_do.len().min(1);
        said.what_to_do.insert(place, surplus.step(language, item));
    }
    named(language, item, &said)
}

fn paid_with(records: &[&Record], item: &Item) -> PaidWith {
    let has = |instrument| {
        records.iter().flat_map(|record| &record.tenders).any(|tender| tender.instrument == instrument)
    };
    if records.is_empty() {
        return PaidWith::VOUCHER_AND_CARD;
    }
    // A part that never came is still what the advice is about.
    let is_of_one_part =
        matches!(item.kind, Kind::DoublePayment) && records.iter().all(|r| !r.tenders.is_empty());
    PaidWith {
        card: !is_of_one_part || has(Instrument::Card),
        voucher: (!is_of_one_part || has(Instrument::Voucher)).then(|| item.voucher_kind()),
    }
}

/// What several payments of an order come to beyond what is expected of them, and those that it is given back of.
struct Surplus<'a> {
    cents: Cents,
    /// The latest first: no more than it takes.
    payments: Vec<&'a Record>,
}

impl<'a> Surplus<'a> {
    fn of(case: Case, item: &'a Item) -> Option<Self> {
        let is_surplus = matches!(case, Case::Of(Kind::DoublePayment | Kind::AmountOver));
        let cents = item.gap().filter(|gap| is_surplus && gap.is_positive())?;
        let kept = |record: &Record| record.paid().minus(record.refunded());
        let mut payments = Vec::new();
        let mut covered = Cents::ZERO;
        for record in item.records.iter().rev().filter(|record| kept(record).is_positive()) {
            if covered >= cents {
                break;
            }
            covered = covered.plus(kept(record));
            payments.push(record);
        }
        (item.records.len() > 1 && !payments.is_empty()).then_some(Self { cents, payments })
    }

    fn psps(&self) -> Vec<Psp> {
        let mut psps: Vec<Psp> = self.payments.iter().map(|record| record.psp).collect();
        psps.sort_unstable();
        psps.dedup();
        psps
    }

    fn explanation(&self, language: Language, item: &Item) -> String {
        let surplus = amount(language, self.cents, item.currency);
        let count = item.records.iter().filter(|record| record.paid().is_positive()).count();
        match language {
            Language::French => format!(
                "La commande a reçu {count} paiements, qui dépassent ensemble de {surplus} le montant attendu."
            ),
            Language::English => format!(
                "The order received {count} payments, which together exceed the amount expected by {surplus}."
            ),
        }
    }

    /// Which payment to give back.
    fn step(&self, language: Language, item: &Item) -> String {
        let surplus = amount(language, self.cents, item.currency);
        let names: Vec<String> = self.payments.iter().map(|record| name(language, record)).collect();
        match (language, names.as_slice()) {
            (Language::French, [only]) => {
                format!(
                    "Rendez {surplus}, et rien de plus, sur le dernier paiement\u{a0}: {only}. Gardez les autres."
                )
            }
            (Language::French, [..]) => format!(
                "Rendez {surplus} en tout, et rien de plus, en commençant par le paiement le plus récent\u{a0}: {}.",
                names.join("\u{a0}; puis ")
            ),
            (Language::English, [only]) => {
                format!("Give back {surplus}, and no more, of the last payment: {only}. Keep the others.")
            }
            (Language::English, [..]) => format!(
                "Give back {surplus} in all, and no more, beginning with the latest payment: {}.",
                names.join("; then ")
            ),
        }
    }
}

/// A payment by its date, its provider and its number.
fn name(language: Language, record: &Record) -> String {
    let at = record.authorised_at().or_else(|| record.first_seen_at());
    let at = at.map(|at| format!(", {}", paris(language, at))).unwrap_or_default();
    let paid = amount(language, record.paid(), record.currency);
    let call = words::call_number(language, Some(record.psp)).to_lowercase();
    format!("{}, {call} {}{at}, {paid}", record.psp.title(), record.call_number)
}
