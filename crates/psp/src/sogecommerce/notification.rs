//! Reads the fields of a form notification, strictly.

use cvco_domain::crypto::Verified;
use cvco_domain::{Brand, Cents, Currency, Mode, OrderRef, Psp, ReportedState, Timestamp, Worded};

use super::codes::{Source, TransStatus};
use super::format::{
    AuthResult, CallHash, FormDay, Moment, NumericCurrency, OperationType, SequenceNumber, TransId, Version2,
    is_authorised_later,
};
use super::payment::{Payment, Share, Transaction, call_number};
use super::settings::SiteId;
use super::submission::Malformed;
use super::verify::VadsFields;
use super::{names, payment_seq};
use crate::{Reading, Rejection};

/// The brand of a message about a whole cascade.
const MULTI: &str = "MULTI";

/// How `vads_payment_config` begins where one payment is paid in several instalments, each told by a message of its own.
const INSTALMENTS: &[u8] = b"MULTI:";

/// The field that lists the parts of a cascade.
const PAYMENT_SEQ: &str = "vads_payment_seq";

/// What every form notification says.
struct Head {
    source: Source,
    amount: Cents,
    currency: Currency,
    status: TransStatus,
    operation: Option<OperationType>,
    auth_result: Option<AuthResult>,
    /// When the platform registered the transaction, if it authorised it then. `vads_presentation_date`, when the capture is
    /// wished for, says nothing of what happened.
    registered_at: Option<Timestamp>,
}

/// Refuses a form that names another shop. A form that names no shop passes, but [`read`] refuses it, so it yields no
/// facts.
pub(super) fn check_account(form: &Verified<VadsFields>, site: &SiteId) -> Result<(), Rejection> {
    match form.optional::<SiteId>("vads_site_id") {
        Ok(Some(named)) if named != *site => {
            Err(Rejection::Foreign { psp: Psp::Sogecommerce, what: "vads_site_id" })
        }
        _ => Ok(()),
    }
}

/// Reads a verified form.
pub(super) fn read(form: &Verified<VadsFields>) -> Result<Reading, Malformed> {
    names::check(form.fields())?;
    form.optional::<Version2>("vads_version")?;
    form.required::<CallHash>("vads_hash")?;
    let head = Head {
        source: form.required("vads_url_check_src")?,
        amount: form.required("vads_amount")?,
        currency: form.required::<NumericCurrency>("vads_currency")?.0,
        status: form.required("vads_trans_status")?,
        operation: form.optional("vads_operation_type")?,
        auth_result: form.optional("vads_auth_result")?,
        registered_at: moment(form, "vads_effective_creation_date")?,
    };
    // A wish, read for this alone: whatever else stands there is no reason to refuse the message.
    let capture_planned_at = moment(form, "vads_presentation_date").unwrap_or_default();
    let is_authorised_later = head.source == Source::BatchAuthorisation
        || is_authorised_later(head.registered_at, capture_planned_at);
    // Then no date tells when it was accepted.
    let head = Head { registered_at: head.registered_at.filter(|_| !is_authorised_later), ..head };
    let mode: Mode = form.required("vads_ctx_mode")?;
    let site_id: SiteId = form.required("vads_site_id")?;
    let trans_id: TransId = form.required("vads_trans_id")?;
    let day: FormDay = form.required("vads_trans_date")?;
    let mut payment = Payment {
        call_number: call_number(&trans_id, &day, &site_id, mode)?,
        order_ref: form.optional::<OrderRef>("vads_order_id")?,
        mode,
        order_total: Some(head.amount),
        form_date: moment(form, "vads_trans_date")?.filter(|_| !is_authorised_later),
        itemised: false,
        transactions: Vec::new(),
        remarks: Vec::new(),
    };
    match form.optional::<Brand>("vads_card_brand")? {
        Some(brand) if brand.as_str() == MULTI => cascade(form, &head, &trans_id, &mut payment)?,
        Some(brand) => single(form, &head, brand, &mut payment)?,
        None if form.bytes(PAYMENT_SEQ).is_some() => cascade(form, &head, &trans_id, &mut payment)?,
        None if head.is_accepted() => return Err(Malformed::missing("vads_card_brand")),
        None => payment.remarks.push("no vads_card_brand: the buyer left before any instrument was tried"),
    }
    names::check_none_renamed(&form.fields(), head.fields_that_matter(payment.itemised))?;
    let kind = if payment.itemised { names::Kind::Cascade } else { names::Kind::Single };
    names::check_none_hidden(&form.fields(), kind)?;
    payment.facts().map(|facts| facts.reading(form))
}

fn moment(form: &VadsFields, name: &str) -> Result<Option<Timestamp>, Malformed> {
    Ok(form.optional(name)?.and_then(|Moment(at)| at))
}

