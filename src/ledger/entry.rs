//! What the log is made of.

use std::collections::BTreeMap;

use cvco_books::accounting::Books;
use cvco_domain::{
    CallNumber, Cents, Currency, EndpointId, Event, Kind, Mode, OrderKey, OrderRef, Period, Psp, Question,
    ShopId, Source, Standing, Statement, Timestamp,
};
use cvco_reconcile::{Fact, Policy};
use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A genuine notification, or a hint that proves nothing itself.
    Notification(Notification),
    /// A PSP's API answered, or will not.
    Confirmation(Confirmation),
    /// The daemon, or a person, wants PSPs' APIs asked.
    Inquiry(Inquiry),
    /// A shop registered an order, or changed its total.
    Order(OrderRegistration),
    /// The merchant's settings changed.
    Policy(Policy),
    /// A person has seen a discrepancy, has a note on it, or wants to be reminded of it later.
    Acknowledgement(Acknowledgement),
    /// Calls were refused that tell of a wrong setting.
    SignatureFailures(SignatureFailures),
    /// A statement of ANCV or of the bank was imported.
    Statement(ImportedStatement),
    /// A period was closed.
    Close(Close),
}

/// How a notification came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The PSP called the endpoint's URL.
    #[default]
    Call,
    /// The PSP's warning e-mail quotes a call that failed.
    Mail,
    /// The shop handed a session's token over.
    Shop,
}

/// A notification, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Whose it is.
    pub shop: ShopId,
    /// Where it came in.
    pub endpoint: EndpointId,
    /// Who sent it.
    pub psp: Psp,
    /// The world in which the endpoint is meant to live.
    pub mode: Mode,
    /// How it came in.
    pub origin: Origin,
    /// What it states.
    pub events: Vec<Event>,
    /// What to ask the PSP's API about it.
    pub questions: Vec<Question>,
    /// What is odd about it.
    pub remark: Option<String>,
    /// SHA-256 of the bytes that carried it, in hexadecimal.
    pub payload_sha256: String,
}

/// An answer of a PSP's API, read; or that there will be none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// Whose it is.
    pub shop: ShopId,
    /// The endpoint under whose settings was asked.
    pub endpoint: EndpointId,
    /// Who answered.
    pub psp: Psp,
    /// The world in which the endpoint is meant to live.
    pub mode: Mode,
    /// What was asked.
    pub question: Question,
    /// When the question that this answers was last raised.
    pub asked_at: Timestamp,
    /// How the answer stands.
    pub standing: Standing,
    /// What it states.
    pub events: Vec<Event>,
    /// What to ask next.
    pub questions: Vec<Question>,
    /// What is odd about it.
    pub remark: Option<String>,
    /// SHA-256 of the answer's bytes, in hexadecimal; of nothing if there is no answer.
    pub payload_sha256: String,
}

/// Why PSPs' APIs are to be asked without a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The daemon looks regularly for what it was not told.
    Sweep,
    /// A person ran `catch-up`.
    CatchUp,
}

/// Questions to the API of one endpoint's PSP that no notification raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    /// Whose endpoint it is.
    pub shop: ShopId,
    /// Whose settings the questions are asked under.
    pub endpoint: EndpointId,
    /// Who is asked.
    pub psp: Psp,
    /// Why.
    pub reason: Reason,
    /// What is asked.
    pub questions: Vec<Question>,
}

/// Events, with who states them and where: what a notification and a confirmation have in common.
#[derive(Clone, Copy)]
pub(super) struct Stated<'a> {
    pub(super) shop: &'a ShopId,
    pub(super) endpoint: &'a EndpointId,
    pub(super) psp: Psp,
    pub(super) mode: Mode,
    pub(super) source: Source,
    pub(super) events: &'a [Event],
    pub(super) payload_sha256: &'a str,
}

impl Stated<'_> {
    /// The order that one of its events belongs to.
    pub(super) fn order_of(&self, event: &Event) -> OrderKey {
        match &event.order_ref {
            Some(reference) => OrderKey::Reference(self.shop.clone(), reference.clone()),
            None => OrderKey::Call(self.shop.clone(), self.psp, event.call_number.clone()),
        }
    }

    /// One of its events, with where and when the daemon learned of it.
    pub(super) fn fact(&self, event: &Event, received_at: Timestamp) -> Fact {
        Fact {
            event: event.clone(),
            psp: self.psp,
            source: self.source,
            endpoint: self.endpoint.clone(),
            endpoint_mode: self.mode,
            received_at,
        }
    }
}

impl Notification {
    pub(super) fn statement(&self) -> Stated<'_> {
        Stated {
            shop: &self.shop,
            endpoint: &self.endpoint,
            psp: self.psp,
            mode: self.mode,
            source: Source::Notification,
            events: &self.events,
            payload_sha256: &self.payload_sha256,
        }
    }

    /// Whether it proves nothing itself, and only says what to ask.
    pub(super) fn is_hint(&self) -> bool {
        self.events.is_empty() && !self.questions.is_empty()
    }
}

