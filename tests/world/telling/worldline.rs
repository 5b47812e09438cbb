//! Worldline: one webhook for each thing that happens to an operation. A capture or a cancellation of what was
//! authorised, and each refund, is an operation of its own. At one endpoint the API is asked too; there the webhooks
//! may leave the amount of the first part open.

use std::collections::BTreeMap;

use cvco_domain::{Cents, Instrument, Timestamp};
use cvco_psp::worldline::answers;
use cvco_psp::worldline::sender::{Happening, IdForm, Part as Kind, Webhook};
use cvco_trial::simulate::Dice;

use super::{Account, Name, Page, digits};
use crate::history::{Fate, History, Part};
use crate::places::{MERCHANT, Place, webhook_key};

/// CV Connect.
const VOUCHER: u32 = 5412;
const VISA: (u32, &str) = (1, "VISA");
const CB: (u32, &str) = (130, "CB");

/// A webhook, and whether it ever arrives.
struct Told {
    webhook: Webhook,
    lost: bool,
    /// An authorisation of which parts will be captured.
    only_allowed: bool,
}

/// One payment while it is told.
struct Payment<'a> {
    history: &'a History,
    number: String,
    ids: IdForm,
    /// Whether the webhooks about the first operation state its own amount, and those about the others.
    states_amount: (bool, bool),
    operations: u32,
    told: Vec<Told>,
}

pub(crate) fn tell(history: &History, dice: &mut Dice) -> Account {
    let mut account = Account { states_total: true, ..Account::default() };
    let asked = history.place == Place::WorldlineAsked;
    for visit in 0..history.visits.len() {
        let mut payment = Payment {
            history,
            number: digits(dice, 10),
            ids: if dice.below(2) == 0 { IdForm::Underscore } else { IdForm::Wrapped },
            states_amount: (
                dice.below(2) == 0 || !(asked || can_be_worked_out(history, visit)),
                dice.below(2) == 0 || asked || !all_at_once(history, visit),
            ),
            operations: 0,
            told: Vec::new(),
        };
        let mut parts: Vec<(&Part, Kind, &str)> = Vec::new();
        for part in history.parts_of(visit) {
            let same = parts.iter().rev().find(|(of, _, _)| part.further && of.allowed.is_some());
            let told = same.map(|(_, kind, brand)| (part, kind.clone(), *brand));
            parts.push(told.unwrap_or_else(|| with_kind(part, dice)));
        }
        // Operations are numbered as they happen: what the page does first, then what is done later.
        let mut firsts = Vec::new();
        for (part, kind, _) in parts.iter().filter(|(part, _, _)| !part.further) {
            firsts.push(payment.begin(part, kind));
        }
        let mut firsts = firsts.into_iter();
        for (part, kind, brand) in &parts {
            let first = if part.further { None } else { firsts.next() };
            let first = first.unwrap_or_else(|| payment.begin(part, kind));
            let last = payment.go_on(part, kind, first);
            account.names.push(Name { id: Some(payment.id(last)), brand: (*brand).to_owned() });
        }
        for Told { webhook, .. } in payment.told.iter().filter(|told| !told.lost) {
            let words = format!("{:?} {:?} {}", webhook.part, webhook.happening, webhook.amount);
            account.say(history.place, webhook.at, webhook.message(&webhook_key()), words);
        }
        if asked {
            account.pages.extend(pages(&payment.told));
        }
        account.calls.push(payment.number);
    }
    account
}

/// Whether what was paid so far says what the first part, a voucher's, came to: not if it was refused, nor if too much
/// was paid.
fn can_be_worked_out(history: &History, visit: usize) -> bool {
    let paid: Cents = history.parts_of(visit).map(|part| part.amount).sum();
    let accepted = |part: &Part| matches!(part.first_and_later().0.what, Fate::Authorised | Fate::Captured);
    let voucher_first =
        history.parts_of(visit).next().is_some_and(|part| part.instrument == Instrument::Voucher);
    let mut parts = history.parts_of(visit);
    voucher_first && paid <= history.total && parts.all(|part| accepted(part) && part.contradicted.is_none())
}

