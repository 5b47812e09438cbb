//! From a transaction, as the API states it, to an answer.

use cvco_domain::{
    AmountFrom, Authorisation, Bilingual, Brand, CallNumber, Cents, Currency, Event, Instrument, Operation,
    OrderRef, ReportedState, StatusCode, StatusReading, TenderId, Timestamp,
};

use super::super::Settings;
use super::super::codes::judge;
use super::super::message::{Amount, Drift, Transaction, same_number};
use crate::api::{Answer, Inquiry, NoAnswer};

/// The brand under which every PSP but Up2pay knows these vouchers; ANCV itself does not say it.
const BRAND: &str = "CVCO";

/// Reads the facts. The transaction must be the one that was asked about, of the endpoint's own shop.
pub(super) fn answer(
    transaction: &Transaction,
    settings: &Settings,
    inquiry: &Inquiry<'_>,
) -> Result<Answer, NoAnswer> {
    belongs(transaction, settings, inquiry.question.subject.as_str())?;
    let vouchers = Money::of_vouchers(transaction)?;
    let order = Money::of_order(transaction)?;

    let tender_id = TenderId::new(transaction.id.as_str()).map_err(|error| trouble(&error))?;
    let was_accepted = vouchers.is_some() || accepted_before(inquiry, &tender_id);
    let (state, reading, standing) = judge(&transaction.state, was_accepted);
    let remark = remark(transaction, reading);
    let Some((money, amount_from)) = decisive(state, vouchers, order)? else {
        return Ok(Answer { standing, events: Vec::new(), questions: Vec::new(), remark });
    };

    let order_ref = transaction.order.as_ref().and_then(|order| order.id.as_ref());
    let event = Event {
        order_ref: order_ref.and_then(|id| OrderRef::escaped(&id.text())),
        call_number: CallNumber::new(transaction.id.as_str()).map_err(|error| trouble(&error))?,
        tender_id: Some(tender_id),
        instrument: Instrument::Voucher,
        brand: Brand::new(BRAND).map_err(|error| trouble(&error))?,
        operation: Operation::Debit,
        amount: money.cents,
        amount_from,
        running_total: None,
        currency: money.currency,
        state,
        status: StatusCode { code: status_code(transaction), reading },
        // Here vouchers do have a number. At every PSP its presence tells a card from a voucher, so stating it
        // would raise that rule on every payment.
        authorisation: Authorisation::NotStated,
        contract: None,
        mode: None,
        complement: false,
        order_total: order.filter(|order| order.currency == money.currency).map(|order| order.cents),
        itemised: false,
        parts_announced: None,
        occurred_at: occurred_at(transaction, state),
        accepted_at: validated_at(transaction).filter(|_| state == ReportedState::Captured),
        revised: false,
    };
    Ok(Answer { standing, events: vec![event], questions: Vec::new(), remark })
}

