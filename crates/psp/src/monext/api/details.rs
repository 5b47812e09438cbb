//! What Monext says of a payment: the answers of `getWebPaymentDetails` and `getTransactionDetails`, which share their
//! parts. Real answers lack elements that the WSDL demands, so every element is optional here, and each reader demands
//! what it needs.

use cvco_domain::{AuthorisationNumber, Cents, Contract, Currency, OrderRef, TenderId, Timestamp};

use super::super::codes::{Verdict, judge};
use super::super::excerpt;
use super::when;
use super::xml::{Element, Space};

/// One main part and, by the WSDL, up to 100 additional ones.
const MAX_LEGS: usize = 101;
/// The WSDL allows 100 entries of history. It is not known whether Monext keeps to that.
const MAX_HISTORY: usize = 1000;

/// An answer that cannot be understood, though its XML can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreadable(pub(super) String);

/// An answer about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Details {
    pub(super) verdict: Verdict,
    /// The parts with a transaction, the main one first, each transaction once.
    pub(super) legs: Vec<Leg>,
    pub(super) order: OrderPart,
    /// What was done to the transaction.
    pub(super) history: Vec<HistoryEntry>,
}

/// One part of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leg {
    pub(super) id: TenderId,
    /// The part that stands outside the list of additional payments.
    pub(super) is_main: bool,
    pub(super) amount: Option<Cents>,
    pub(super) currency: Option<Currency>,
    /// What was asked of the bank: `100` to authorise, `101` to authorise and capture.
    pub(super) action: Option<String>,
    pub(super) contract: Option<Contract>,
    pub(super) method: Option<String>,
    pub(super) card_type: Option<String>,
    /// `AUTHOR+CAP`, `REFUND` …; often missing.
    pub(super) kind: Option<String>,
    pub(super) authorisation: Option<AuthorisationNumber>,
    pub(super) at: Option<Timestamp>,
}

/// The order, as the shop described it when it opened the session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OrderPart {
    pub(super) reference: Option<OrderRef>,
    pub(super) total: Option<Cents>,
    pub(super) currency: Option<Currency>,
}

/// One entry of the history (`associatedTransactions`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HistoryEntry {
    pub(super) id: TenderId,
    pub(super) kind: String,
    pub(super) succeeded: bool,
    /// What it was done to.
    pub(super) of: Option<TenderId>,
    pub(super) amount: Option<Cents>,
    pub(super) currency: Option<Currency>,
    pub(super) at: Option<Timestamp>,
}

/// The result of any answer.
pub(super) fn verdict(answer: &Element) -> Result<Verdict, Unreadable> {
    let result =
        answer.child(Space::Impl, "result").ok_or_else(|| Unreadable("it has no result".to_owned()))?;
    let code = result.text(Space::Obj, "code").unwrap_or_default();
    let word = result.text(Space::Obj, "shortMessage");
    judge(code, word).ok_or_else(|| {
        let word = excerpt(word.unwrap_or_default(), 30);
        Unreadable(format!("its result {:?} with {word:?} is in no table", excerpt(code, 10)))
    })
}

impl Details {
    /// Reads an answer.
    pub(super) fn read(answer: &Element) -> Result<Self, Unreadable> {
        let main = Leg::read(answer, Space::Impl)?.map(|mut leg| {
            leg.is_main = true;
            leg.contract = leg.contract.or_else(|| identifier(answer, Space::Impl, "contractNumber"));
            leg
        });
        let mut legs: Vec<Leg> = main.into_iter().collect();
        // One additional payment or several: always a list.
        for list in answer.all(Space::Impl, "paymentAdditionalList") {
            for additional in list.all(Space::Obj, "paymentAdditional") {
                legs.extend(Leg::read(additional, Space::Obj)?);
            }
        }
        if legs.len() > MAX_LEGS {
            return Err(Unreadable(format!("it has more than {MAX_LEGS} parts")));
        }
        let history: Vec<HistoryEntry> = answer
            .all(Space::Impl, "associatedTransactionsList")
            .flat_map(|list| list.all(Space::Obj, "associatedTransactions"))
            .filter_map(|entry| HistoryEntry::read(entry).transpose())
            .collect::<Result<_, _>>()?;
        if history.len() > MAX_HISTORY {
            return Err(Unreadable(format!("its history has more than {MAX_HISTORY} entries")));
        }
        Ok(Self {
            verdict: verdict(answer)?,
            legs: each_once(legs)?,
            order: OrderPart::read(answer),
            history,
        })
    }
}

