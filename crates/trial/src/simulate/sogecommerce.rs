//! The stories as Sogecommerce tells them: one message describes the whole payment, a cascade with all its
//! attempts. What happens later, in the back office or by a replay, is a message of its own.

use std::fmt;

use cvco_domain::{Cents, EndpointId, Mode};
use cvco_psp::sogecommerce::answers;
use cvco_psp::sogecommerce::codes::{Source, TransStatus};
use cvco_psp::sogecommerce::sender::{Call, Part};
use cvco_psp::sogecommerce::{Algorithm, SiteId};
use secrecy::SecretString;

use super::actor::{CannedAnswers, Script};
use super::numbers::{Basket, Numbers};
use super::scenario::Scenario;
use crate::sandbox::{Canned, Match};

/// An endpoint to which Sogecommerce's messages are sent.
#[derive(Clone)]
pub struct SogecommerceTrial {
    /// The endpoint's id in the configuration.
    pub endpoint: EndpointId,
    /// The secret part of its path.
    pub token: String,
    /// The endpoint's `site_id`.
    pub site_id: SiteId,
    /// The endpoint's mode.
    pub mode: Mode,
    /// The endpoint's key.
    pub key: SecretString,
    /// The endpoint's algorithm.
    pub algorithm: Algorithm,
    /// Whether the endpoint asks the API, and a sandbox answers for it.
    pub api: bool,
}

impl fmt::Debug for SogecommerceTrial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SogecommerceTrial").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Answers of the acquirers (`vads_auth_result`).
const VOUCHER_ACCEPTED: &str = "0";
const VOUCHER_REFUSED: &str = "1010";
const ABANDONED_IN_COMPLEMENT: &str = "1013";
const BALANCE_TOO_LOW: &str = "1216";
const CARD_ACCEPTED: &str = "00";
const FUNDS_INSUFFICIENT: &str = "51";

impl SogecommerceTrial {
    /// The messages of a story; `None` if Sogecommerce has no such messages.
    pub(super) fn tell(&self, scenario: Scenario, basket: &Basket, numbers: &mut Numbers) -> Option<Script> {
        let calls = self.calls(scenario, basket, numbers)?;
        let wires = calls.iter().map(|call| call.form(&self.key, self.algorithm)).collect();
        let answer = answers::order(&truth(scenario, &calls)).filter(|_| self.api);
        let laid = answer.map(|body| {
            let calls = Match::post("/api-payment/V4/Order/Get").holding(&*basket.reference);
            CannedAnswers::one(calls, Canned::json(body))
        });
        Some(Script { wires, answers: laid.into_iter().collect() })
    }

    fn calls(&self, scenario: Scenario, basket: &Basket, numbers: &mut Numbers) -> Option<Vec<Call>> {
        let first = self.payment(basket, parts(scenario, basket, numbers)?, numbers);
        let calls = match scenario {
            Scenario::PendingThenAccepted => {
                let undecided = with_part(&first, |part| part.status = TransStatus::Initial);
                vec![undecided, Call { source: Source::BackOfficeReplay, ..first }]
            }
            Scenario::Cancelled => {
                let cancelled = with_part(&first, |part| part.status = TransStatus::Cancelled);
                vec![first, Call { source: Source::MerchantOperation, ..cancelled }]
            }
            Scenario::Refund => {
                let back = voucher(basket.voucher, numbers);
                vec![first, self.refund(basket, back, numbers)]
            }
            Scenario::WholeRefund => {
                let (vouchers, card) =
                    (voucher(basket.voucher, numbers), card_part("VISA", basket.card(), numbers));
                let vouchers = self.refund(basket, vouchers, numbers);
                vec![first, vouchers, self.refund(basket, card, numbers)]
            }
            Scenario::RefundAgainstRules => {
                let back = voucher(Cents::new(basket.total.get() / 2), numbers);
                vec![first, self.refund(basket, back, numbers)]
            }
            Scenario::Duplicate => {
                let retry = Call { source: Source::Retry, ..first.clone() };
                let by_hand = Call { source: Source::BackOfficeReplay, ..first.clone() };
                vec![first, retry, by_hand]
            }
            Scenario::DoublePayment => {
                let again = Basket { at: basket.at.after(super::SECOND_THOUGHT), ..basket.clone() };
                let second = self.payment(&again, parts(scenario, &again, numbers)?, numbers);
                vec![first, second]
            }
            Scenario::ConflictingAmount => {
                let more = basket.total.plus(Cents::new(10_00));
                let other = with_part(&first, |part| part.amount = more);
                vec![first, Call { source: Source::BackOfficeReplay, total: more, ..other }]
            }
            Scenario::ApiDiffers if !self.api => return None,
            Scenario::Split
            | Scenario::ApiDiffers
            | Scenario::TwoCards
            | Scenario::VoucherOnly
            | Scenario::CardOnly
            | Scenario::RefusedThenAccepted
            | Scenario::Refused
            | Scenario::Unregistered
            | Scenario::MissingComplement
            | Scenario::UnstatedSplit
            | Scenario::RefusedComplement
            | Scenario::AbandonedComplement
            | Scenario::OrphanComplement
            | Scenario::WrongAmount
            | Scenario::Forged => vec![first],
        };
        Some(calls)
    }