/// Whether the same holds of each part: all are captured at once, and told.
fn all_at_once(history: &History, visit: usize) -> bool {
    let told = |part: &Part| {
        let (first, later) = part.first_and_later();
        first.what == Fate::Captured
            && !first.lost
            && later.iter().all(|happened| happened.what.is_of_refund())
    };
    can_be_worked_out(history, visit) && history.parts_of(visit).all(told)
}

fn with_kind<'a>(part: &'a Part, dice: &mut Dice) -> (&'a Part, Kind, &'static str) {
    let (card, brand) = if dice.below(2) == 0 { VISA } else { CB };
    match part.instrument {
        Instrument::Voucher => (part, Kind::Voucher(VOUCHER), "CVCO"),
        Instrument::Card => (part, Kind::Card(card, digits(dice, 6)), brand),
    }
}

impl Payment<'_> {
    /// The ledger's name of an operation, whatever its form on the wire.
    fn id(&self, operation: u32) -> String {
        format!("{}_{operation}", self.number)
    }

    fn next(&mut self) -> u32 {
        let operation = self.operations;
        self.operations += 1;
        operation
    }

    fn begin(&mut self, part: &Part, kind: &Kind) -> u32 {
        let operation = self.next();
        let (first, _) = part.first_and_later();
        self.happens(operation, (part, kind), (first.what, first.at), first.lost);
        operation
    }

    /// What happens to a part after its first state; the operation by which it is known in the end.
    fn go_on(&mut self, part: &Part, kind: &Kind, first: u32) -> u32 {
        let mut operation = first;
        let mut known_as = first;
        let mut stood = part.first_and_later().0.what;
        for happened in part.first_and_later().1 {
            if happened.what.is_of_refund() {
                let refund = self.next();
                let webhook = self.refund(refund, (part, kind), (part.amount, Cents::ZERO), happened.at);
                let asked = happened.what == Fate::AsksBack;
                let happening = if asked { Happening::RefundRequested } else { Happening::RefundRefused };
                self.told.push(Told {
                    webhook: Webhook { happening, ..webhook },
                    lost: happened.lost,
                    only_allowed: false,
                });
                continue;
            }
            if stood == Fate::Authorised {
                operation = self.next();
            }
            stood = happened.what;
            self.happens(operation, (part, kind), (happened.what, happened.at), happened.lost);
            if !happened.lost {
                known_as = operation;
            }
        }
        if part.charged_back {
            for back in &part.backs {
                let webhook = self.refund(operation, (part, kind), (back.what, back.what), back.at);
                let webhook = Webhook { happening: Happening::ChargedBack, ..webhook };
                self.told.push(Told { webhook, lost: back.lost, only_allowed: false });
            }
            return known_as;
        }
        let mut so_far = Cents::ZERO;
        for back in &part.backs {
            let refund = self.next();
            so_far = so_far.plus(back.what);
            let webhook = self.refund(refund, (part, kind), (back.what, so_far), back.at);
            for happening in [Happening::RefundRequested, Happening::Refunded] {
                self.told.push(Told {
                    webhook: Webhook { happening, ..webhook.clone() },
                    lost: back.lost,
                    only_allowed: false,
                });
            }
        }
        if let Some(at) = part.contradicted {
            let told = self.told.iter().find(|told| told.webhook.operation == first).expect("it was told");
            let webhook = Webhook { amount: part.amount.plus(Cents::new(10_00)), at, ..told.webhook.clone() };
            self.told.push(Told { webhook, lost: false, only_allowed: false });
        }
        known_as
    }

    fn happens(
        &mut self,
        operation: u32,
        (part, kind): (&Part, &Kind),
        (fate, at): (Fate, Timestamp),
        lost: bool,
    ) {
        let accepted = matches!(fate, Fate::Authorised | Fate::Captured);
        // What each operation before this one came to is in what was paid so far.
        let mut paid: BTreeMap<(bool, u32), Cents> = self
            .told
            .iter()
            .filter(|told| matches!(told.webhook.happening, Happening::Authorised | Happening::Captured))
            .filter(|told| !told.only_allowed)
            .map(|told| {
                ((matches!(told.webhook.part, Kind::Card(..)), told.webhook.operation), told.webhook.amount)
            })
            .collect();
        let own = (part.instrument == Instrument::Card, operation);
        // Where parts of it will be captured, nothing is acquired of what is only allowed.
        let allowed = part.allowed.filter(|_| fate == Fate::Authorised);
        if accepted && allowed.is_none() {
            paid.insert(own, part.amount);
        }
        let acquired: Cents = paid.values().copied().sum();
        let webhook = Webhook {
            merchant_id: MERCHANT.to_owned(),
            payment: self.number.clone(),
            operation,
            ids: self.ids,
            order_ref: self.history.reference.clone(),
            order_total: self.history.total,
            acquired: acquired.min(self.history.total.max(part.amount)),
            part: kind.clone(),
            amount: allowed.unwrap_or(part.amount),
            states_amount: if operation == 0 { self.states_amount.0 } else { self.states_amount.1 },
            happening: happening(fate),
            at,
        };
        self.told.push(Told { webhook, lost, only_allowed: allowed.is_some() });
    }

    fn refund(
        &self,
        operation: u32,
        (_, kind): (&Part, &Kind),
        (amount, so_far): (Cents, Cents),
        at: Timestamp,
    ) -> Webhook {
        Webhook {
            merchant_id: MERCHANT.to_owned(),
            payment: self.number.clone(),
            operation,
            ids: self.ids,
            order_ref: self.history.reference.clone(),
            order_total: self.history.total,
            acquired: so_far,
            part: kind.clone(),
            amount,
            states_amount: true,
            happening: Happening::Refunded,
            at,
        }
    }
}

