//! What both formats say of a payment, and the events that follow from it.

use cvco_domain::crypto::Verified;
use cvco_domain::{
    AmountFrom, Authorisation, AuthorisationNumber, Brand, CallNumber, Cents, Contract, Currency, Event,
    Instrument, Mode, Operation, OrderRef, ReportedState, StatusCode, StatusReading, TenderId, Timestamp,
    Worded,
};

use super::codes::{CvcoResult, TransStatus};
use super::format::{AuthResult, FormDay, OperationType, SequenceNumber, TransId};
use super::settings::SiteId;
use super::submission::Malformed;
use crate::Reading;

/// One notification's account of a payment.
pub(super) struct Payment {
    pub(super) call_number: CallNumber,
    pub(super) order_ref: Option<OrderRef>,
    pub(super) mode: Mode,
    /// The order's total, where the message is sure to state it.
    pub(super) order_total: Option<Cents>,
    /// When the payment form was made: minutes before a payment is accepted.
    pub(super) form_date: Option<Timestamp>,
    /// Whether `transactions` should add up to `order_total`.
    pub(super) itemised: bool,
    pub(super) transactions: Vec<Transaction>,
    /// What is odd, for the log.
    pub(super) remarks: Vec<&'static str>,
}

/// The facts about a payment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PaymentFacts {
    pub(super) events: Vec<Event>,
    pub(super) remark: Option<String>,
}

impl PaymentFacts {
    /// The reading of the proven message that states them.
    pub(super) fn reading<T>(self, proof: &Verified<T>) -> Reading {
        if self.events.is_empty() {
            Reading::nothing(self.remark.unwrap_or_else(|| "no transaction".to_owned()))
        } else {
            Reading::facts(proof, self.events, Vec::new(), self.remark)
        }
    }
}

/// One transaction, or one attempt that never became one.
pub(super) struct Transaction {
    pub(super) share: Share,
    pub(super) brand: Brand,
    pub(super) uuid: Option<TenderId>,
    pub(super) sequence_number: Option<SequenceNumber>,
    pub(super) operation: Option<OperationType>,
    /// The refunded transaction.
    pub(super) parent: Option<TenderId>,
    pub(super) amount: Cents,
    pub(super) currency: Currency,
    pub(super) status: TransStatus,
    pub(super) auth_result: Option<AuthResult>,
    pub(super) authorisation: Option<AuthorisationNumber>,
    pub(super) contract: Option<Contract>,
    /// When the platform registered it: the payment when it was accepted, or the refund that it is.
    pub(super) registered_at: Option<Timestamp>,
    /// When it was captured, where the platform tells that.
    pub(super) captured_at: Option<Timestamp>,
    /// The merchant changed its amount in the back office.
    pub(super) revised: bool,
}

/// What a transaction is to its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// Chèque-Vacances Connect, or another voucher.
    Voucher,
    /// A card beside a voucher.
    Complement,
    /// A card, or another instrument, alone.
    Card,
}

/// Chèque-Vacances Connect, as `vads_card_brand` and `effectiveBrand` name it.
pub(super) const CVCO: &str = "CVCO";

/// Brands that are vouchers as well: the older e-Chèque-Vacances, and the meal vouchers of Conecs and its issuers (Lyra
/// shows CONECS beside CVCONNECT and a card in one cascade).
const OTHER_VOUCHERS: [&str; 8] =
    ["E_CV", "CONECS", "APETIZ", "CHQ_DEJ", "SODEXO", "EDENRED", "EDENRED_TR", "SWILE"];

fn is_voucher(brand: &Brand) -> bool {
    brand.as_str() == CVCO || OTHER_VOUCHERS.contains(&brand.as_str())
}

impl Share {
    /// The share of a transaction that stands alone or is listed in a cascade. Whatever is no voucher is the
    /// complement there, and its brand is left open.
    pub(super) fn of(brand: &Brand, cascade: bool) -> Self {
        match (is_voucher(brand), cascade) {
            (true, _) => Self::Voucher,
            (false, true) => Self::Complement,
            (false, false) => Self::Card,
        }
    }

    /// The share of a single-brand message. The platform reports a failed complement under the voucher's
    /// brand, with an `auth_result` that says whose failure it is (1011: refused by the complement's
    /// acquirer; 1013: abandoned in the complement). What failed is the card, not the voucher, so the event
    /// is the card's; its brand stays as received.
    pub(super) fn of_single(brand: &Brand, status: &TransStatus, result: Option<&AuthResult>) -> Self {
        let share = Self::of(brand, false);
        let failed = matches!(status.reported().0, ReportedState::Refused | ReportedState::Abandoned);
        let by_complement = result.is_some_and(|result| CvcoResult::of(&result.0).is_of_complement());
        if share == Self::Voucher && failed && by_complement { Self::Complement } else { share }
    }

    const fn instrument(self) -> Instrument {
        match self {
            Self::Voucher => Instrument::Voucher,
            Self::Complement | Self::Card => Instrument::Card,
        }
    }
}

/// `vads_trans_id` is unique per shop and day (UTC) and common to all parts of a cascade, so with these two
/// it names the payment attempt; trials have a sequence of their own. Form and REST notifications of one
/// payment agree on it.
pub(super) fn call_number(
    trans_id: &TransId,
    day: &FormDay,
    site: &SiteId,
    mode: Mode,
) -> Result<CallNumber, Malformed> {
    let world = match mode {
        Mode::Production => "",
        Mode::Test => "-test",
    };
    CallNumber::new(format!("{}-{}-{}{world}", trans_id.0, day.0, site.as_str()))
        .map_err(|error| Malformed(error.words()))
}