    /// A refund is a transaction of its own, on a day of its own, without a word about what it gives back.
    fn refund(&self, basket: &Basket, part: Part, numbers: &mut Numbers) -> Call {
        let later = Basket { at: basket.at.after(super::SECOND_THOUGHT), ..basket.clone() };
        let (total, source) = (part.amount, Source::MerchantOperation);
        Call { total, source, ..self.payment(&later, vec![Part { refund: true, ..part }], numbers) }
    }

    /// The message at the end of one visit of the payment page.
    fn payment(&self, basket: &Basket, parts: Vec<Part>, numbers: &mut Numbers) -> Call {
        Call {
            site_id: self.site_id.clone(),
            mode: self.mode,
            trans_id: numbers.trans_id(),
            trans_date: basket.at,
            order_ref: Some(basket.reference.clone()),
            total: basket.total,
            source: Source::Payment,
            attempt: 1,
            parts,
        }
    }
}

/// The payments as the platform's books have them: of each the last word, and of two words that contradict each other
/// the first.
fn truth(scenario: Scenario, calls: &[Call]) -> Vec<Call> {
    let mut truth: Vec<Call> = Vec::new();
    for call in calls {
        match truth.iter_mut().find(|known| known.trans_id == call.trans_id) {
            Some(_) if scenario == Scenario::ConflictingAmount => {}
            Some(known) => known.clone_from(call),
            None => truth.push(call.clone()),
        }
    }
    if scenario == Scenario::ApiDiffers {
        for part in truth.iter_mut().filter_map(|call| call.parts.first_mut()) {
            part.amount = part.amount.minus(Cents::new(1_00));
        }
    }
    truth
}

/// What the message at the end of a visit of the payment page lists.
fn parts(scenario: Scenario, basket: &Basket, numbers: &mut Numbers) -> Option<Vec<Part>> {
    let (total, card) = (basket.total, basket.card());
    let parts = match scenario {
        Scenario::Split
        | Scenario::Unregistered
        | Scenario::Refund
        | Scenario::WholeRefund
        | Scenario::ApiDiffers
        | Scenario::Duplicate
        | Scenario::DoublePayment
        | Scenario::Forged => vec![voucher(basket.voucher, numbers), card_part("VISA", card, numbers)],
        Scenario::VoucherOnly
        | Scenario::PendingThenAccepted
        | Scenario::Cancelled
        | Scenario::RefundAgainstRules
        | Scenario::ConflictingAmount => vec![voucher(total, numbers)],
        Scenario::CardOnly => vec![card_part("VISA", total, numbers)],
        Scenario::TwoCards => {
            let first = Cents::new(card.get() / 2);
            vec![
                voucher(basket.voucher, numbers),
                card_part("CB", first, numbers),
                card_part("MASTERCARD", card.minus(first), numbers),
            ]
        }
        Scenario::RefusedThenAccepted => vec![
            voucher(basket.voucher, numbers),
            refused(card_part("VISA", card, numbers), FUNDS_INSUFFICIENT),
            card_part("CB", card, numbers),
        ],
        Scenario::Refused => vec![refused(voucher(total, numbers), BALANCE_TOO_LOW)],
        Scenario::RefusedComplement => vec![
            voucher(basket.voucher, numbers),
            refused(card_part("VISA", card, numbers), FUNDS_INSUFFICIENT),
        ],
        // Reported under the voucher's brand, about no transaction; only the answer says whose failure it was.
        Scenario::AbandonedComplement => vec![Part {
            status: TransStatus::Abandoned,
            auth_result: ABANDONED_IN_COMPLEMENT.to_owned(),
            uuid: None,
            ..voucher(total, numbers)
        }],
        Scenario::OrphanComplement => {
            vec![refused(voucher(basket.voucher, numbers), VOUCHER_REFUSED), card_part("VISA", card, numbers)]
        }
        Scenario::WrongAmount => {
            let too_little = card.minus(Cents::new(1_00));
            vec![voucher(basket.voucher, numbers), card_part("VISA", too_little, numbers)]
        }
        // The one message lists all parts, so none can be on its way.
        Scenario::MissingComplement | Scenario::UnstatedSplit => return None,
    };
    Some(parts)
}

/// An accepted voucher. It has no authorisation number.
fn voucher(amount: Cents, numbers: &mut Numbers) -> Part {
    Part {
        brand: "CVCO".to_owned(),
        amount,
        status: TransStatus::Authorised,
        auth_result: VOUCHER_ACCEPTED.to_owned(),
        uuid: Some(numbers.uuid()),
        auth_number: None,
        contract: "5785350".to_owned(),
        refund: false,
    }
}

/// An accepted card, on a contract of its own.
fn card_part(brand: &str, amount: Cents, numbers: &mut Numbers) -> Part {
    Part {
        brand: brand.to_owned(),
        auth_result: CARD_ACCEPTED.to_owned(),
        auth_number: Some(numbers.authorisation(Mode::Production)),
        contract: "5249685".to_owned(),
        ..voucher(amount, numbers)
    }
}

fn refused(part: Part, answer: &str) -> Part {
    Part { status: TransStatus::Refused, auth_result: answer.to_owned(), auth_number: None, ..part }
}

/// The same call with its parts changed.
fn with_part(call: &Call, change: impl FnMut(&mut Part)) -> Call {
    let mut changed = call.clone();
    changed.parts.iter_mut().for_each(change);
    changed
}
