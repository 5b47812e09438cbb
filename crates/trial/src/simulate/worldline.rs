//! The stories as Worldline tells them: one webhook for each thing that happens to an operation. The operations of one
//! payment share its id; a voucher is one, its card complement another.

use std::fmt;
use std::time::Duration;

use cvco_domain::{Cents, EndpointId, Mode};
use cvco_psp::worldline::WebhookKey;
use cvco_psp::worldline::answers;
use cvco_psp::worldline::sender::{Happening, IdForm, Part, Webhook};

use super::actor::{CannedAnswers, Script};
use super::numbers::{Basket, Numbers};
use super::scenario::Scenario;
use crate::sandbox::{Canned, Match};

/// An endpoint to which Worldline's webhooks are sent.
#[derive(Clone)]
pub struct WorldlineTrial {
    /// The endpoint's id in the configuration.
    pub endpoint: EndpointId,
    /// The secret part of its path.
    pub token: String,
    /// The account (PSPID).
    pub merchant_id: String,
    /// Signs in Worldline's place.
    pub key: WebhookKey,
    /// Whether the endpoint asks the API, and a sandbox answers for it.
    pub api: bool,
}

impl fmt::Debug for WorldlineTrial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorldlineTrial").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// CV Connect.
const VOUCHER: u32 = 5412;
const VISA: u32 = 1;
const CB: u32 = 130;

/// After this time Worldline refunds no vouchers.
const TOO_LATE: Duration = Duration::from_hours(5);

impl WorldlineTrial {
    /// What a story is told with; `None` if Worldline cannot tell it.
    pub(super) fn tell(&self, scenario: Scenario, basket: &Basket, numbers: &mut Numbers) -> Option<Script> {
        let payments = self.payments(scenario, basket, numbers)?;
        let mut wires = Vec::new();
        let mut laid = Vec::new();
        for payment in &payments {
            let mut webhooks: Vec<_> =
                payment.told.iter().map(|webhook| webhook.message(&self.key)).collect();
            if scenario == Scenario::Split {
                numbers.dice.shuffle(&mut webhooks);
            }
            wires.extend(webhooks);
            if self.api {
                laid.extend(self.answers(&payment.truth));
            }
        }
        if scenario == Scenario::Duplicate {
            wires = [wires.clone(), wires.clone(), wires].concat();
        }
        Some(Script { wires, answers: laid })
    }

    #[expect(clippy::too_many_lines, reason = "a table: one row per story")]
    fn payments(&self, scenario: Scenario, basket: &Basket, numbers: &mut Numbers) -> Option<Vec<Payment>> {
        let mut visit = Visit::new(self, basket, numbers);
        let (total, voucher, card) = (basket.total, basket.voucher, basket.card());
        let payment = match scenario {
            Scenario::Split | Scenario::Unregistered | Scenario::Duplicate | Scenario::Forged => {
                visit.both(card)
            }
            Scenario::VoucherOnly => visit.voucher(total).happens(Happening::Captured),
            Scenario::CardOnly => visit.card(VISA, total).happens(Happening::Captured),
            Scenario::PendingThenAccepted => {
                let voucher = visit.voucher(total);
                Payment::of([voucher.happens(Happening::Redirected), voucher.happens(Happening::Captured)])
            }
            Scenario::RefusedThenAccepted => {
                let paid = visit.voucher(voucher).happens(Happening::Captured);
                let refused = visit.card(VISA, card).happens(Happening::Refused);
                Payment::of([paid, refused, visit.card(CB, card).happens(Happening::Captured)])
            }
            Scenario::Refused => visit.voucher(total).happens(Happening::Refused),
            Scenario::Cancelled => {
                let authorised = visit.voucher(total).happens(Happening::Authorised);
                Payment::of([authorised, visit.voucher(total).happens(Happening::Cancelled)])
            }
            // The card share goes back first.
            Scenario::Refund => {
                let paid = visit.both(card);
                let refund = visit.refund_of_card(card);
                let asked = refund.clone().happens(Happening::RefundRequested);
                Payment::of([paid, asked, refund.happens(Happening::Refunded)])
            }
            Scenario::WholeRefund => {
                let paid = visit.both(card);
                let card = visit.refund_of_card(card).happens(Happening::Refunded);
                let vouchers = visit.refund_of_voucher(voucher, super::SECOND_THOUGHT);
                Payment::of([paid, card, vouchers.happens(Happening::Refunded)])
            }
            Scenario::RefundAgainstRules => {
                let long_ago = Basket { at: basket.at.before(TOO_LATE), ..basket.clone() };
                let mut visit = Visit::new(self, &long_ago, numbers);
                let paid = visit.voucher(total).happens(Happening::Captured);
                let late = visit.refund_of_voucher(total, TOO_LATE);
                Payment::of([paid, late.happens(Happening::Refunded)])
            }
            Scenario::MissingComplement => visit.voucher(voucher).happens(Happening::Captured),
            Scenario::RefusedComplement | Scenario::AbandonedComplement => {
                let paid = visit.voucher(voucher).happens(Happening::Captured);
                let failed = if scenario == Scenario::RefusedComplement {
                    Happening::Refused
                } else {
                    Happening::Abandoned
                };
                Payment::of([paid, visit.card(VISA, card).happens(failed)])
            }
            Scenario::OrphanComplement => {
                let refused = visit.voucher(voucher).happens(Happening::Refused);
                Payment::of([refused, visit.card(VISA, card).happens(Happening::Captured)])
            }
            Scenario::WrongAmount => visit.both(card.minus(Cents::new(1_00))),
            Scenario::DoublePayment => {
                let first = visit.both(card);
                let again = Basket { at: basket.at.after(super::SECOND_THOUGHT), ..basket.clone() };
                return Some(vec![first, Visit::new(self, &again, numbers).both(card)]);
            }
            Scenario::ConflictingAmount => {
                let told = visit.voucher(total).happens(Happening::Captured);
                let mut payment = Payment::of([told.clone()]);
                payment.told.extend(told.told.into_iter().map(|webhook| Webhook {
                    amount: total.plus(Cents::new(10_00)),
                    at: webhook.at.after(super::SECOND_THOUGHT),
                    ..webhook
                }));
                payment
            }
            Scenario::UnstatedSplit if self.api => {
                let mut payment = visit.both(card);
                for webhook in &mut payment.told {
                    *webhook = Webhook { acquired: total, states_amount: false, ..webhook.clone() };
                }
                payment
            }
            Scenario::ApiDiffers if self.api => {
                let mut payment = visit.voucher(total).happens(Happening::Captured);
                for operation in &mut payment.truth {
                    operation.amount = total.minus(Cents::new(10_00));
                }
                payment
            }
            // Its page takes one card.
            Scenario::TwoCards | Scenario::UnstatedSplit | Scenario::ApiDiffers => return None,
        };
        Some(vec![payment])
    }

