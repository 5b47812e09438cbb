//! The words of lists and of an order's story: those that the mails use.

use cvco_domain::{
    Brand, Cents, Detail, Instrument, Issuer, Kind, Operation, Psp, RecordState, ReportedState, Severity,
    TenderState, Timestamp, Topic, VoucherKind,
};

use super::catalogue::Case;
use super::catalogue::Language::{self, English, French};
use super::{GapName, Item, Wording, particulars, render, typography, words};

/// Where a record stands.
#[must_use]
pub const fn record_state(language: Language, state: RecordState) -> &'static str {
    words::record_state(language, state)
}

/// Where a payment stands; what a bank took back is no refund.
#[must_use]
pub const fn payment_state(language: Language, state: RecordState, is_charged_back: bool) -> &'static str {
    words::record_stands(language, state, is_charged_back)
}

/// Whose a statement is.
#[must_use]
pub fn issuer(language: Language, issuer: Issuer) -> String {
    match (issuer, language) {
        (Issuer::Ancv, _) => "ANCV".to_owned(),
        (Issuer::Bank, French) => "banque".to_owned(),
        (Issuer::Bank, English) => "bank".to_owned(),
        (Issuer::Other(_), _) => issuer.to_string(),
    }
}

/// A brand as its PSP calls it; of a message about the card that names none, the card.
#[must_use]
pub fn brand(language: Language, brand: &Brand) -> &str {
    match (brand.as_str(), language) {
        ("CARD", French) => "carte",
        ("CARD", English) => "card",
        (brand, _) => brand,
    }
}

/// Where an order stands, by its word in the ledger; one of which nothing was heard is `unpaid`. `went_back`: of each of its
/// payments of which something did, whether banks took all that.
#[must_use]
pub fn order_state(language: Language, state: &str, went_back: impl IntoIterator<Item = bool>) -> String {
    let mut went_back = went_back.into_iter().peekable();
    let is_charged_back = went_back.peek().is_some() && went_back.all(|is_charged_back| is_charged_back);
    match (language, state.parse()) {
        (_, Ok(state)) => payment_state(language, state, is_charged_back).to_owned(),
        (French, Err(_)) if state == "unpaid" => "non payé".to_owned(),
        (_, Err(_)) => state.to_owned(),
    }
}

/// Where an order stands that is registered, and of which no payment is known.
#[must_use]
pub const fn awaited(language: Language, total: Cents) -> &'static str {
    match (language, total.is_positive()) {
        (French, true) => "enregistrée, rien de payé",
        (French, false) => "enregistrée, rien à payer",
        (English, true) => "registered, nothing paid yet",
        (English, false) => "registered, nothing to pay",
    }
}

/// Where a part stands; what a bank took back is no refund.
#[must_use]
pub const fn tender_state(language: Language, state: TenderState, is_charged_back: bool) -> &'static str {
    words::tender_stands(language, state, is_charged_back)
}

/// How fast a person should look.
#[must_use]
pub const fn severity(language: Language, severity: Severity) -> &'static str {
    words::severity(language, severity)
}

/// What people call the number that ties the parts of one payment together.
#[must_use]
pub const fn call_number(language: Language, psp: Option<Psp>) -> &'static str {
    words::call_number(language, psp)
}

/// What does not match, in a few words.
#[must_use]
pub fn kind(language: Language, kind: Kind, detail: &Detail) -> String {
    super::wording(Case::of(kind, detail), language, None).title
}

/// A kind of discrepancy, in a few words that begin like a sentence.
#[must_use]
pub fn kind_name(language: Language, kind: Kind) -> String {
    render::capitalised(&super::wording(Case::Of(kind), language, None).title)
}

/// What does not match, in a few words that begin like a sentence; of its own vouchers.
#[must_use]
pub fn title(language: Language, item: &Item) -> String {
    said(language, item).title
}

/// All that is said of a discrepancy: what is wrong, and what to do now.
#[must_use]
pub fn said(language: Language, item: &Item) -> Wording {
    let said = super::giving_back::said(language, item);
    Wording { title: render::capitalised(&said.title), ..said }
}

