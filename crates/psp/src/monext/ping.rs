//! The notification: a bare call of the notification URL, without signature, amount or status. It says that something
//! has happened and what to ask about, and nothing else in it is believed.

use cvco_domain::{Asking, IdError, Question};

use super::excerpt;
use super::subject::{Token, TransactionId};
use crate::Reading;
use crate::wire::{PairList, decode_plus};

/// The merchant's own URL may bring some parameters with it.
const MAX_PAIRS: usize = 100;

/// What a notification asks to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ping {
    /// `WEBTRS`: a session has ended.
    Session(Token),
    /// `TRS`, `TRSWALLET`: a transaction was made outside the payment page.
    Transaction(TransactionId),
    /// About wallets, instalments or fraud alerts, or of a type that is not known: no matter of vouchers.
    Other(String),
}

impl Ping {
    /// Reads a payload. The error says what is wrong, in English, without any value from outside.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, String> {
        let pairs = PairList::split(payload, MAX_PAIRS).map_err(|error| error.to_string())?;
        let kind = value(&pairs, "notificationType")?.ok_or("notificationType is missing")?;
        // The documentation writes WEBTRS, the example in Monext's support pages webtrs.
        match kind.to_ascii_uppercase().as_str() {
            "WEBTRS" => {
                let token = value(&pairs, "token")?.ok_or("token is missing")?;
                Token::new(&token).map(Self::Session).map_err(|error: IdError| error.to_string())
            }
            "TRS" => match transaction(&pairs)? {
                Some(id) => Ok(Self::Transaction(id)),
                None => Err("transactionId is missing".to_owned()),
            },
            "TRSWALLET" => {
                Ok(transaction(&pairs)?.map_or(Self::Other("TRSWALLET".to_owned()), Self::Transaction))
            }
            _ => Ok(Self::Other(excerpt(&kind, 20))),
        }
    }

    /// What to ask Monext. Anybody can call, so that repetition must cost nothing.
    pub(super) fn hint(&self) -> Result<Reading, String> {
        let (question, remark) = match self {
            Self::Session(token) => (
                Some(token.question(Asking::Sparingly)),
                "a session has ended; Monext is asked about it".to_owned(),
            ),
            Self::Transaction(id) => {
                (Some(id.question(Asking::Sparingly)), "a transaction; Monext is asked about it".to_owned())
            }
            Self::Other(kind) => (None, format!("notificationType {kind}: not about a voucher payment")),
        };
        let questions: Vec<Question> =
            question.transpose().map_err(|error: IdError| error.to_string())?.into_iter().collect();
        Ok(Reading::hint(questions, Some(remark)))
    }
}

fn transaction(pairs: &PairList<'_>) -> Result<Option<TransactionId>, String> {
    value(pairs, "transactionId")?
        .map(|id| TransactionId::new(&id))
        .transpose()
        .map_err(|error: IdError| error.to_string())
}

/// A parameter that stands at most once.
fn value(pairs: &PairList<'_>, name: &str) -> Result<Option<String>, String> {
    let mut values = pairs.pairs().iter().filter(|pair| decode_plus(pair.name) == name.as_bytes());
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(format!("{name} stands twice"));
    }
    String::from_utf8(decode_plus(value.value)).map(Some).map_err(|_| format!("{name} is not UTF-8"))
}
