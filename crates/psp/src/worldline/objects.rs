//! The objects of Worldline's messages and API answers, as far as they matter here: a payment, a refund, and
//! one operation in the list of a payment's. Every property is optional; `null` and `{}` are the same as its
//! absence. Card numbers, names, addresses and the like have no field here.

use cvco_domain::{AuthorisationNumber, Cents, Currency, OrderRef, ReportedState, Timestamp};
use serde::Deserialize;

use super::codes::{Meaning, Status};
use super::format::{Lenient, Loose, StatusNumber, Word, or_empty};
use super::method::{Kind, Method, Product};
use super::payment_id::PaymentId;

/// `PaymentResponse`; with `Operations` also `PaymentDetailsResponse`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Payment {
    pub(super) id: Lenient<PaymentId>,
    status: Loose<Word>,
    #[serde(deserialize_with = "or_empty")]
    status_output: StatusOutput,
    #[serde(rename = "paymentOutput", deserialize_with = "or_empty")]
    pub(super) output: PaymentOutput,
    #[serde(deserialize_with = "or_empty")]
    pub(super) operation_output: Operation,
    #[serde(rename = "Operations", alias = "operations", deserialize_with = "or_empty")]
    pub(super) operations: Vec<Operation>,
}

/// `RefundResponse`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Refund {
    pub(super) id: Lenient<PaymentId>,
    status: Loose<Word>,
    #[serde(deserialize_with = "or_empty")]
    status_output: StatusOutput,
    #[serde(rename = "refundOutput", deserialize_with = "or_empty")]
    pub(super) output: RefundOutput,
}

/// One operation of a payment: in a webhook the one that it is about, in an answer one of all.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Operation {
    pub(super) id: Lenient<PaymentId>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) amount_of_money: Money,
    pub(super) payment_method: Loose<Method>,
    status: Loose<Word>,
    #[serde(deserialize_with = "or_empty")]
    status_output: StatusOutput,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusOutput {
    #[serde(rename = "statusCode")]
    code: Lenient<StatusNumber>,
    #[serde(rename = "statusCategory")]
    category: Loose<Word>,
    #[serde(rename = "statusCodeChangeDateTime")]
    changed_at: Loose<Timestamp>,
}

/// An amount in the smallest unit of its currency.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Money {
    amount: Lenient<Cents>,
    currency_code: Lenient<Currency>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PaymentOutput {
    #[serde(deserialize_with = "or_empty")]
    pub(super) amount_of_money: Money,
    #[serde(deserialize_with = "or_empty")]
    acquired_amount: Money,
    #[serde(deserialize_with = "or_empty")]
    pub(super) references: References,
    #[serde(deserialize_with = "or_empty")]
    surcharge_specific_output: Surcharge,
    payment_method: Loose<Method>,
    pub(super) transaction_date: Loose<Timestamp>,
    card_payment_method_specific_output: Option<MethodOutput>,
    redirect_payment_method_specific_output: Option<MethodOutput>,
    mobile_payment_method_specific_output: Option<MethodOutput>,
    sepa_direct_debit_payment_method_specific_output: Option<MethodOutput>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct References {
    pub(super) merchant_reference: Loose<OrderRef>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Surcharge {
    #[serde(deserialize_with = "or_empty")]
    surcharge_amount: Money,
}

/// What is said of a method's own share in a payment.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MethodOutput {
    pub(super) payment_product_id: Lenient<Product>,
    pub(super) authorisation_code: Loose<AuthorisationNumber>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RefundOutput {
    #[serde(deserialize_with = "or_empty")]
    pub(super) amount_of_money: Money,
    #[serde(deserialize_with = "or_empty")]
    pub(super) references: References,
    payment_method: Loose<Method>,
    card_refund_method_specific_output: Option<RefundTotals>,
    /// So named in a sample of the plugin for Magento.
    card_payment_method_specific_output: Option<RefundTotals>,
    redirect_refund_method_specific_output: Option<RefundTotals>,
    redirect_payment_method_specific_output: Option<RefundTotals>,
    mobile_refund_method_specific_output: Option<RefundTotals>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RefundTotals {
    total_amount_refunded: Lenient<Cents>,
}

impl Money {
    /// An amount of nothing states nothing.
    pub(super) fn positive(self) -> Option<Cents> {
        self.amount.0.filter(|amount| amount.is_positive())
    }

    pub(super) const fn currency(self) -> Option<Currency> {
        self.currency_code.0
    }
}

impl Payment {
    /// Whether the message has such an object at all.
    pub(super) fn is_there(&self) -> bool {
        self.id.0.is_some() || self.status().meaning().is_some()
    }

    pub(super) const fn status(&self) -> Status<'_> {
        status(&self.status, &self.status_output)
    }

    /// Where the operation stands that a webhook is about; else the payment.
    pub(super) fn status_of_operation(&self) -> Status<'_> {
        let own = self.operation_output.status();
        if own.meaning().is_some() { own } else { self.status() }
    }

    /// The id of the operation that a webhook is about; else the payment's.
    pub(super) fn id_of_operation(&self) -> Option<&PaymentId> {
        self.operation_output.id.0.as_ref().or(self.id.0.as_ref())
    }

    /// How the operation was paid that a webhook is about.
    pub(super) fn method(&self) -> Option<&Method> {
        self.operation_output.payment_method.0.as_ref().or_else(|| self.output.method())
    }

    pub(super) fn currency(&self) -> Option<Currency> {
        self.output.currency().or_else(|| self.operation_output.amount_of_money.currency())
    }
}

impl Payment {
    /// When its state came about.
    pub(super) const fn changed_at(&self) -> Option<Timestamp> {
        self.status_output.changed_at.0
    }

    /// The same; of a payment that is accepted else `transactionDate`, which stays the date of the acceptance whatever
    /// happens later.
    pub(super) fn occurred_at(&self) -> Option<Timestamp> {
        let accepted = [ReportedState::Authorised, ReportedState::Captured];
        let is_accepted =
            matches!(self.status().meaning(), Some(Meaning::Payment(state, _)) if accepted.contains(&state));
        self.changed_at().or(self.output.transaction_date.0.filter(|_| is_accepted))
    }
}

impl Refund {
    pub(super) fn is_there(&self) -> bool {
        self.id.0.is_some() || self.status().meaning().is_some()
    }

    pub(super) const fn status(&self) -> Status<'_> {
        status(&self.status, &self.status_output)
    }
}

