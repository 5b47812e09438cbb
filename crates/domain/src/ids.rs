//! Identifiers. Those of PSPs are text, never integers; each is bounded and free of control characters and
//! line separators, so that none can break a line of a log, a mail header or a table.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Worded;
use crate::crypto::sha256;

/// Why a text is not an identifier of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {what} must be {rule}")]
pub struct IdError {
    what: &'static str,
    rule: IdRule,
}

impl IdError {
    /// The error about a `what`, and what is right: `"site id", IdRule::Digits(8)`.
    #[must_use]
    pub const fn new(what: &'static str, rule: IdRule) -> Self {
        Self { what, rule }
    }
}

impl Worded for IdError {
    // Without `what`: whoever reads it sees the key that it stands at.
    fn in_french(&self) -> String {
        match self.rule {
            IdRule::Slug(most) => format!("il faut 1 à {most} caractères parmi A-Z a-z 0-9 - _ ."),
            IdRule::Printable(most) => format!("il faut 1 à {most} caractères affichables"),
            IdRule::Digits(count) => format!("il faut {count} chiffres"),
            IdRule::LettersAndDigits(most) => format!("il faut 1 à {most} caractères parmi A-Z a-z 0-9"),
            IdRule::Currency => "il faut trois lettres ou trois chiffres (ISO 4217)".to_owned(),
            IdRule::Account => {
                "il faut 3 à 20 caractères parmi A-Z a-z 0-9, les trois premiers étant des chiffres"
                    .to_owned()
            }
        }
    }
}

/// What an identifier is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdRule {
    /// So many characters at most that need no escape in an address.
    Slug(usize),
    /// So many characters at most that show as what they are.
    Printable(usize),
    /// So many digits.
    Digits(usize),
    /// So many letters and digits at most.
    LettersAndDigits(usize),
    /// ISO 4217.
    Currency,
    /// The number of an account.
    Account,
}

impl fmt::Display for IdRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slug(most) => write!(f, "1 to {most} of A-Z a-z 0-9 - _ ."),
            Self::Printable(most) => write!(f, "1 to {most} printable characters"),
            Self::Digits(count) => write!(f, "{count} digits"),
            Self::LettersAndDigits(most) => write!(f, "1 to {most} of A-Z a-z 0-9"),
            Self::Currency => f.write_str("three letters or three digits (ISO 4217)"),
            Self::Account => f.write_str("3 to 20 of A-Z a-z 0-9, the first three digits"),
        }
    }
}

fn printable(text: &str, max: usize) -> bool {
    if text.is_ascii() {
        let shown = text.bytes().all(|b| matches!(b, b' '..=b'~'));
        return shown && text.len() <= max && text.bytes().any(|b| b != b' ');
    }
    !text.trim().is_empty() && text.chars().count() <= max && text.chars().all(is_shown)
}

/// Whether a character shows as what it is, and breaks no line.
fn is_shown(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}') && !reorders(c)
}