impl Confirmation {
    pub(super) fn statement(&self) -> Stated<'_> {
        Stated {
            shop: &self.shop,
            endpoint: &self.endpoint,
            psp: self.psp,
            mode: self.mode,
            source: Source::Confirmation,
            events: &self.events,
            payload_sha256: &self.payload_sha256,
        }
    }
}

impl Entry {
    /// The events that it states, if it is one that can.
    pub(super) fn statement(&self) -> Option<Stated<'_>> {
        match self {
            Self::Notification(notification) => Some(notification.statement()),
            Self::Confirmation(confirmation) => Some(confirmation.statement()),
            Self::Inquiry(_)
            | Self::Order(_)
            | Self::Policy(_)
            | Self::Acknowledgement(_)
            | Self::SignatureFailures(_)
            | Self::Statement(_)
            | Self::Close(_) => None,
        }
    }
}

/// An order as its shop registers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRegistration {
    /// The shop.
    pub shop: ShopId,
    /// Its reference of the order.
    pub reference: OrderRef,
    /// What the customer should pay, in cents.
    pub total: Cents,
    /// The currency of `total`.
    pub currency: Currency,
    /// When the payment is due.
    pub due: Option<Timestamp>,
}

/// A person's act on a discrepancy. What version 0.2 wrote must be written again to the byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The number of the discrepancy when the act was taken.
    pub discrepancy: i64,
    /// What the person found or did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who (the name of the system account).
    pub by: String,
    /// What the person does.
    #[serde(default, skip_serializing_if = "Act::is_acknowledged")]
    pub act: Act,
    /// The discrepancy, whatever its number; `None` until the act is taken, and in what version 0.2 wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Identity>,
}

/// What a person does with a discrepancy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Marks it as seen.
    #[default]
    Acknowledged,
    /// Adds a note, no more.
    Noted,
    /// Puts it aside.
    Snoozed {
        /// Until when: then it is told again, if it is still open.
        until: Timestamp,
    },
    /// Takes the mark and the snooze back.
    Withdrawn,
}

impl Act {
    fn is_acknowledged(&self) -> bool {
        *self == Self::Acknowledged
    }
}

/// What makes a discrepancy the one that it is. Its number does not: a program with more rules may number afresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The rule.
    pub kind: Kind,
    /// Whose it is.
    pub shop: ShopId,
    /// What breaks the rule.
    pub about: About,
    /// The record, of a discrepancy of one record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<(Psp, CallNumber)>,
    /// What tells two of one kind on one record apart; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Since when: tells it from an earlier one of the same cause.
    pub opened_at: Timestamp,
}

/// What a discrepancy is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// An order of the shop.
    Order(OrderRef),
    /// A payment without an order reference.
    Payment(Psp, CallNumber),
    /// An endpoint of the shop.
    Endpoint(EndpointId),
    /// A statement; the subject says which, or which of its lines.
    Statement,
}

/// Why calls were refused that tell of a wrong setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Wrong signatures, in a burst: probably a wrong key.
    #[default]
    Signature,
    /// Genuine, but for another account of the PSP than the endpoint's.
    Account,
}

impl Refusal {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks in this form")]
    pub(super) fn is_of_signature(&self) -> bool {
        *self == Self::Signature
    }

    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Signature => Kind::SignatureFailures,
            Self::Account => Kind::ContractUnknown,
        }
    }
}

/// Calls of one endpoint that were refused, and tell of a wrong setting: a key, an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureFailures {
    /// Whose endpoint it is.
    pub shop: ShopId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Whose format it reads.
    pub psp: Psp,
    /// Why they were refused.
    pub refusal: Refusal,
    /// How many calls were refused.
    pub failures: u32,
    /// What would have matched, or what is wrong, as far as the adapter can tell; in English.
    pub explanation: String,
}

/// A statement, with the file that it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedStatement {
    /// What it says.
    pub statement: Statement,
    /// SHA-256 of the file, in hexadecimal.
    pub file_sha256: String,
}

/// The close of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    /// The month.
    pub period: Period,
    /// How its entries are made.
    pub books: Books,
    /// SHA-256 of each export as it was then, in hexadecimal, by the export's name.
    pub exports: BTreeMap<String, String>,
}

/// What became of a genuine notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stated something new.
    Genuine,
    /// All that it states was known.
    Duplicate,
    /// It is not about a voucher payment.
    Ignored,
    /// It proves nothing itself: the PSP's API is asked.
    Hint,
}

impl Verdict {
    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Genuine => "genuine",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::Hint => "hint",
        }
    }
}
