//! Monext: a bare call when a session ends or something is done to a transaction. What happened is in the answers of
//! the API, which knows at any time what happened so far.

use cvco_domain::{Instrument, Timestamp};
use cvco_psp::monext::answers::{ACCEPTED, Deed, Leg, Payment, Prefixes, ResultCode, session_result};
use cvco_psp::monext::sender;
use cvco_trial::simulate::Dice;

use super::{Account, Name, Page, digits, letters};
use crate::history::{Fate, History, Part};
use crate::places::contract;

const IN_PROGRESS: ResultCode = ("02306", "INPROGRESS");
const REFUSED: ResultCode = ("02020", "REFUSED");

pub(crate) fn tell(history: &History, dice: &mut Dice) -> Account {
    let mut account = Account { states_total: true, ..Account::default() };
    let style = match dice.below(3) {
        0 => Prefixes::Both,
        1 => Prefixes::ObjectsOnly,
        _ => Prefixes::MessagesOnly,
    };
    for visit in 0..history.visits.len() {
        let parts: Vec<&Part> = history.parts_of(visit).collect();
        let token = format!("{}{:013}", letters(dice, 20), history.visits[visit].millis());
        let legs: Vec<Leg> = parts.iter().map(|part| leg(part, dice)).collect();
        let names = legs.iter().map(|leg| Name { id: Some(leg.id.clone()), brand: leg.method.clone() });
        account.names.extend(names);
        session(&mut account, history, (&token, &parts), &legs, style);
        for (part, leg) in parts.iter().zip(&legs) {
            transaction(&mut account, history, (part, leg), style, dice);
        }
        account.calls.push(token);
    }
    account
}

/// What happened on the payment page: one call at its end, another when an undecided part is decided.
fn session(
    account: &mut Account,
    history: &History,
    (token, parts): (&str, &[&Part]),
    legs: &[Leg],
    style: Prefixes,
) {
    let moments = parts.iter().flat_map(|part| {
        let decided =
            part.fates.iter().take_while(|happened| !matches!(happened.what, Fate::Cancelled | Fate::Odd));
        decided.take(if part.first_and_later().0.what == Fate::Pending { 2 } else { 1 })
    });
    for happened in moments {
        let answer = match happened.what {
            Fate::Pending => session_result(IN_PROGRESS, style),
            Fate::Refused => payment(history, REFUSED, legs.to_vec()).as_session(style),
            Fate::Accepted
            | Fate::Authorised
            | Fate::Captured
            | Fate::Abandoned
            | Fate::Cancelled
            | Fate::Lapsed
            | Fate::Odd
            | Fate::KeepsAll
            | Fate::AsksBack => payment(history, ACCEPTED, legs.to_vec()).as_session(style),
        };
        let path = "/V4/services/WebPaymentAPI".to_owned();
        account.pages.push(Page { from: happened.at, path, about: token.to_owned(), body: answer });
    }
    let first = parts.iter().map(|part| part.first_and_later().0);
    if first.clone().all(|first| !first.lost) {
        let at = first.map(|first| first.at).max().expect("a visit has a part");
        account.say(history.place, at, sender::session(token), format!("session {token} ended"));
    }
}

/// What was done to a part later: its own history tells.
fn transaction(
    account: &mut Account,
    history: &History,
    (part, leg): (&Part, &Leg),
    style: Prefixes,
    dice: &mut Dice,
) {
    let (first, later) = part.first_and_later();
    let result = if first.what == Fate::Refused { REFUSED } else { ACCEPTED };
    let mut so_far = payment(history, result, vec![leg.clone()]);
    let page = |from: Timestamp, payment: &Payment| Page {
        from,
        path: "/V4/services/ExtendedAPI".to_owned(),
        about: leg.id.clone(),
        body: payment.as_transaction(style),
    };
    account.pages.push(page(first.at, &so_far));
    let undecided = first.what == Fate::Pending;
    let deeds = later.iter().filter_map(|happened| {
        let kind = if happened.what == Fate::Captured && !undecided {
            "CAPTURE"
        } else if happened.what == Fate::Cancelled {
            "RESET"
        } else {
            return None;
        };
        Some((kind, part.amount, happened.at, happened.lost))
    });
    let backs = part.backs.iter().map(|back| ("REFUND", back.what, back.at, back.lost));
    for (kind, amount, at, lost) in deeds.chain(backs) {
        let id = format!("2434{}", digits(dice, 10));
        so_far.history.push(Deed { id, kind, amount, succeeded: true, of: leg.id.clone(), at });
        account.pages.push(page(at, &so_far));
        if !lost {
            account.say(
                history.place,
                at,
                sender::transaction(&leg.id),
                format!("{kind} of {}, {amount}", leg.id),
            );
        }
    }
}

fn payment(history: &History, result: ResultCode, legs: Vec<Leg>) -> Payment {
    Payment { result, order: Some((history.reference.clone(), history.total)), legs, history: Vec::new() }
}

fn leg(part: &Part, dice: &mut Dice) -> Leg {
    let (first, _) = part.first_and_later();
    let is_card = part.instrument == Instrument::Card;
    Leg {
        id: format!("2434{}", digits(dice, 10)),
        amount: part.amount,
        // 100 authorises, 101 captures as well.
        action: if first.what == Fate::Authorised { "100" } else { "101" },
        contract: contract(part).to_owned(),
        method: if is_card { "CB" } else { "ANCV_CONNECT" }.to_owned(),
        at: part.fates.iter().find(|happened| happened.what != Fate::Pending).unwrap_or(&first).at,
        authorisation: is_card.then(|| format!("A{}", digits(dice, 5))),
    }
}
