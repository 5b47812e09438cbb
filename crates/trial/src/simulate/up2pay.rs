//! The stories as Up2pay tells them: one call for each part and each attempt at one. The parts of one payment
//! share the call number (`numéro d'appel`).

use std::fmt;

use cvco_domain::{Cents, EndpointId, Mode, Timestamp};
use cvco_psp::up2pay::{Call, Template, TrialKey, answers};

use super::actor::{CannedAnswers, Script};
use super::numbers::{Basket, Numbers};
use super::scenario::Scenario;
use crate::sandbox::{Canned, Match};

/// An endpoint to which Up2pay's calls are sent. It must know the public half of the key.
#[derive(Clone)]
pub struct Up2payTrial {
    /// The endpoint's id in the configuration.
    pub endpoint: EndpointId,
    /// The secret part of its path.
    pub token: String,
    /// The endpoint's mode: a card paid on the trial platform has no real authorisation number.
    pub mode: Mode,
    /// The endpoint's `pbx_retour`.
    pub template: Template,
    /// Signs the calls in Up2pay's place.
    pub key: TrialKey,
    /// Site and rang under which the endpoint asks the platform, where a sandbox answers for it.
    pub api: Option<(String, String)>,
}

impl fmt::Debug for Up2payTrial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Up2payTrial").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

const ACCEPTED: &str = "00000";
const AWAITS_ISSUER: &str = "99999";
const TOO_LONG_ON_THE_PAGE: &str = "00030";
const FUNDS_INSUFFICIENT: &str = "00151";
const NOT_ALLOWED_TO_HOLDER: &str = "00157";

impl Up2payTrial {
    /// The messages of a story; `None` if Up2pay has no such calls.
    pub(super) fn tell(&self, scenario: Scenario, basket: &Basket, numbers: &mut Numbers) -> Option<Script> {
        let calls = self.calls(scenario, basket, numbers)?;
        let set_up = numbers.dice.below(3);
        let sign = |call: &Call| match set_up {
            // `PBX_RUF1=POST`
            0 => call.signed_post(&self.template, &self.key),
            // `PBX_REPONDRE_A` with parameters of the shop's own, which are not signed.
            1 => call.signed_behind("module=cvco&action=notify", &self.template, &self.key),
            _ => call.signed(&self.template, &self.key),
        };
        let wires = calls.iter().map(sign).collect();
        let answers = self.api.iter().flat_map(|api| answers(api, scenario, &calls)).collect();
        Some(Script { wires, answers })
    }

    fn calls(&self, scenario: Scenario, basket: &Basket, numbers: &mut Numbers) -> Option<Vec<Call>> {
        let mut payment = Payment::new(self.mode, basket, numbers);
        let (total, card) = (basket.total, basket.card());
        let calls = match scenario {
            Scenario::Split | Scenario::Unregistered | Scenario::Forged => payment.both_parts(card),
            Scenario::VoucherOnly => vec![payment.voucher(total)],
            Scenario::PendingThenAccepted => {
                let accepted = payment.voucher(total);
                vec![Call { error: AWAITS_ISSUER.to_owned(), ..accepted.clone() }, accepted]
            }
            Scenario::RefusedThenAccepted => {
                let mut calls = vec![payment.failed_card(FUNDS_INSUFFICIENT)];
                calls.extend(payment.both_parts(card));
                calls
            }
            Scenario::Refused => {
                vec![Call { error: NOT_ALLOWED_TO_HOLDER.to_owned(), ..payment.voucher(total) }]
            }
            // Voucher, card, voucher, card …
            Scenario::Duplicate => {
                let both = payment.both_parts(card);
                [both.clone(), both.clone(), both].concat()
            }
            Scenario::MissingComplement => vec![payment.voucher(basket.voucher)],
            Scenario::RefusedComplement => {
                vec![payment.voucher(basket.voucher), payment.failed_card(FUNDS_INSUFFICIENT)]
            }
            Scenario::AbandonedComplement => {
                // No transaction was made: the number is 0.
                let abandoned =
                    Call { transaction: "0".to_owned(), ..payment.failed_card(TOO_LONG_ON_THE_PAGE) };
                vec![payment.voucher(basket.voucher), abandoned]
            }
            Scenario::OrphanComplement => vec![payment.card(card)],
            Scenario::WrongAmount => payment.both_parts(card.minus(Cents::new(1_00))),
            Scenario::DoublePayment => {
                let mut calls = payment.both_parts(card);
                let again = Basket { at: basket.at.after(super::SECOND_THOUGHT), ..basket.clone() };
                calls.extend(Payment::new(self.mode, &again, numbers).both_parts(card));
                calls
            }
            Scenario::ConflictingAmount => {
                let first = payment.voucher(total);
                let other = Call { amount: total.plus(Cents::new(10_00)), ..first.clone() };
                vec![first, other]
            }
            // What a merchant does later is not notified: only who asks is told.
            Scenario::Refund | Scenario::ApiDiffers if self.api.is_some() => payment.both_parts(card),
            // A card alone is none of the voucher page's business, and that page takes one card.
            Scenario::TwoCards
            | Scenario::CardOnly
            | Scenario::Cancelled
            | Scenario::Refund
            | Scenario::WholeRefund
            | Scenario::RefundAgainstRules
            | Scenario::UnstatedSplit
            | Scenario::ApiDiffers => return None,
        };
        Some(calls)
    }
}