/// A message about one transaction.
fn single(form: &VadsFields, head: &Head, brand: Brand, payment: &mut Payment) -> Result<(), Malformed> {
    let sequence_number: Option<SequenceNumber> = form.optional("vads_sequence_number")?;
    let is_instalment = sequence_number.is_some_and(|SequenceNumber(number)| number > 1)
        || form.bytes("vads_payment_config").is_some_and(|config| config.starts_with(INSTALMENTS));
    payment.order_total = payment.order_total.filter(|_| head.source.states_order_total() && !is_instalment);
    if head.operation.is_none() && head.is_accepted() {
        // The signature does not cover names: a refund must not become a payment by renaming one field.
        if form.fields().any(|(_, value)| OperationType::is_one(value)) {
            return Err(Malformed::new(
                "vads_operation_type manque, mais un autre champ a une telle valeur",
                "vads_operation_type is missing, but another field has such a value",
            ));
        }
        payment.remarks.push("no vads_operation_type: read as DEBIT");
    }
    let share = Share::of_single(&brand, &head.status, head.auth_result.as_ref());
    let amount = head.amount_taken(form, &mut payment.remarks)?;
    payment.transactions.push(Transaction {
        uuid: form.optional("vads_trans_uuid")?,
        sequence_number,
        authorisation: form.optional("vads_auth_number")?,
        contract: form.optional("vads_contract_used")?,
        amount,
        revised: amount != head.amount || head.source.is_of_merchant(),
        ..head.attempt(brand, share)
    });
    Ok(())
}

/// A message about a cascade: all its parts, or, where the platform lists none, its failure as a whole.
/// The state of a cascade is that of its parts; what its top-level status says is not documented.
fn cascade(
    form: &VadsFields,
    head: &Head,
    trans_id: &TransId,
    payment: &mut Payment,
) -> Result<(), Malformed> {
    if let Some(text) = form.bytes(PAYMENT_SEQ) {
        payment.transactions = payment_seq::read(text, trans_id, head.currency)?;
        for part in &mut payment.transactions {
            let is_refund = part.operation == Some(OperationType::Credit);
            part.registered_at = head.registered_at.filter(|_| !is_refund);
            part.revised = head.source.is_of_merchant();
        }
    }
    payment.itemised = !payment.transactions.is_empty();
    if payment.transactions.iter().any(|part| part.operation.is_none()) {
        payment.remarks.push("a part without operation_type: read as DEBIT");
    }
    if payment.itemised {
        return Ok(());
    }
    if head.is_accepted() {
        return Err(Malformed::new(
            "vads_payment_seq ne donne pas les parts d’un paiement MULTI accepté",
            "vads_payment_seq lists no parts of an accepted MULTI payment",
        ));
    }
    let brand = Brand::new(MULTI).map_err(|error| Malformed(error.words()))?;
    payment.transactions.push(head.attempt(brand, Share::Voucher));
    Ok(())
}

impl Head {
    /// The fields whose absence would make the message about another order, or about money that is already recorded.
    fn fields_that_matter(&self, itemised: bool) -> &'static [&'static str] {
        if itemised {
            return &["vads_order_id"];
        }
        match self.status.reported().0 {
            ReportedState::Authorised | ReportedState::Captured => Self::OF_A_TRANSACTION,
            // A merchant's operation is about a transaction that exists.
            _ if !self.source.states_order_total() => Self::OF_A_TRANSACTION,
            ReportedState::Refused => &["vads_card_brand", "vads_order_id", "vads_trans_uuid"],
            // There may be no transaction; the result says whether voucher or complement was abandoned.
            ReportedState::Abandoned => &["vads_auth_result", "vads_card_brand", "vads_order_id"],
            ReportedState::Pending | ReportedState::Expired | ReportedState::Cancelled => &["vads_order_id"],
        }
    }

    const OF_A_TRANSACTION: &'static [&'static str] =
        &["vads_card_brand", "vads_order_id", "vads_trans_uuid", "vads_operation_type"];

    fn is_accepted(&self) -> bool {
        match self.status.reported().0 {
            ReportedState::Authorised | ReportedState::Captured => true,
            ReportedState::Pending
            | ReportedState::Abandoned
            | ReportedState::Refused
            | ReportedState::Expired
            | ReportedState::Cancelled => false,
        }
    }

    /// What was paid, which a merchant can lower in the back office: `vads_effective_amount` follows, in the currency
    /// of the capture. It sorts after fields that a buyer fills in ([`names`]), so it can only lower `vads_amount`,
    /// never raise it.
    fn amount_taken(&self, form: &VadsFields, remarks: &mut Vec<&'static str>) -> Result<Cents, Malformed> {
        let effective: Option<Cents> = form.optional("vads_effective_amount")?;
        let currency: Option<NumericCurrency> = form.optional("vads_effective_currency")?;
        let comparable = currency == Some(NumericCurrency(self.currency));
        match effective.filter(|_| comparable && self.operation != Some(OperationType::Credit)) {
            Some(effective) if effective <= self.amount => Ok(effective),
            Some(_) => {
                remarks.push("vads_effective_amount exceeds vads_amount and was not believed");
                Ok(self.amount)
            }
            None => Ok(self.amount),
        }
    }

    /// The message as an attempt, without further details.
    fn attempt(&self, brand: Brand, share: Share) -> Transaction {
        Transaction {
            share,
            brand,
            uuid: None,
            sequence_number: None,
            operation: self.operation,
            parent: None,
            amount: self.amount,
            currency: self.currency,
            status: self.status.clone(),
            auth_result: self.auth_result.clone(),
            authorisation: None,
            contract: None,
            registered_at: self.registered_at,
            captured_at: None,
            revised: false,
        }
    }
}
