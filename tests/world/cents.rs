//! No cent is lost or made between the log and the ledger: order by order, what the log's messages state (counted plainly,
//! [`crate::tally`]) is what the tenders come to and what the records come to, refunds likewise.
//!
//! It reads the log's rows and the ledger's, and uses nothing of `reconcile`.

use std::collections::{BTreeMap, BTreeSet};

use cvco_domain::{
    Cents, Currency, EndpointId, Event, Instrument, OrderKey, OrderRef, Question, ShopId, Source,
    TenderState, Timestamp,
};
use cvco_log::row::Link;
use cvco_log::{LogEntry, LogError};
use rusqlite::{Connection, Row};

use crate::daemon::{Trouble, text};
use crate::tally::{self, Bounds, Pot, REFUNDS, Sums, Told};

/// What was counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) orders: usize,
    /// Orders of which plain counting knows the cents, and not just the bounds.
    pub(crate) decided: usize,
}

/// Counts every order; what does not come to the same.
pub(crate) fn check(log: &[Link], ledger: &Connection) -> Result<(Counted, Vec<Trouble>), Trouble> {
    let stated = stated(log).map_err(text)?;
    let mut booked = booked(ledger).map_err(text)?;
    // A clock that was put right moves the ledger's dates, and not the log's.
    let keeps_dates = log.iter().all(|link| link.row.kind != "clock");
    let (mut counted, mut wrong) = (Counted::default(), Vec::new());
    for (order, told) in &stated {
        let bounds = tally::count(told);
        counted.orders += 1;
        counted.decided += usize::from(bounds.values().all(|bounds| bounds.decide()));
        let booked = booked.remove(order).unwrap_or_default();
        let difference = difference(told, &booked, &bounds, keeps_dates);
        wrong.extend(difference.map(|what| format!("cents of {order:?}: {what}")));
    }
    wrong.extend(booked.into_keys().map(|order| format!("cents of {order:?}: nobody told of any")));
    Ok((counted, wrong))
}

/// What the log's messages and answers state, order by order. An answer to what nobody asked states nothing.
fn stated(log: &[Link]) -> Result<BTreeMap<OrderKey, Vec<Told>>, LogError> {
    let mut stated: BTreeMap<OrderKey, Vec<Told>> = BTreeMap::new();
    let mut asked: BTreeSet<(EndpointId, String)> = BTreeSet::new();
    for link in log {
        let logged = link.row.read()?;
        let (endpoint, source, events, questions): (_, _, &[Event], &[Question]) = match &logged.entry {
            LogEntry::Notification(told) => {
                (&told.endpoint, Source::Notification, &told.events, &told.questions)
            }
            LogEntry::Hint(hint) => (&hint.endpoint, Source::Notification, &[], &hint.questions),
            LogEntry::Inquiry(inquiry) => (&inquiry.endpoint, Source::Confirmation, &[], &inquiry.questions),
            LogEntry::Answer(answer)
                if asked.contains(&name(&answer.endpoint.endpoint, &answer.question)) =>
            {
                (&answer.endpoint, Source::Confirmation, &answer.events, &answer.questions)
            }
            LogEntry::Answer(_)
            | LogEntry::Unread(_)
            | LogEntry::Reread(_)
            | LogEntry::Order(_)
            | LogEntry::Policy(_)
            | LogEntry::Act(_)
            | LogEntry::Refusals(_)
            | LogEntry::Statement(_)
            | LogEntry::Close(_)
            | LogEntry::Witness(_)
            | LogEntry::Time
            | LogEntry::Pause(_)
            | LogEntry::Clock(_)
            | LogEntry::Telling(_)
            | LogEntry::Told(_)
            | LogEntry::Relayed(_)
            | LogEntry::Unreached(_)
            | LogEntry::Replay(_) => continue,
        };
        asked.extend(questions.iter().map(|question| name(&endpoint.endpoint, question)));
        for event in events {
            let key = match &event.order_ref {
                Some(reference) => OrderKey::Reference(endpoint.shop.clone(), reference.clone()),
                None => OrderKey::Call(endpoint.shop.clone(), endpoint.psp, event.call_number.clone()),
            };
            stated.entry(key).or_default().push(Told::new(endpoint.psp, source, event, logged.at));
        }
    }
    Ok(stated)
}

fn name(endpoint: &EndpointId, question: &Question) -> (EndpointId, String) {
    (endpoint.clone(), format!("{} {}", question.topic, question.subject))
}

/// A record with its tenders, as the ledger has them.
struct Booked {
    currency: Currency,
    voucher: Cents,
    card: Cents,
    paid: Cents,
    refunded: Cents,
    first_seen_at: Timestamp,
    tenders: Vec<Part>,
}

