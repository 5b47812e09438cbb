//! What becomes of a request: proven it is a [`Message`], read it is a [`Reading`].

use std::borrow::Cow;
use std::fmt;

use cvco_domain::crypto::Verified;
use cvco_domain::{Bilingual, Event, Grounds, Psp, Question, Worded};

use crate::sogecommerce::VadsFields;

/// What [`crate::Adapter::prove`] lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Bytes that the PSP signed.
    Genuine(Verified<Vec<u8>>),
    /// A form whose values Sogecommerce signed. The signature does not cover the names of the fields.
    GenuineForm(Verified<VadsFields>),
    /// Bytes that nobody signed, in the form of a notification. They can only be a hint.
    Unsigned(Vec<u8>),
}

impl Message {
    /// The bytes that the proof covers; of an unsigned message, its bytes. What else a request holds, anybody can change.
    #[must_use]
    pub fn proven_bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Genuine(bytes) => Cow::Borrowed(bytes),
            Self::GenuineForm(fields) => Cow::Owned(fields.signed_values()),
            Self::Unsigned(bytes) => Cow::Borrowed(bytes),
        }
    }

    /// Whether the PSP signed it.
    #[must_use]
    pub const fn is_signed(&self) -> bool {
        match self {
            Self::Genuine(_) | Self::GenuineForm(_) => true,
            Self::Unsigned(_) => false,
        }
    }
}

/// What a message says.
///
/// Facts need a proof, which nothing outside this module can make up:
///
/// ```compile_fail
/// use cvco_psp::{Proof, Reading};
/// let forged = Reading::Facts { events: Vec::new(), questions: Vec::new(), remark: None, proof: Proof(()) };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// A genuine message states facts. Only [`Reading::facts`] makes this.
    Facts {
        /// The facts, at least one.
        events: Vec<Event>,
        /// What to ask the PSP's API about them; none where the endpoint has no API.
        questions: Vec<Question>,
        /// What is odd about the message, for the log, in English.
        remark: Option<String>,
        /// The facts were read from a message whose signature verified.
        proof: Proof,
    },
    /// A message that nobody signed gives a reason to ask the PSP's API. It states nothing.
    Hint {
        /// What to ask; none if the message is not about a voucher payment.
        questions: Vec<Question>,
        /// What the message is, for the log, in English.
        remark: Option<String>,
    },
    /// A genuine message is not about a payment that concerns us.
    Nothing {
        /// What it is about, for the log, in English.
        why: String,
    },
}

/// The mark of [`Reading::Facts`]. Its field is private, so an adapter that has nothing [`Verified`] cannot state facts:
/// it does not compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof(());

impl Reading {
    /// The facts of a message. The content of `verified` does not matter here. It is enough that the caller has it,
    /// because only a signature check makes one.
    #[must_use]
    pub const fn facts<T>(
        _verified: &Verified<T>,
        events: Vec<Event>,
        questions: Vec<Question>,
        remark: Option<String>,
    ) -> Self {
        Self::Facts { events, questions, remark, proof: Proof(()) }
    }

    /// The hint that an unsigned message gives.
    #[must_use]
    pub const fn hint(questions: Vec<Question>, remark: Option<String>) -> Self {
        Self::Hint { questions, remark }
    }

    /// A genuine message that does not concern us.
    #[must_use]
    pub fn nothing(why: impl Into<String>) -> Self {
        Self::Nothing { why: why.into() }
    }

    /// The facts, if it states any.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        match self {
            Self::Facts { events, .. } => events,
            Self::Hint { .. } | Self::Nothing { .. } => &[],
        }
    }

    /// What to ask the PSP's API.
    #[must_use]
    pub fn questions(&self) -> &[Question] {
        match self {
            Self::Facts { questions, .. } | Self::Hint { questions, .. } => questions,
            Self::Nothing { .. } => &[],
        }
    }

    /// What the log should say about it.
    #[must_use]
    pub fn remark(&self) -> Option<&str> {
        match self {
            Self::Facts { remark, .. } | Self::Hint { remark, .. } => remark.as_deref(),
            Self::Nothing { why } => Some(why),
        }
    }
}

/// A message is genuine, but this program cannot read what it says: it is evidence for a later program and a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("genuine, but not understood: {what}")]
pub struct NotUnderstood {
    /// The field or part that is wrong, and how: without any value from outside.
    pub what: Bilingual,
}

impl NotUnderstood {
    /// The error about `what`.
    #[must_use]
    pub fn new(what: impl Into<Bilingual>) -> Self {
        Self { what: what.into() }
    }

    /// The error about a message that another adapter proved.
    pub(crate) fn of_another_psp(psp: Psp) -> Self {
        Self::new((
            format!("ce n’est pas un message que l’adaptateur de {psp} a prouvé"),
            format!("not a message that the adapter of {psp} proved"),
        ))
    }
}

impl Worded for NotUnderstood {
    fn in_french(&self) -> String {
        format!("authentique, mais pas compris\u{a0}: {}", self.what.french)
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// The request has a signature, but it does not verify.
    Signature,
    /// The request names a signing key that the endpoint does not have.
    UnknownKey,
    /// The request is genuine, but meant for another account or shop of the PSP than the endpoint's.
    Foreign {
        /// Whose account.
        psp: Psp,
        /// The field that names the account, without its value.
        what: &'static str,
    },
    /// The request came by a method by which this PSP sends no notifications.
    Method {
        /// Whose method.
        psp: Psp,
    },
    /// The request is not in this PSP's format. That shows before its signature is checked, or it has none.
    Malformed {
        /// Whose format.
        psp: Psp,
        /// The field or part that is wrong, and how: in English, without any value from outside.
        what: String,
    },
}

impl Rejection {
    /// The same without what only an adapter knows.
    #[must_use]
    pub fn grounds(&self) -> Grounds {
        match self {
            Self::Signature => Grounds::Signature,
            Self::UnknownKey => Grounds::UnknownKey,
            Self::Foreign { psp, what } => Grounds::Account { psp: *psp, field: (*what).to_owned() },
            Self::Method { psp } => Grounds::Redirected { psp: *psp },
            Self::Malformed { psp, what } => Grounds::Form { psp: *psp, what: what.clone() },
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.grounds().fmt(f)
    }
}

impl std::error::Error for Rejection {}

impl Worded for Rejection {
    fn in_french(&self) -> String {
        self.grounds().in_french()
    }
}
