//! What is wrong with the settings of mail, and why a mail does not leave.

use cvco_domain::{Bilingual, Worded};
use cvco_mail::one_line;

use super::CONVERSATION;

/// What is wrong with the settings, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {what}")]
pub struct MailError {
    /// The key that is wrong.
    pub key: String,
    /// What is wrong with it.
    pub what: Bilingual,
}

impl MailError {
    pub(super) fn new(key: impl Into<String>, what: Bilingual) -> Self {
        Self { key: key.into(), what }
    }

    pub(super) fn no_address(key: &str, address: &str, example: &str) -> Self {
        Self::new(
            key,
            Bilingual::new(
                format!(
                    "«\u{a0}{address}\u{a0}» n’est pas une adresse de courriel\u{a0}; écrivez par exemple {example}"
                ),
                format!("{address:?} is not an e-mail address; write for instance {example}"),
            ),
        )
    }
}

/// Why a message did not leave; what gives most hope stands first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum SendError {
    /// The server holds unknown senders off at first, and will take it in some minutes.
    #[error("greylisted, it is taken later: {0}")]
    Greylisted(String),
    /// The server does not want this message, or one of its recipients, for now.
    #[error("refused for now: {0}")]
    Temporary(String),
    /// The server is not there, or fails, or does not let us in: that is not about this message.
    #[error("the server cannot be used: {0}")]
    Unreachable(String),
    /// The server will never take this message.
    #[error("refused for good: {0}")]
    Permanent(String),
}

impl Worded for SendError {
    // The server's own words stay as it said them.
    fn in_french(&self) -> String {
        match self {
            Self::Greylisted(why) => format!("mis en liste grise, sera pris plus tard\u{a0}: {why}"),
            Self::Temporary(why) => format!("refusé pour le moment\u{a0}: {why}"),
            Self::Unreachable(why) => format!("le serveur est inutilisable\u{a0}: {why}"),
            Self::Permanent(why) => format!("refusé définitivement\u{a0}: {why}"),
        }
    }
}

impl SendError {
    /// A 5xx answer is permanent, apart from those about the login (RFC 4954, section 6): they are about the
    /// configuration, and once that is corrected the mail is still wanted. 421 closes the connection (RFC 5321, 3.8).
    pub(super) fn of(error: &lettre::transport::smtp::Error) -> Self {
        const ABOUT_THE_SERVER: [u16; 6] = [421, 454, 530, 534, 535, 538];
        let text = one_line(&error.to_string());
        let lower = text.to_ascii_lowercase();
        let code = error.status().map(u16::from);
        match code {
            Some(code) if code < 500 && (lower.contains("greylist") || lower.contains("graylist")) => {
                Self::Greylisted(text)
            }
            Some(code) if ABOUT_THE_SERVER.contains(&code) => Self::Unreachable(text),
            Some(400..=499) => Self::Temporary(text),
            Some(500..) => Self::Permanent(text),
            Some(_) | None => Self::Unreachable(text),
        }
    }

    /// The same, with the address that was tried.
    pub(super) fn at(self, server: &str) -> Self {
        let with = |why: String| format!("{server}: {why}");
        match self {
            Self::Greylisted(why) => Self::Greylisted(with(why)),
            Self::Temporary(why) => Self::Temporary(with(why)),
            Self::Unreachable(why) => Self::Unreachable(with(why)),
            Self::Permanent(why) => Self::Permanent(with(why)),
        }
    }

    pub(super) fn no_server() -> Self {
        Self::Unreachable("no server is configured".to_owned())
    }

    pub(super) fn too_slow() -> Self {
        Self::Unreachable(format!("the mail server took more than {} s", CONVERSATION.as_secs()))
    }
}