fn happening(fate: Fate) -> Happening {
    match fate {
        Fate::Pending => Happening::Redirected,
        Fate::Authorised => Happening::Authorised,
        Fate::Captured | Fate::Accepted => Happening::Captured,
        Fate::Refused => Happening::Refused,
        Fate::Abandoned => Happening::Abandoned,
        Fate::Cancelled => Happening::Cancelled,
        Fate::Odd | Fate::Lapsed | Fate::KeepsAll | Fate::AsksBack => {
            unreachable!("no webhook of a part says so")
        }
    }
}

/// The payment as its details have it after each thing that happened.
fn pages(told: &[Told]) -> Vec<Page> {
    let mut instants: Vec<Timestamp> = told.iter().map(|told| told.webhook.at).collect();
    instants.sort_unstable();
    instants.dedup();
    instants.into_iter().flat_map(|from| at_instant(told, from)).collect()
}

fn at_instant(told: &[Told], from: Timestamp) -> Vec<Page> {
    let mut operations: BTreeMap<u32, &Webhook> = BTreeMap::new();
    for webhook in told.iter().map(|told| &told.webhook).filter(|webhook| webhook.at <= from) {
        operations.insert(webhook.operation, webhook);
    }
    let listed: Vec<Webhook> = operations.into_values().cloned().collect();
    let page = |id: &str, rest: &str, body: String| Page {
        from,
        path: format!("/v2/{MERCHANT}/payments/{id}{rest}"),
        about: String::new(),
        body,
    };
    let mut pages: Vec<Page> =
        listed.iter().map(|operation| page(&operation.id(), "", answers::payment(operation))).collect();
    if let (Some(first), Some(details)) = (listed.first(), answers::details(&listed)) {
        for ids in [IdForm::Underscore, IdForm::Wrapped] {
            let id = Webhook { operation: 0, ids, ..first.clone() }.id();
            pages.push(page(&id, "/details", details.clone()));
        }
    }
    pages
}