/// A complement may stand in the main place and in the list: it is one transaction.
fn each_once(legs: Vec<Leg>) -> Result<Vec<Leg>, Unreadable> {
    let mut distinct: Vec<Leg> = Vec::with_capacity(legs.len());
    for leg in legs {
        match distinct.iter().find(|known| known.id == leg.id) {
            None => distinct.push(leg),
            Some(known) if known.amount == leg.amount && known.currency == leg.currency => {}
            Some(known) => {
                return Err(Unreadable(format!("it states two amounts of transaction {}", known.id)));
            }
        }
    }
    Ok(distinct)
}

impl Leg {
    /// Reads the parts that stand in `parent`; none where no transaction has an identifier: nothing was tried.
    fn read(parent: &Element, space: Space) -> Result<Option<Self>, Unreadable> {
        let transaction = parent.child(space, "transaction");
        let Some(id) = transaction.and_then(|part| part.text(Space::Obj, "id")) else { return Ok(None) };
        let payment = parent.child(space, "payment");
        let of_payment = |name| payment.and_then(|part| part.text(Space::Obj, name));
        let of_transaction = |name| transaction.and_then(|part| part.text(Space::Obj, name));
        let authorisation = parent.child(space, "authorization");
        let date = |part: Option<&Element>| part.and_then(|part| when::parse(part.text(Space::Obj, "date")?));
        let card = parent.child(space, "card");
        Ok(Some(Self {
            id: tender_id(id)?,
            is_main: false,
            amount: of_payment("amount").and_then(|text| Cents::parse(text).ok()),
            currency: of_payment("currency").and_then(|text| Currency::parse(text).ok()),
            action: of_payment("action").map(str::to_owned),
            contract: payment.and_then(|part| identifier(part, Space::Obj, "contractNumber")),
            method: of_payment("method").map(str::to_owned),
            card_type: card.and_then(|card| card.text(Space::Obj, "type")).map(str::to_owned),
            kind: of_transaction("type").map(str::to_owned),
            authorisation: authorisation.and_then(|part| identifier(part, Space::Obj, "number")),
            at: date(transaction).or_else(|| date(authorisation)),
        }))
    }
}

impl OrderPart {
    fn read(answer: &Element) -> Self {
        let Some(order) = answer.child(Space::Impl, "order") else { return Self::default() };
        Self {
            reference: order.text(Space::Obj, "ref").and_then(OrderRef::escaped),
            total: order.text(Space::Obj, "amount").and_then(|text| Cents::parse(text).ok()),
            currency: order.text(Space::Obj, "currency").and_then(|text| Currency::parse(text).ok()),
        }
    }
}

impl HistoryEntry {
    fn read(entry: &Element) -> Result<Option<Self>, Unreadable> {
        let text = |name| entry.text(Space::Obj, name);
        let Some(id) = text("transactionId") else { return Ok(None) };
        Ok(Some(Self {
            id: tender_id(id)?,
            kind: text("type").unwrap_or_default().to_owned(),
            succeeded: text("status") == Some("OK"),
            of: text("originTransactionId").map(tender_id).transpose()?,
            amount: text("amount").and_then(|text| Cents::parse(text).ok()),
            currency: text("currency").and_then(|text| Currency::parse(text).ok()),
            at: text("date").and_then(when::parse),
        }))
    }
}

fn tender_id(text: &str) -> Result<TenderId, Unreadable> {
    TenderId::new(text).map_err(|error| Unreadable(error.to_string()))
}

/// A text that is useful, but whose absence does not change any amount.
fn identifier<T: TryFrom<String>>(parent: &Element, space: Space, name: &str) -> Option<T> {
    T::try_from(parent.text(space, name)?.to_owned()).ok()
}