/// Whether a character reorders what stands around it (Unicode's `Bidi_Control`): it could disguise a reference
/// in a mail.
const fn reorders(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn slug(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn trimmed(text: String) -> String {
    if text.trim().len() == text.len() { text } else { text.trim().to_owned() }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:expr, $check:expr) => {
        text_id!($(#[$doc])* $name, $what, $rule, $check, |text| text);
    };
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:expr, $check:expr, $tidied:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the text and takes it.
            ///
            /// # Errors
            /// The rule that the text breaks.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let tidied: fn(String) -> String = $tidied;
                let text = tidied(text.into());
                let check: fn(&str) -> bool = $check;
                if check(&text) { Ok(Self(text)) } else { Err(IdError::new($what, $rule)) }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

text_id!(
    /// One point of sale of a merchant, as the configuration names it.
    ShopId, "shop id", IdRule::Slug(64), |t| slug(t, 64)
);
text_id!(
    /// One notification URL of a shop at one PSP, as the configuration names it.
    EndpointId, "endpoint id", IdRule::Slug(64), |t| slug(t, 64)
);
text_id!(
    /// A place to which an endpoint's notifications are relayed, as the configuration names it.
    RelayTarget, "relay's id", IdRule::Slug(64), |t| slug(t, 64)
);
text_id!(
    /// Where a handler of the shop is: its URL without the query, in which there may be a secret.
    HandlerAddress, "handler's address", IdRule::Printable(300), |t| printable(t, 300)
);
text_id!(
    /// A way on which people are told: e-mail, or a channel as the configuration names it.
    Way, "channel's id", IdRule::Slug(64), |t| slug(t, 64)
);
text_id!(
    /// The shop's own reference of an order (`PBX_CMD`, `vads_order_id`). Blanks around it are none of it: nobody sees them,
    /// and one PSP keeps them where another, or the shop, does not.
    OrderRef, "order reference", IdRule::Printable(250), |t| printable(t, 250), trimmed
);
text_id!(
    /// What ties the tenders of one payment attempt together.
    CallNumber, "call number", IdRule::Printable(100), |t| printable(t, 100)
);
text_id!(
    /// The PSP's identifier of one transaction.
    TenderId, "transaction id", IdRule::Printable(64), |t| printable(t, 64)
);
text_id!(
    /// What a question to a PSP's API is about: a token, a transaction, a reference.
    Subject, "subject of a question", IdRule::Printable(250), |t| printable(t, 250)
);
text_id!(
    /// The payment instrument as the PSP names it (`CVCONNECT`, `LIMOCB`, `CVCO`, `VISA`).
    Brand, "brand", IdRule::Printable(64), |t| printable(t, 64)
);
text_id!(
    /// The acquirer's authorisation number.
    AuthorisationNumber, "authorisation number", IdRule::Printable(32), |t| printable(t, 32)
);
text_id!(
    /// The acceptance contract on which the PSP settles a tender.
    Contract, "contract", IdRule::Printable(250), |t| printable(t, 250)
);

text_id!(
    /// The number of a statement, as its issuer gives it.
    StatementNumber, "statement number", IdRule::Printable(64), |t| printable(t, 64)
);

impl Way {
    /// The name of e-mail, which no channel may have.
    pub const MAIL: &str = "mail";

    /// E-mail.
    #[must_use]
    pub fn mail() -> Self {
        Self(Self::MAIL.to_owned())
    }

    /// Whether it is e-mail.
    #[must_use]
    pub fn is_mail(&self) -> bool {
        self.0 == Self::MAIL
    }
}

impl Default for Way {
    fn default() -> Self {
        Self::mail()
    }
}

impl OrderRef {
    /// A reference in a form that can be shown: characters that cannot be are escaped, as in `\u{202e}`, and one that is too
    /// long is cut, with a digest of the whole at its end. `None` for blanks alone.
    #[must_use]
    pub fn escaped(text: &str) -> Option<Self> {
        if let Ok(shown) = Self::new(text) {
            return Some(shown);
        }
        let visible = text.trim();
        if visible.is_empty() {
            return None;
        }
        let mut shown = String::with_capacity(visible.len());
        for c in visible.chars() {
            if is_shown(c) {
                shown.push(c);
            } else {
                shown.extend(c.escape_unicode());
            }
        }
        let digest: String = sha256(&[text.as_bytes()]).to_string().chars().take(16).collect();
        let cut = || format!("{}…{digest}", shown.chars().take(200).collect::<String>());
        Self::new(shown.as_str()).or_else(|_| Self::new(cut())).ok()
    }

    /// The first 20 characters: all that ANCV keeps of a reference, and all that comes back on its
    /// reimbursement statement; without a blank at which it was cut, which no reference keeps.
    #[must_use]
    pub fn ancv_prefix(&self) -> String {
        trimmed(self.0.chars().take(20).collect())
    }
}

macro_rules! number {
    ($($(#[$doc:meta])* $name:ident),*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $name(i64);

            impl $name {
                /// The number as one of its kind.
                #[must_use]
                pub const fn new(number: i64) -> Self {
                    Self(number)
                }

                /// The number itself.
                #[must_use]
                pub const fn get(self) -> i64 {
                    self.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }

            impl std::str::FromStr for $name {
                type Err = std::num::ParseIntError;
                fn from_str(text: &str) -> Result<Self, Self::Err> {
                    text.parse().map(Self)
                }
            }
        )*
    };
}

number!(
    /// The number of an entry in the log: 1, 2, 3 … without a gap.
    Seq,
    /// The number by which people name a discrepancy.
    DiscrepancyId
);

impl Seq {
    /// Before the first entry.
    pub const ZERO: Self = Self(0);

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_a_reference_are_none_of_it() {
        let plain = OrderRef::new("CMD 17").expect("a reference");
        for text in ["CMD 17 ", " CMD 17", "\tCMD 17\u{a0}"] {
            assert_eq!(OrderRef::new(text), Ok(plain.clone()), "{text:?}");
            assert_eq!(OrderRef::escaped(text), Some(plain.clone()), "{text:?}");
            assert_eq!(OrderRef::try_from(text.to_owned()), Ok(plain.clone()), "{text:?}");
        }
        let cut_at_a_blank = OrderRef::new("S6 RESERVATION 2026 17").expect("a reference");
        let as_ancv_keeps_it = OrderRef::new("S6 RESERVATION 2026 ").expect("a reference");
        assert_eq!(cut_at_a_blank.ancv_prefix(), as_ancv_keeps_it.ancv_prefix());
    }

    #[test]
    fn identifiers_carry_no_control_characters() {
        assert!(OrderRef::new("CMD 9542124+A@b,c/d").is_ok());
        for wrong in ["", "  ", "a\nb", "a\0", "a\u{9b}31m", "a\u{2028}b", "a\u{202e}b", "a\u{2069}b"] {
            assert!(OrderRef::new(wrong).is_err(), "{wrong:?}");
        }
        assert!(OrderRef::new("x".repeat(251)).is_err());
        assert!(ShopId::new("camping des pins").is_err());
    }

    #[test]
    fn a_reference_that_cannot_be_shown_is_escaped_and_never_lost() {
        let escaped = |text: &str| OrderRef::escaped(text).map(String::from);
        assert_eq!(escaped("CMD 1").as_deref(), Some("CMD 1"));
        assert_eq!(escaped("CMD\u{202e}1\n2").as_deref(), Some(r"CMD\u{202e}1\u{a}2"));
        assert_eq!(escaped(" \t"), None);
        let (long, other) = ("x".repeat(300), format!("{}y", "x".repeat(299)));
        let (long, other) = (escaped(&long).expect("kept"), escaped(&other).expect("kept"));
        assert!(long.starts_with("xxx") && long.chars().count() <= 250);
        assert_ne!(long, other, "two long ones stay two");
        assert!(escaped(&"\u{202e}".repeat(250)).is_some());
    }

    #[test]
    fn ancv_keeps_twenty_characters() {
        let reference = OrderRef::new("réservation-2026-00012345").expect("valid");
        assert_eq!(reference.ancv_prefix(), "réservation-2026-000");
    }
}
