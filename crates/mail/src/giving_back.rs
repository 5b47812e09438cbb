//! What is said of a discrepancy, with advice about the payment that it is about. Of several payments that are too much
//! together one is to be given back, and no other: whoever followed a step for each would give everything back.

use std::cmp::Reverse;

use cvco_domain::{Cents, Instrument, Kind, Psp, Record, RefundTerms, Refundable, Tender, Timestamp};

use super::catalogue::{Case, Language, PaidWith, Wording, wording_at};
use super::letter::Item;
use super::render::{capitalised, named};
use super::typography::{amount, day, paris};
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
    let with = PaidWith { is_named: surplus.is_some(), ..paid_with(&concerned, item) };
    let mut said = wording_at(case, language, &psps, with);
    if let Some(explanation) = overdue(language, item) {
        said.explanation = explanation;
    }
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
    fn accepted<'a>(records: &'a [&'a Record]) -> impl Iterator<Item = &'a Tender> {
        let tenders = records.iter().flat_map(|record| &record.tenders);
        tenders.filter(|tender| tender.state.is_accepted())
    }
    let has = |instrument| accepted(records).any(|tender| tender.instrument == instrument);
    // A part that never came is still what other advice is about.
    let is_of_one_part =
        matches!(item.kind, Kind::DoublePayment | Kind::AmountOver) && accepted(records).next().is_some();
    PaidWith {
        is_named: false,
        card: !is_of_one_part || has(Instrument::Card),
        voucher: (!is_of_one_part || has(Instrument::Voucher)).then(|| item.voucher_kind()),
    }
}

/// Of an order with due dates: by when what is missing was due.
fn overdue(language: Language, item: &Item) -> Option<String> {
    let due_at = item.due_so_far().last()?.at?;
    let date = day(language, due_at.paris_day());
    Some(match language {
        Language::French => format!("Les paiements acceptés n’atteignent pas ce qui était dû au {date}."),
        Language::English => format!("The accepted payments come to less than was due by {date}."),
    })
}

/// What several payments of an order come to beyond what is expected of them, and those that it is given back of.
struct Surplus<'a> {
    cents: Cents,
    /// In the order of giving back: no more than it takes.
    payments: Vec<&'a Record>,
    /// It is given back of the last payment alone.
    is_of_last: bool,
    /// It is to be given back whatever the shop says of the order's total.
    is_certain: bool,
}

impl<'a> Surplus<'a> {
    fn of(case: Case, item: &'a Item) -> Option<Self> {
        let is_surplus = matches!(case, Case::Of(Kind::DoublePayment | Kind::AmountOver));
        let cents = item.gap().filter(|gap| is_surplus && gap.is_positive())?;
        let kept = |record: &Record| record.paid().minus(record.refunded());
        let counted = || item.records.iter().filter(|record| record.counts && kept(record).is_positive());
        // Which payment is too much, the rule says that tells one; of payments made twice, it is one of which the PSP still
        // gives so much back, then the one that comes to the surplus, else the latest.
        let is_told = |record: &Record| item.call_number.as_ref() == Some(&record.call_number);
        let mut in_turn: Vec<&Record> = counted().rev().collect();
        let now = item.order.as_ref().map(|order| order.at);
        in_turn.sort_by_key(|record| {
            let can_go_back = refundable(record, now) >= cents;
            Reverse((is_told(record), can_go_back, kept(record) == cents, kept(record) >= cents))
        });
        let mut payments: Vec<&Record> = Vec::new();
        let mut covered = Cents::ZERO;
        for record in in_turn {
            if covered >= cents {
                break;
            }
            covered = covered.plus(kept(record));
            payments.push(record);
        }
        let is_of_last = payments.last().copied() == counted().next_back();
        let is_certain = item.kind == Kind::DoublePayment;
        (item.records.len() > 1 && !payments.is_empty()).then_some(Self {
            cents,
            payments,
            is_of_last,
            is_certain,
        })
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
        let which = match (language, self.is_of_last) {
            (Language::French, true) => "le dernier paiement",
            (Language::French, false) => "le paiement suivant",
            (Language::English, true) => "the last payment",
            (Language::English, false) => "the following payment",
        };
        let step = match (language, names.as_slice()) {
            (Language::French, [only]) => {
                format!("rendez {surplus}, et rien de plus, sur {which}\u{a0}: {only}. Gardez les autres.")
            }
            (Language::French, [..]) => format!(
                "rendez {surplus} en tout, et rien de plus, paiement après paiement\u{a0}: {}.",
                names.join("\u{a0}; puis ")
            ),
            (Language::English, [only]) => {
                format!("give back {surplus}, and no more, of {which}: {only}. Keep the others.")
            }
            (Language::English, [..]) => format!(
                "give back {surplus} in all, and no more, one payment after the other: {}.",
                names.join("; then ")
            ),
        };
        match (self.is_certain, language) {
            (true, _) => capitalised(&step),
            (false, Language::French) => format!("S’il est juste, {step}"),
            (false, Language::English) => format!("If it is right, {step}"),
        }
    }
}

/// What its PSP still gives back of a payment, as far as its terms are known.
fn refundable(record: &Record, now: Option<Timestamp>) -> Cents {
    let can_go_back = |tender: &&Tender| {
        let Some(terms) = RefundTerms::of(record.psp, tender.instrument, &tender.brand) else { return true };
        let is_in_time = || {
            let until = terms.within.zip(tender.authorised_at).map(|(within, paid_at)| paid_at.after(within));
            until.zip(now).is_none_or(|(until, now)| now <= until)
        };
        terms.share != Refundable::Never && is_in_time()
    };
    let accepted = record.tenders.iter().filter(|tender| tender.state.is_accepted());
    accepted.filter(can_go_back).map(|tender| tender.amount.minus(tender.refunded).max(Cents::ZERO)).sum()
}

/// A payment by its date, its provider and its number.
fn name(language: Language, record: &Record) -> String {
    let at = record.authorised_at().or_else(|| record.first_seen_at());
    let at = at.map(|at| format!(", {}", paris(language, at))).unwrap_or_default();
    let paid = amount(language, record.paid(), record.currency);
    let call = words::call_number(language, Some(record.psp)).to_lowercase();
    format!("{}, {call} {}{at}, {paid}", record.psp.title(), record.call_number)
}