    /// What the API says about a payment: the last word on each operation.
    fn answers(&self, truth: &[Webhook]) -> Vec<CannedAnswers> {
        let mut last: Vec<Webhook> = Vec::new();
        for webhook in truth {
            match last.iter_mut().find(|known| known.operation == webhook.operation) {
                Some(known) => known.clone_from(webhook),
                None => last.push(webhook.clone()),
            }
        }
        let page = |id: &str, rest: &str| Match::get(format!("/v2/{}/payments/{id}{rest}", self.merchant_id));
        let mut laid: Vec<_> = last
            .iter()
            .map(|operation| {
                CannedAnswers::one(page(&operation.id(), ""), Canned::json(answers::payment(operation)))
            })
            .collect();
        if let (Some(first), Some(details)) = (last.first(), answers::details(&last)) {
            // The details are asked for under the payment's first operation, in either form of id.
            for ids in [IdForm::Underscore, IdForm::Wrapped] {
                let id = Webhook { operation: 0, ids, ..first.clone() }.id();
                laid.push(CannedAnswers::one(page(&id, "/details"), Canned::json(details.clone())));
            }
        }
        laid
    }
}

/// What is told of one payment, and what is true of it.
#[derive(Clone)]
struct Payment {
    told: Vec<Webhook>,
    truth: Vec<Webhook>,
}

impl Payment {
    fn of(parts: impl IntoIterator<Item = Self>) -> Self {
        let told: Vec<_> = parts.into_iter().flat_map(|part| part.told).collect();
        Self { truth: told.clone(), told }
    }
}

/// An operation, before anything has happened to it.
trait Happens {
    fn happens(&self, happening: Happening) -> Payment;
}

impl Happens for Webhook {
    fn happens(&self, happening: Happening) -> Payment {
        let webhook = Self { happening, ..self.clone() };
        Payment { told: vec![webhook.clone()], truth: vec![webhook] }
    }
}

/// One visit of the payment page.
struct Visit<'a> {
    merchant_id: String,
    basket: &'a Basket,
    payment: String,
    ids: IdForm,
    /// Whether webhooks state the operation's own amount.
    states_amount: bool,
    authorisation: String,
    operation: u32,
    paid: Cents,
}

impl<'a> Visit<'a> {
    fn new(trial: &WorldlineTrial, basket: &'a Basket, numbers: &mut Numbers) -> Self {
        Self {
            merchant_id: trial.merchant_id.clone(),
            basket,
            payment: numbers.payment(),
            ids: if numbers.dice.below(2) == 0 { IdForm::Underscore } else { IdForm::Wrapped },
            states_amount: numbers.dice.below(2) == 0,
            authorisation: numbers.authorisation(Mode::Production),
            operation: 0,
            paid: Cents::ZERO,
        }
    }

    fn operation(&mut self, part: Part, amount: Cents) -> Webhook {
        let operation = self.operation;
        self.operation = self.operation.saturating_add(1);
        self.paid = self.paid.plus(amount);
        Webhook {
            merchant_id: self.merchant_id.clone(),
            payment: self.payment.clone(),
            operation,
            ids: self.ids,
            order_ref: self.basket.reference.clone(),
            order_total: self.basket.total,
            acquired: self.paid,
            part,
            amount,
            // What is paid in all says what the first part comes to, but not what a conflicting one does.
            states_amount: self.states_amount || operation > 0 || self.paid == self.basket.total,
            happening: Happening::Captured,
            at: self.basket.at,
        }
    }

    fn voucher(&mut self, amount: Cents) -> Webhook {
        self.operation(Part::Voucher(VOUCHER), amount)
    }

    fn card(&mut self, product: u32, amount: Cents) -> Webhook {
        self.operation(Part::Card(product, self.authorisation.clone()), amount)
    }

    fn both(&mut self, card: Cents) -> Payment {
        let voucher = self.voucher(self.basket.voucher);
        let card = self.card(VISA, card);
        Payment::of([voucher.happens(Happening::Captured), card.happens(Happening::Captured)])
    }

    fn refund_of_card(&mut self, amount: Cents) -> Webhook {
        let refund = self.card(VISA, amount);
        Webhook { acquired: amount, at: self.basket.at.after(super::SECOND_THOUGHT), ..refund }
    }

    fn refund_of_voucher(&mut self, amount: Cents, later: Duration) -> Webhook {
        let refund = self.voucher(amount);
        Webhook { acquired: amount, at: self.basket.at.after(later), ..refund }
    }
}
