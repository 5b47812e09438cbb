//! The stories as Monext tells them: a call that says no more than which session ended, and what its API answers when
//! it is asked.

use std::fmt;

use cvco_domain::{Cents, EndpointId, Timestamp};
use cvco_psp::monext::answers::{ACCEPTED, Deed, Leg, Payment, Prefixes, ResultCode, found, session_result};
use cvco_psp::monext::sender;

use super::actor::{CannedAnswers, Script};
use super::numbers::{Basket, Numbers};
use super::scenario::Scenario;
use crate::sandbox::{Canned, Match};

/// An endpoint to which Monext's calls are sent. Without a sandbox that answers in its API's place there is nothing to
/// tell.
#[derive(Clone)]
pub struct MonextTrial {
    /// The endpoint's id in the configuration.
    pub endpoint: EndpointId,
    /// The secret part of its path.
    pub token: String,
    /// The contract that settles vouchers.
    pub voucher_contract: String,
    /// The contract that settles cards.
    pub card_contract: String,
}

impl fmt::Debug for MonextTrial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonextTrial").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

const IN_PROGRESS: ResultCode = ("02306", "INPROGRESS");
const REFUSED_BY_PARTNER: ResultCode = ("02020", "REFUSED");
const REFUSED_BY_BANK: ResultCode = ("01121", "REFUSED");
const NONE_FOUND: ResultCode = ("02310", "ERROR");
const NO_SUCH_TOKEN: ResultCode = ("02317", "ERROR");

impl MonextTrial {
    /// What a story is told with; `None` if Monext cannot tell it.
    pub(super) fn tell(&self, scenario: Scenario, basket: &Basket, numbers: &mut Numbers) -> Option<Script> {
        let (total, voucher, card) = (basket.total, basket.voucher, basket.card());
        let mut page = Page { trial: self, basket, numbers };
        let told = match scenario {
            Scenario::Split | Scenario::Unregistered => page.session(&[(true, voucher), (false, card)]),
            Scenario::Duplicate => {
                let Script { wires, answers } = page.session(&[(true, voucher), (false, card)]);
                Script { wires: [wires.clone(), wires.clone(), wires].concat(), answers }
            }
            Scenario::TwoCards => {
                let first = Cents::new(card.get() / 2);
                page.session(&[(true, voucher), (false, first), (false, card.minus(first))])
            }
            Scenario::VoucherOnly => page.session(&[(true, total)]),
            Scenario::CardOnly => page.session(&[(false, total)]),
            Scenario::PendingThenAccepted => {
                let legs = page.legs(&[(true, total)]);
                let accepted = page.payment(ACCEPTED, legs);
                page.answered(&[session_result(IN_PROGRESS, page.style()), accepted.as_session(page.style())])
            }
            Scenario::RefusedThenAccepted => {
                let refused = page.ended(REFUSED_BY_BANK, &[(true, total)]);
                refused.and(page.session(&[(true, voucher), (false, card)]))
            }
            Scenario::Refused => page.ended(REFUSED_BY_PARTNER, &[(true, total)]),
            Scenario::Cancelled => page.then(&[(true, total)], "RESET"),
            // Only the complement can be given back.
            Scenario::Refund => page.then(&[(true, voucher), (false, card)], "REFUND"),
            Scenario::RefundAgainstRules => page.then(&[(true, total)], "REFUND"),
            Scenario::MissingComplement => page.session(&[(true, voucher)]),
            Scenario::WrongAmount => page.session(&[(true, voucher), (false, card.minus(Cents::new(1_00)))]),
            Scenario::DoublePayment => {
                let first = page.session(&[(true, voucher), (false, card)]);
                first.and(page.session(&[(true, voucher), (false, card)]))
            }
            // Nothing is signed, so anybody can make a token up; the API knows it for what it is.
            Scenario::Forged => page.answered(&[session_result(NO_SUCH_TOKEN, page.style())]),
            Scenario::RefusedComplement
            | Scenario::AbandonedComplement
            | Scenario::OrphanComplement
            | Scenario::ConflictingAmount
            | Scenario::UnstatedSplit
            | Scenario::WholeRefund
            | Scenario::ApiDiffers => return None,
        };
        Some(told)
    }
}

