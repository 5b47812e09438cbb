//! A transaction as the REST API (V4) writes it: the same in a notification and in an answer, read by the same
//! code, so that both state the same events.

use cvco_domain::{
    AuthorisationNumber, Brand, CallNumber, Cents, Contract, Currency, Mode, OrderRef, TenderId, Worded,
};
use serde::Deserialize;

use super::codes::TransStatus;
use super::format::{
    AuthResult, FormDay, Lenient, Moment, OperationType, SequenceNumber, Strict, Text, TransId,
    is_authorised_later,
};
use super::payment::{CVCO, Payment, Share, Transaction, call_number};
use super::settings::SiteId;
use super::submission::Malformed;

/// What is said of the order.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderDetails {
    #[serde(default)]
    pub(super) mode: Lenient<Mode>,
    #[serde(default)]
    order_total_amount: Lenient<Cents>,
    #[serde(default)]
    pub(super) order_id: Lenient<OrderRef>,
}

/// One transaction.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RestTransaction {
    #[serde(default)]
    uuid: Lenient<TenderId>,
    amount: Strict<Cents>,
    currency: Strict<Currency>,
    detailed_status: Strict<TransStatus>,
    #[serde(default)]
    shop_id: Lenient<SiteId>,
    #[serde(default)]
    payment_method_type: Lenient<Brand>,
    #[serde(default)]
    operation_type: Lenient<OperationType>,
    #[serde(default)]
    creation_date: Lenient<Moment>,
    #[serde(default)]
    detailed_error_code: Lenient<AuthResult>,
    #[serde(default)]
    transaction_details: Option<TransactionDetails>,
    /// In the answers of the API only.
    #[serde(default)]
    order_details: Option<OrderDetails>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct TransactionDetails {
    #[serde(default)]
    effective_amount: Lenient<Cents>,
    #[serde(default)]
    effective_currency: Lenient<Currency>,
    #[serde(default)]
    parent_transaction_uuid: Lenient<TenderId>,
    #[serde(default)]
    mid: Lenient<Contract>,
    #[serde(default)]
    sequence_number: Lenient<SequenceNumber>,
    #[serde(default)]
    card_details: Option<Method>,
    #[serde(default)]
    payment_method_details: Option<Method>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Method {
    #[serde(default)]
    effective_brand: Lenient<Brand>,
    #[serde(default)]
    legacy_trans_id: Lenient<TransId>,
    #[serde(default)]
    legacy_trans_date: Lenient<Moment>,
    #[serde(default)]
    expected_capture_date: Lenient<Moment>,
    #[serde(default)]
    sequence_type: Lenient<Text>,
    #[serde(default)]
    authorization_response: Option<AuthorizationResponse>,
    #[serde(default)]
    capture_response: Option<CaptureResponse>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct CaptureResponse {
    #[serde(default)]
    capture_date: Lenient<Moment>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct AuthorizationResponse {
    #[serde(default)]
    authorization_number: Lenient<AuthorisationNumber>,
    #[serde(default)]
    authorization_result: Lenient<AuthResult>,
}

/// The payment that these transactions make, in the order of their attempts.
pub(super) fn payment(
    call_number: CallNumber,
    mode: Mode,
    order: OrderDetails,
    transactions: Vec<RestTransaction>,
) -> Result<Payment, Malformed> {
    let debits = transactions.iter().filter(|transaction| transaction.is_debit()).count();
    let cascade = transactions.iter().any(RestTransaction::in_cascade)
        || (debits > 1 && transactions.iter().any(|transaction| transaction.brand().is_some_and(is_cvco)));
    let transactions = transactions
        .into_iter()
        .map(|transaction| transaction.into_transaction(cascade))
        .collect::<Result<_, _>>()?;
    Ok(Payment {
        call_number,
        order_ref: order.order_id.0,
        mode,
        order_total: order.order_total_amount.0,
        form_date: None,
        itemised: debits > 1,
        transactions,
        remarks: Vec::new(),
    })
}

fn is_cvco(brand: &Brand) -> bool {
    brand.as_str() == CVCO
}

impl RestTransaction {
    fn methods(&self) -> impl Iterator<Item = &Method> {
        let details = self.transaction_details.as_ref();
        let cards = details.and_then(|details| details.card_details.as_ref());
        let others = details.and_then(|details| details.payment_method_details.as_ref());
        cards.into_iter().chain(others)
    }

    pub(super) const fn shop(&self) -> Option<&SiteId> {
        self.shop_id.0.as_ref()
    }

    pub(super) const fn uuid(&self) -> Option<&TenderId> {
        self.uuid.0.as_ref()
    }

    pub(super) const fn status(&self) -> &TransStatus {
        &self.detailed_status.0
    }

    /// What is said of the order beside this transaction.
    pub(super) const fn order_details(&mut self) -> Option<OrderDetails> {
        self.order_details.take()
    }

    pub(super) fn sequence_number(&self) -> Option<SequenceNumber> {
        self.transaction_details.as_ref().and_then(|details| details.sequence_number.0)
    }

    fn is_debit(&self) -> bool {
        matches!(self.operation_type.0, None | Some(OperationType::Debit))
    }

    fn in_cascade(&self) -> bool {
        let types = self.methods().filter_map(|method| method.sequence_type.0.as_ref());
        types.into_iter().any(|kind| kind.0 == "MULTI_PAYMENT_MEAN")
    }

    /// `CVCo` shows in one of two places; elsewhere the first brand named counts.
    fn brand(&self) -> Option<&Brand> {
        let brands = || self.methods().filter_map(|method| method.effective_brand.0.as_ref());
        brands()
            .find(|brand| is_cvco(brand))
            .or_else(|| brands().next())
            .or(self.payment_method_type.0.as_ref())
    }

    /// The same as that of the form notification, which knows the payment by its legacy names; `None` without
    /// these.
    pub(super) fn legacy_call_number(
        &self,
        site: &SiteId,
        mode: Mode,
    ) -> Option<Result<CallNumber, Malformed>> {
        let id = self.methods().find_map(|method| method.legacy_trans_id.0.as_ref())?;
        let date = self.methods().find_map(|method| method.legacy_trans_date.0.as_ref()?.0)?;
        Some(call_number(id, &FormDay::of(date), site, mode))
    }

    /// The call number, or a substitute for it.
    pub(super) fn call_number(&self, site: &SiteId, mode: Mode) -> Result<CallNumber, Malformed> {
        self.legacy_call_number(site, mode).unwrap_or_else(|| {
            let uuid = self.uuid().ok_or_else(|| {
                Malformed::new("un paiement sans identifiants", "a payment without identifiers")
            })?;
            CallNumber::new(uuid.as_str()).map_err(|error| Malformed(error.words()))
        })
    }

    /// What was paid: lowered in the back office, perhaps, and in the currency of the capture.
    fn amount_taken(&self) -> Cents {
        let details = self.transaction_details.as_ref().filter(|_| self.is_debit());
        let comparable = details.filter(|details| details.effective_currency.0 == Some(self.currency.0));
        comparable.and_then(|details| details.effective_amount.0).unwrap_or(self.amount.0)
    }

    fn into_transaction(self, cascade: bool) -> Result<Transaction, Malformed> {
        let brand = self
            .brand()
            .cloned()
            .ok_or_else(|| Malformed::new("une transaction sans marque", "a transaction without a brand"))?;
        let amount = self.amount_taken();
        let captured_at =
            self.methods().find_map(|method| method.capture_response.as_ref()?.capture_date.0.as_ref()?.0);
        let planned_at = self.methods().find_map(|method| method.expected_capture_date.0.as_ref()?.0);
        let registered_at = self.creation_date.0.as_ref().and_then(|moment| moment.0);
        let details = self.transaction_details.unwrap_or_default();
        let mut methods = [details.card_details, details.payment_method_details].into_iter().flatten();
        let response = methods.find_map(|method| method.authorization_response).unwrap_or_default();
        let auth_result = response.authorization_result.0.or(self.detailed_error_code.0);
        // A refund is reported on its own, whatever it refunds.
        let share = if cascade && self.operation_type.0 != Some(OperationType::Credit) {
            Share::of(&brand, true)
        } else {
            Share::of_single(&brand, &self.detailed_status.0, auth_result.as_ref())
        };
        Ok(Transaction {
            share,
            brand,
            uuid: self.uuid.0,
            sequence_number: details.sequence_number.0,
            operation: self.operation_type.0,
            parent: details.parent_transaction_uuid.0,
            amount,
            currency: self.currency.0,
            status: self.detailed_status.0,
            auth_result,
            authorisation: response.authorization_number.0,
            contract: details.mid.0,
            registered_at: registered_at.filter(|_| !is_authorised_later(registered_at, planned_at)),
            captured_at,
            revised: amount != self.amount.0,
        })
    }
}