/// What the platform says about each transaction when it is asked.
fn answers((site, rang): &(String, String), scenario: Scenario, calls: &[Call]) -> Vec<CannedAnswers> {
    let laid = calls.iter().filter(|call| call.transaction != "0").map(|call| {
        let is_card = call.authorisation.is_some();
        let status = match (scenario, call.error.as_str()) {
            (Scenario::Refund, ACCEPTED) if is_card => "Remboursé",
            (Scenario::ApiDiffers, ACCEPTED) if is_card => "Refusé",
            (_, ACCEPTED) => "Capturé",
            (_, _) => "Refusé",
        };
        let names =
            format!("NUMTRANS={}&NUMAPPEL={}&SITE={site}&RANG={rang}", call.transaction, call.call_number);
        let calls = Match::post("/PPPS.php").holding(format!("NUMTRANS={}", call.transaction));
        CannedAnswers::one(calls, Canned::text(answers::found(names.as_bytes(), status)))
    });
    laid.collect()
}

/// One visit of the payment page.
struct Payment<'a> {
    mode: Mode,
    basket: &'a Basket,
    call_number: String,
    numbers: &'a mut Numbers,
}

impl<'a> Payment<'a> {
    fn new(mode: Mode, basket: &'a Basket, numbers: &'a mut Numbers) -> Self {
        Self { mode, basket, call_number: numbers.call_number(), numbers }
    }

    /// The voucher part. It has no authorisation number (Up2pay manual 3.2.4).
    fn voucher(&mut self, amount: Cents) -> Call {
        Call {
            amount,
            reference: self.basket.reference.clone(),
            authorisation: None,
            call_number: self.call_number.clone(),
            brand: "CVCONNECT".to_owned(),
            error: ACCEPTED.to_owned(),
            transaction: self.numbers.transaction(),
            date_time: Some(date_and_time(self.basket.at)),
            index: Some(if amount < self.basket.total { "1-2" } else { "1-1" }.to_owned()),
        }
    }

    /// The card part, in a transaction of its own.
    fn card(&mut self, amount: Cents) -> Call {
        Call {
            authorisation: Some(self.numbers.authorisation(self.mode)),
            brand: "LIMOCB".to_owned(),
            index: Some("2-2".to_owned()),
            ..self.voucher(amount)
        }
    }

    fn failed_card(&mut self, error: &str) -> Call {
        Call { authorisation: None, error: error.to_owned(), ..self.card(self.basket.card()) }
    }

    /// Up2pay calls for both at practically the same moment, and the card's call may come first.
    fn both_parts(&mut self, card: Cents) -> Vec<Call> {
        let mut calls = vec![self.voucher(self.basket.voucher), self.card(card)];
        self.numbers.dice.shuffle(&mut calls);
        calls
    }
}

/// `DDMMYYYY` and `HH:MM:SS` of a clock in Paris.
fn date_and_time(at: Timestamp) -> (String, String) {
    let text = at.paris_text();
    let (day, minute) = text.split_once(' ').unwrap_or_default();
    let second = at.millis() / 1000 % 60;
    (day.replace('/', ""), format!("{minute}:{second:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_that_of_paris() {
        let at = Timestamp::parse("2026-07-01T22:05:09Z").expect("valid");
        assert_eq!(date_and_time(at), ("02072026".to_owned(), "00:05:09".to_owned()));
    }
}