/// What the API answers about everything that no story lays out: it knows nothing of it.
#[must_use]
pub fn empty_books() -> Vec<CannedAnswers> {
    let style = Prefixes::default();
    let nothing = found(NONE_FOUND, &[], Timestamp::from_millis(0), style);
    vec![
        CannedAnswers::one(
            Match::post("/V4/services/WebPaymentAPI"),
            Canned::xml(session_result(NO_SUCH_TOKEN, style)),
        ),
        CannedAnswers::one(Match::post("/V4/services/ExtendedAPI"), Canned::xml(nothing)),
    ]
}

/// One visit of the payment page.
struct Page<'a> {
    trial: &'a MonextTrial,
    basket: &'a Basket,
    numbers: &'a mut Numbers,
}

impl Page<'_> {
    fn style(&self) -> Prefixes {
        match self.basket.total.get() % 3 {
            0 => Prefixes::Both,
            1 => Prefixes::ObjectsOnly,
            _ => Prefixes::MessagesOnly,
        }
    }

    /// Legs of vouchers (`true`) and cards.
    fn legs(&mut self, parts: &[(bool, Cents)]) -> Vec<Leg> {
        parts.iter().map(|(is_voucher, amount)| self.leg(*is_voucher, *amount)).collect()
    }

    fn leg(&mut self, is_voucher: bool, amount: Cents) -> Leg {
        let (contract, method) = if is_voucher {
            (&self.trial.voucher_contract, "ANCV_CONNECT")
        } else {
            (&self.trial.card_contract, "CB")
        };
        Leg {
            id: self.numbers.monext_transaction(),
            amount,
            action: "101",
            contract: contract.clone(),
            method: method.to_owned(),
            at: self.basket.at,
            authorisation: (!is_voucher).then(|| format!("A{}", self.numbers.dice.below(100_000))),
        }
    }

    fn payment(&self, result: ResultCode, legs: Vec<Leg>) -> Payment {
        let order = Some((self.basket.reference.clone(), self.basket.total));
        Payment { result, order, legs, history: Vec::new() }
    }

    /// A session that was paid.
    fn session(&mut self, parts: &[(bool, Cents)]) -> Script {
        self.ended(ACCEPTED, parts)
    }

    fn ended(&mut self, result: ResultCode, parts: &[(bool, Cents)]) -> Script {
        let legs = self.legs(parts);
        let answer = self.payment(result, legs).as_session(self.style());
        self.answered(&[answer])
    }

    /// The call for a session, and what the API answers about it, one answer after the other.
    fn answered(&mut self, answers: &[String]) -> Script {
        let token = self.numbers.token(self.basket.at);
        let answers = answers.iter().map(|body| Canned::xml(body.clone())).collect();
        let laid =
            CannedAnswers { calls: Match::post("/V4/services/WebPaymentAPI").holding(&*token), answers };
        Script { wires: vec![sender::session(&token)], answers: vec![laid] }
    }

    /// A session that was paid, and what the merchant did to its last part later.
    fn then(&mut self, parts: &[(bool, Cents)], deed: &'static str) -> Script {
        let legs = self.legs(parts);
        let paid = self.payment(ACCEPTED, legs.clone()).as_session(self.style());
        let mut told = self.answered(&[paid]);
        let Some(last) = legs.last() else { return told };
        let later: Timestamp = self.basket.at.after(super::SECOND_THOUGHT);
        let history = vec![Deed {
            id: self.numbers.monext_transaction(),
            kind: deed,
            amount: last.amount,
            succeeded: true,
            of: last.id.clone(),
            at: later,
        }];
        let transaction = Payment { history, ..self.payment(ACCEPTED, vec![last.clone()]) };
        let answer = Canned::xml(transaction.as_transaction(self.style()));
        let calls = Match::post("/V4/services/ExtendedAPI").holding(&*last.id);
        told.wires.push(sender::transaction(&last.id));
        told.answers.push(CannedAnswers::one(calls, answer));
        told
    }
}