impl Operation {
    pub(super) const fn status(&self) -> Status<'_> {
        status(&self.status, &self.status_output)
    }

    pub(super) fn meaning(&self) -> Option<Meaning> {
        self.status().meaning()
    }

    pub(super) const fn changed_at(&self) -> Option<Timestamp> {
        self.status_output.changed_at.0
    }
}

const fn status<'a>(word: &'a Loose<Word>, output: &'a StatusOutput) -> Status<'a> {
    Status { number: output.code.0, word: word.0.as_ref(), category: output.category.0.as_ref() }
}

impl PaymentOutput {
    /// What the customer owes for the whole order: the amount asked for, and the surcharge on it.
    pub(super) fn order_total(&self) -> Option<Cents> {
        self.amount_of_money.positive().map(|amount| amount.plus(self.surcharge()))
    }

    pub(super) fn surcharge(&self) -> Cents {
        self.surcharge_specific_output.surcharge_amount.positive().unwrap_or(Cents::ZERO)
    }

    /// What was paid of the order so far.
    pub(super) fn acquired(&self) -> Option<Cents> {
        self.acquired_amount.positive()
    }

    pub(super) fn currency(&self) -> Option<Currency> {
        self.amount_of_money.currency().or_else(|| self.acquired_amount.currency())
    }

    pub(super) fn method(&self) -> Option<&Method> {
        const METHODS: &[Method] = &[Method::Card, Method::Redirect, Method::Mobile];
        let names_product = |method: &&Method| {
            self.of_method(method).is_some_and(|output| output.payment_product_id.0.is_some())
        };
        let outputs = || METHODS.iter().find(names_product);
        self.payment_method.0.as_ref().or_else(outputs)
    }

    /// What is said of the share of one method.
    pub(super) fn of_method(&self, method: &Method) -> Option<&MethodOutput> {
        match method {
            Method::Card => self.card_payment_method_specific_output.as_ref(),
            Method::Redirect => self.redirect_payment_method_specific_output.as_ref(),
            Method::Mobile => self.mobile_payment_method_specific_output.as_ref(),
            Method::Other(_) => self.sepa_direct_debit_payment_method_specific_output.as_ref(),
        }
    }
}

impl MethodOutput {
    /// Voucher or card, as far as this output tells.
    pub(super) fn kind(output: Option<&Self>, method: &Method) -> Option<Kind> {
        Kind::of(output.and_then(|output| output.payment_product_id.0), method)
    }
}

impl RefundOutput {
    fn totals(&self) -> impl Iterator<Item = (Method, &RefundTotals)> {
        [
            (Method::Card, &self.card_refund_method_specific_output),
            (Method::Card, &self.card_payment_method_specific_output),
            (Method::Redirect, &self.redirect_refund_method_specific_output),
            (Method::Redirect, &self.redirect_payment_method_specific_output),
            (Method::Mobile, &self.mobile_refund_method_specific_output),
        ]
        .into_iter()
        .filter_map(|(method, totals)| Some((method, totals.as_ref()?)))
    }

    /// Which part is given back.
    pub(super) fn method(&self) -> Option<Method> {
        self.payment_method.0.clone().or_else(|| self.totals().next().map(|(method, _)| method))
    }

    /// What was given back of that part so far, this refund included.
    pub(super) fn refunded_so_far(&self) -> Option<Cents> {
        let mut amounts = self.totals().filter_map(|(_, totals)| totals.total_amount_refunded.0);
        amounts.find(|amount| amount.is_positive())
    }
}
