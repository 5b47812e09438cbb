//! What PSPs say, called or asked.

use cvco_domain::{EndpointRef, Event, Question, Refusal, Seq, Standing, Timestamp};
use serde::{Deserialize, Serialize};

use super::Origin;

/// A genuine notification, read from proven bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Where it came in.
    pub endpoint: EndpointRef,
    /// How it came in.
    #[serde(default)]
    pub origin: Origin,
    /// What it states; nothing, if it is not about a payment that concerns us.
    pub events: Vec<Event>,
    /// What to ask the PSP's API about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// What a person should know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// A genuine notification whose content this program does not understand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Where it came in.
    pub endpoint: EndpointRef,
    /// How it came in.
    #[serde(default)]
    pub origin: Origin,
    /// What was not understood, in English, without any value from outside.
    pub what: String,
    /// The same in French.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what_fr: Option<String>,
}

/// What a later program reads in the sealed bytes of an unread notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reread {
    /// The number of the unread entry.
    pub of: Seq,
    /// What it says.
    pub notification: Notification,
}

/// A call that nobody signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// Where it came in.
    pub endpoint: EndpointRef,
    /// How it came in.
    #[serde(default)]
    pub origin: Origin,
    /// What to ask the PSP's API.
    pub questions: Vec<Question>,
    /// What a person should know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// An answer of a PSP's API, read; or that there will be none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The endpoint whose settings were used to ask.
    pub endpoint: EndpointRef,
    /// What was asked.
    pub question: Question,
    /// When the question that this answers was last raised.
    pub asked_at: Timestamp,
    /// How the answer stands.
    pub standing: Standing,
    /// What it states.
    pub events: Vec<Event>,
    /// What to ask next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// What a person should know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
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

/// Questions to one PSP's API that no notification raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inquiry {
    /// The endpoint whose settings are used to ask.
    pub endpoint: EndpointRef,
    /// Why they are asked.
    pub reason: Reason,
    /// What is asked.
    pub questions: Vec<Question>,
}

/// Calls that knew the secret address of one endpoint, and were refused all the same: a wrong key or account, a form, a
/// size or an address that is not expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusals {
    /// Where they came in.
    pub endpoint: EndpointRef,
    /// Why they were refused.
    pub refusal: Refusal,
    /// How many were refused within a day.
    pub calls: u32,
    /// How many were taken in the same time.
    #[serde(default)]
    pub taken: u32,
    /// The PSP had signed the last of them.
    #[serde(default)]
    pub signed: bool,
    /// The address that the last of them came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// What would have matched, or what is wrong, as far as the adapter can tell; in English.
    pub explanation: String,
    /// The same in French.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation_fr: Option<String>,
}