/// Whether it is the transaction that was asked about, of this shop and this provider.
fn belongs(transaction: &Transaction, settings: &Settings, asked: &str) -> Result<(), NoAnswer> {
    if transaction.id != asked {
        return Err(trouble(&"ANCV's API answers about another transaction than the one asked about"));
    }
    let differs =
        |stated: Option<&Drift>, own: &str| stated.is_some_and(|stated| !same_number(&stated.text(), own));
    let merchant = transaction.merchant.as_ref();
    if differs(merchant.and_then(|m| m.shop_id.as_ref()), &settings.shop_id) {
        return Err(NoAnswer::setting(
            "selon l’ANCV, la transaction est celle d’une autre boutique\u{a0}: vérifiez shop_id, et de quelle boutique les réponses \
             automatiques arrivent à ce point d’entrée",
            "ANCV says that the transaction is another shop's: check shop_id, and which shop's automatic responses come to \
             this endpoint",
        ));
    }
    if differs(merchant.and_then(|m| m.service_provider_id.as_ref()), &settings.service_provider_id) {
        return Err(NoAnswer::setting(
            "selon l’ANCV, la transaction est celle d’un autre prestataire de services\u{a0}: vérifiez service_provider_id",
            "ANCV says that the transaction is another service provider's: check service_provider_id",
        ));
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Money {
    cents: Cents,
    currency: Currency,
}

impl Money {
    /// What was paid in vouchers: what was authorised, and not `payers[].amount`, which is what the payer was asked
    /// for. `None` if nothing was.
    fn of_vouchers(transaction: &Transaction) -> Result<Option<Self>, NoAnswer> {
        let vouchers = transaction.authorizations().filter(|authorization| authorization.is_voucher());
        vouchers.map(|voucher| Self::read(&voucher.amount)).try_fold(None, |sum: Option<Self>, money| {
            let money = money?;
            match sum {
                None => Ok(Some(money)),
                Some(sum) if sum.currency == money.currency => {
                    Ok(Some(Self { cents: sum.cents.plus(money.cents), ..sum }))
                }
                Some(_) => Err(trouble(&"ANCV's API lists authorisations in several currencies")),
            }
        })
    }

    fn of_order(transaction: &Transaction) -> Result<Option<Self>, NoAnswer> {
        let amount = transaction.order.as_ref().and_then(|order| order.amount.as_ref());
        amount.map(Self::read).transpose()
    }

    fn read(amount: &Amount) -> Result<Self, NoAnswer> {
        let cents = Cents::parse(&amount.total.text()).map_err(|error| trouble(&error))?;
        let currency = match &amount.currency {
            None => Currency::EUR,
            Some(code) => Currency::parse(&code.text()).map_err(|error| trouble(&error))?,
        };
        Ok(Self { cents, currency })
    }
}

/// Which amount counts in this state, if any is known. As long as nothing is decided the beneficiary may still lower
/// the voucher's share, so that only the order's amount is sure.
fn decisive(
    state: ReportedState,
    vouchers: Option<Money>,
    order: Option<Money>,
) -> Result<Option<(Money, AmountFrom)>, NoAnswer> {
    let part = vouchers.map(|money| (money, AmountFrom::Part));
    let whole = order.map(|money| (money, AmountFrom::OrderTotal));
    match state {
        ReportedState::Pending => Ok(whole),
        ReportedState::Abandoned | ReportedState::Refused => Ok(part.or(whole)),
        ReportedState::Authorised | ReportedState::Captured => part.map(Some).ok_or_else(|| {
            trouble(&"ANCV's API says accepted, but lists no authorisation of the type CVCo: how much, it does not say")
        }),
        ReportedState::Cancelled | ReportedState::Expired => part
            .or(whole)
            .map(Some)
            .ok_or_else(|| trouble(&"ANCV's API says that a payment was undone, but not how much")),
    }
}

/// Whether the ledger knows that this transaction had been accepted.
fn accepted_before(inquiry: &Inquiry<'_>, id: &TenderId) -> bool {
    inquiry.known.iter().any(|event| {
        event.tender_id.as_ref() == Some(id)
            && matches!(event.state, ReportedState::Authorised | ReportedState::Captured)
    })
}

fn instant(date: &Drift) -> Option<Timestamp> {
    Timestamp::parse(&date.text()).ok()
}

/// A payment is accepted when its last voucher is validated.
fn validated_at(transaction: &Transaction) -> Option<Timestamp> {
    let vouchers = transaction.authorizations().filter(|authorization| authorization.is_voucher());
    vouchers.filter_map(|voucher| voucher.validation_date.as_ref()).filter_map(instant).max()
}

/// Any other state came about when the transaction last changed.
fn occurred_at(transaction: &Transaction, state: ReportedState) -> Option<Timestamp> {
    let updated = transaction.update_date.as_ref().and_then(instant);
    match state {
        ReportedState::Authorised => validated_at(transaction).or(updated),
        ReportedState::Captured
        | ReportedState::Pending
        | ReportedState::Abandoned
        | ReportedState::Refused
        | ReportedState::Expired
        | ReportedState::Cancelled => updated,
    }
}

/// `STATE`, or `STATE.subState`.
fn status_code(transaction: &Transaction) -> String {
    let state = word(&transaction.state);
    let sub_state = transaction.sub_state.as_ref().map(|sub_state| word(&sub_state.text()));
    match sub_state.filter(|sub_state| !sub_state.is_empty()) {
        Some(sub_state) => format!("{state}.{sub_state}"),
        None => state,
    }
}

/// A word from outside, reduced to the characters of a word.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).take(40).collect()
}

fn remark(transaction: &Transaction, reading: StatusReading) -> Option<String> {
    let others = transaction.authorizations().filter(|authorization| !authorization.is_voucher()).count();
    match (reading, others) {
        (StatusReading::Unknown, _) => {
            Some(format!("the state {} is in no table of ANCV's", status_code(transaction)))
        }
        (_, 0) => None,
        (_, others) => Some(format!("not counted: {others} authorisations that are not of vouchers")),
    }
}

fn trouble(what: &dyn std::fmt::Display) -> NoAnswer {
    NoAnswer::Trouble(Bilingual::in_english_alone(what))
}