struct Part {
    instrument: Instrument,
    amount: Cents,
    currency: Currency,
    refunded: Cents,
    accepted: bool,
}

fn booked(ledger: &Connection) -> rusqlite::Result<BTreeMap<OrderKey, Vec<Booked>>> {
    let mut parts: BTreeMap<(i64, String, String), Vec<Part>> = BTreeMap::new();
    let mut tenders = ledger.prepare(
        "SELECT order_id, psp, call_number, instrument, amount_cents, currency, refunded_cents, state FROM tenders",
    )?;
    let mut rows = tenders.query([])?;
    while let Some(row) = rows.next()? {
        let part = Part {
            instrument: row.get(3)?,
            amount: row.get(4)?,
            currency: row.get(5)?,
            refunded: row.get(6)?,
            accepted: row.get::<_, TenderState>(7)?.is_accepted(),
        };
        parts.entry((row.get(0)?, row.get(1)?, row.get(2)?)).or_default().push(part);
    }
    let mut booked: BTreeMap<OrderKey, Vec<Booked>> = BTreeMap::new();
    let mut records = ledger.prepare(
        "SELECT order_id, r.psp, r.call_number, r.currency, voucher_cents, card_cents, paid_cents, refunded_cents,
                first_seen_at, shop, reference, o.psp, o.call_number
         FROM records r JOIN orders o USING (order_id)",
    )?;
    let mut rows = records.query([])?;
    while let Some(row) = rows.next()? {
        let tenders = parts.remove(&(row.get(0)?, row.get(1)?, row.get(2)?)).unwrap_or_default();
        let record = Booked {
            currency: row.get(3)?,
            voucher: row.get(4)?,
            card: row.get(5)?,
            paid: row.get(6)?,
            refunded: row.get(7)?,
            first_seen_at: row.get(8)?,
            tenders,
        };
        booked.entry(key(row)?).or_default().push(record);
    }
    assert!(parts.is_empty(), "a tender without a record");
    Ok(booked)
}

fn key(row: &Row<'_>) -> rusqlite::Result<OrderKey> {
    let shop: ShopId = row.get(9)?;
    Ok(match row.get::<_, Option<OrderRef>>(10)? {
        Some(reference) => OrderKey::Reference(shop, reference),
        None => OrderKey::Call(shop, row.get(11)?, row.get(12)?),
    })
}

/// The first difference, in words.
fn difference(told: &[Told], booked: &[Booked], bounds: &Sums<Bounds>, keeps_dates: bool) -> Option<String> {
    if let Some(found) = booked.iter().find_map(is_not_its_tenders) {
        return Some(found);
    }
    let tenders = sums(booked.iter().flat_map(|record| &record.tenders));
    let mut keys = bounds.keys().chain(tenders.keys());
    if let Some(key) = keys.find(|key| !get(bounds, **key).hold(get(&tenders, **key))) {
        let (stated, entered) = (get(bounds, *key), get(&tenders, *key));
        return Some(format!("{key:?}: the messages state {stated:?}, the tenders come to {entered}"));
    }
    // The accounting day of an order's cents is that on which it was first heard of.
    let day = booked.iter().map(|record| record.first_seen_at).min()?.paris_day();
    let heard_of = told.iter().any(|one| one.received_at.paris_day() == day);
    (keeps_dates && !heard_of).then(|| format!("its records are of {day}, and no message is"))
}

/// A record that is not the sum of its tenders.
fn is_not_its_tenders(record: &Booked) -> Option<String> {
    let tenders = sums(record.tenders.iter());
    let of = |pot| get(&tenders, (record.currency, pot));
    let pairs = [
        ("vouchers", record.voucher, of(Pot::Voucher)),
        ("card", record.card, of(Pot::Card)),
        ("paid", record.paid, of(Pot::Voucher).plus(of(Pot::Card))),
        ("refunds", record.refunded, record.tenders.iter().map(|part| part.refunded).sum()),
    ];
    let (what, entered, summed) = pairs.into_iter().find(|(_, entered, summed)| entered != summed)?;
    Some(format!("{what}: its tenders come to {summed}, its record to {entered}"))
}

fn sums<'a>(tenders: impl Iterator<Item = &'a Part>) -> Sums<Cents> {
    let mut sums = Sums::new();
    for part in tenders {
        if part.accepted {
            let sum: &mut Cents = sums.entry((part.currency, Pot::of(part.instrument))).or_default();
            *sum = sum.plus(part.amount);
        }
        let sum = sums.entry(REFUNDS).or_default();
        *sum = sum.plus(part.refunded);
    }
    sums
}

fn get<T: Copy + Default>(sums: &Sums<T>, key: (Currency, Pot)) -> T {
    sums.get(&key).copied().unwrap_or_default()
}