/// The caption of a gap.
#[must_use]
pub const fn gap(language: Language, name: GapName) -> &'static str {
    words::gap(language, name)
}

/// The particulars of a discrepancy, where it has any.
#[must_use]
pub fn detail(language: Language, detail: &Detail) -> Option<String> {
    let said = particulars::in_words(language, detail, &[]);
    let technical = particulars::technical(language, detail, None);
    match (said, technical) {
        (Some(said), Some(technical)) => Some(format!("{said} ({technical})")),
        (said, technical) => said.or(technical),
    }
}

/// What a provider is asked about.
#[must_use]
pub fn asked_about(language: Language, topic: Topic, subject: &str) -> String {
    particulars::asked_about(language, topic, subject)
}

/// What a part was paid with.
#[must_use]
pub fn instrument(language: Language, instrument: Instrument, brand: Option<&Brand>) -> &'static str {
    match (instrument, language) {
        (Instrument::Voucher, _) => {
            words::voucher(language, brand.map_or(VoucherKind::Holiday, VoucherKind::of))
        }
        (Instrument::Card, French) => "Carte",
        (Instrument::Card, English) => "Card",
    }
}

/// What is done with money: what goes back never reads like money that comes in.
#[must_use]
pub const fn operation(language: Language, operation: &Operation) -> &'static str {
    match (language, operation) {
        (French, Operation::Debit) => "paiement",
        (French, Operation::Credit { .. }) => "remboursement",
        (French, Operation::Chargeback { .. }) => "impayé, repris par la banque,",
        (English, Operation::Debit) => "payment",
        (English, Operation::Credit { .. }) => "refund",
        (English, Operation::Chargeback { .. }) => "chargeback, taken back by the bank,",
    }
}

/// What became of an operation.
#[must_use]
pub const fn outcome(language: Language, operation: &Operation, state: ReportedState) -> &'static str {
    match (operation, state, language) {
        (Operation::Debit, _, _) => words::reported_state(language, state),
        (_, ReportedState::Authorised | ReportedState::Captured, French) => "effectué",
        (_, ReportedState::Authorised | ReportedState::Captured, English) => "made",
        (_, ReportedState::Pending, French) => "demandé",
        (_, ReportedState::Pending, English) => "asked for",
        (Operation::Credit { .. } | Operation::Chargeback { .. }, _, _) => {
            words::reported_state(language, state)
        }
    }
}

/// An amount of a table, whose currency stands in a column of its own: a decimal comma in French.
#[must_use]
pub fn figure(language: Language, cents: Cents) -> String {
    match language {
        French => cents.to_string().replace('.', ","),
        English => cents.to_string(),
    }
}

pub use typography::{amount, day};

/// Date and time in Paris.
#[must_use]
pub fn paris(language: Language, at: Timestamp) -> String {
    typography::paris(language, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_that_goes_back_never_reads_like_money_that_comes_in() {
        let back = Operation::Credit { of: None };
        for language in Language::ALL {
            for going_back in [&back, &Operation::Chargeback { of: None }] {
                assert_ne!(operation(language, &Operation::Debit), operation(language, going_back));
                for state in [ReportedState::Pending, ReportedState::Authorised, ReportedState::Captured] {
                    assert_ne!(
                        outcome(language, &Operation::Debit, state),
                        outcome(language, going_back, state)
                    );
                }
            }
        }
        assert_eq!(outcome(French, &back, ReportedState::Captured), "effectué");
        assert_eq!(outcome(French, &back, ReportedState::Refused), "refusé");
    }

    #[test]
    fn an_order_of_which_nothing_was_heard_is_named_too() {
        assert_eq!(order_state(French, "unpaid", []), "non payé");
        assert_eq!(order_state(English, "unpaid", []), "unpaid");
        assert_eq!(order_state(French, "balanced", []), "équilibré");
        assert_eq!(order_state(French, "refunded", [true]), "impayé");
        assert_eq!(order_state(French, "refunded", [true, false]), "remboursé");
    }
}