impl Payment {
    /// One event per transaction that moves money or might have.
    pub(super) fn facts(mut self) -> Result<PaymentFacts, Malformed> {
        let listed = self.transactions.len();
        self.transactions.retain(|transaction| transaction.operation != Some(OperationType::Verification));
        if self.transactions.len() < listed {
            self.remarks.push("a VERIFICATION moves no money");
        }
        let listed = self.transactions.len();
        // What the merchant lowered to nothing says that nothing is left of it.
        self.transactions.retain(|transaction| transaction.amount != Cents::ZERO || transaction.revised);
        if self.transactions.len() < listed {
            self.remarks.push("a transaction of nothing moves no money");
        }
        let events =
            self.transactions.iter().map(|transaction| self.event(transaction)).collect::<Result<_, _>>()?;
        let remark = (!self.remarks.is_empty()).then(|| self.remarks.join("; "));
        Ok(PaymentFacts { events, remark })
    }

    fn event(&self, transaction: &Transaction) -> Result<Event, Malformed> {
        let refund = transaction.operation == Some(OperationType::Credit);
        let state = transaction.status.reported().0;
        let is_paid = !refund && matches!(state, ReportedState::Authorised | ReportedState::Captured);
        let registered_at = transaction.registered_at.or(self.form_date.filter(|_| is_paid));
        Ok(Event {
            order_ref: self.order_ref.clone(),
            call_number: self.call_number.clone(),
            tender_id: self.tender_id(transaction)?,
            instrument: transaction.share.instrument(),
            brand: transaction.brand.clone(),
            operation: if refund {
                Operation::Credit { of: transaction.parent.clone() }
            } else {
                Operation::Debit
            },
            amount: transaction.amount,
            amount_from: AmountFrom::Part,
            running_total: None,
            currency: transaction.currency,
            state,
            status: transaction.status_code(),
            authorisation: transaction.authorisation(),
            contract: transaction.contract.clone(),
            mode: Some(self.mode),
            complement: transaction.share == Share::Complement,
            order_total: self.order_total.filter(|_| !refund),
            itemised: self.itemised && !refund,
            parts_announced: None,
            // The platform repeats the date of the registration whatever happened since: of a capture only its own
            // date counts, and a cancellation or a lapse has none.
            occurred_at: match state {
                ReportedState::Captured if !refund => transaction.captured_at,
                ReportedState::Cancelled | ReportedState::Expired => None,
                ReportedState::Pending
                | ReportedState::Abandoned
                | ReportedState::Refused
                | ReportedState::Authorised
                | ReportedState::Captured => registered_at,
            },
            accepted_at: registered_at.filter(|_| is_paid && state == ReportedState::Captured),
            revised: transaction.revised && is_paid,
        })
    }

    /// The `uuid`; else the place in the payment's sequence; else none: an attempt that never became a
    /// transaction. A failed complement that is reported under the voucher's brand has none either, because
    /// any `uuid` there could be the voucher's.
    fn tender_id(&self, transaction: &Transaction) -> Result<Option<TenderId>, Malformed> {
        if transaction.share == Share::Complement && is_voucher(&transaction.brand) {
            return Ok(None);
        }
        if let Some(uuid) = &transaction.uuid {
            return Ok(Some(uuid.clone()));
        }
        let Some(SequenceNumber(number)) = transaction.sequence_number else { return Ok(None) };
        // A refund may share its sequence number with what it refunds.
        let suffix = if transaction.operation == Some(OperationType::Credit) { "/credit" } else { "" };
        TenderId::new(format!("{}/{number}{suffix}", self.call_number))
            .map(Some)
            .map_err(|error| Malformed(error.words()))
    }
}

impl Transaction {
    /// `REFUSED/1216`: the status, and the acquirer's answer unless that is "accepted" (`0` at ANCV, `00` at
    /// the card schemes).
    fn status_code(&self) -> StatusCode {
        let (_, reading) = self.status.reported();
        let answer =
            self.auth_result.as_ref().map(|result| result.0.as_str()).filter(|r| !matches!(*r, "0" | "00"));
        let Some(answer) = answer else {
            return StatusCode { code: self.status.as_str().to_owned(), reading };
        };
        let code = format!("{}/{answer}", self.status.as_str());
        let unknown = self.brand.as_str() == CVCO && CvcoResult::of(answer).meaning().is_none();
        let reading = if unknown { StatusReading::Unknown } else { reading };
        StatusCode { code, reading }
    }

    /// `CVCo` never has an authorisation number (`CVCo` guide 1.5: not returned if not applicable); of other vouchers
    /// nobody says so.
    fn authorisation(&self) -> Authorisation {
        match (&self.authorisation, self.share) {
            (Some(number), _) => Authorisation::Number(number.clone()),
            (None, Share::Voucher) if !OTHER_VOUCHERS.contains(&self.brand.as_str()) => Authorisation::Absent,
            (None, Share::Voucher | Share::Complement | Share::Card) => Authorisation::NotStated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vouchers_are_told_from_cards_by_their_brand() {
        let share = |brand: &str, cascade| Share::of(&Brand::new(brand).expect("a brand"), cascade);
        for brand in ["CVCO", "E_CV", "CONECS", "APETIZ", "CHQ_DEJ", "SODEXO", "EDENRED"] {
            assert_eq!(
                (share(brand, true), share(brand, false)),
                (Share::Voucher, Share::Voucher),
                "{brand}"
            );
        }
        for brand in ["CB", "VISA", "E-CARTEBLEUE", "AMEX"] {
            assert_eq!(
                (share(brand, true), share(brand, false)),
                (Share::Complement, Share::Card),
                "{brand}"
            );
        }
    }
}
