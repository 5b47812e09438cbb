//! The platform's answers to a consultation, for trials and tests.

use crate::wire::{PairList, decode_plus, latin1_or_utf8};

/// The answer about a transaction that is there; `status` as the platform writes it (`Capturé`). `question` is the
/// body of the request.
#[must_use]
pub fn found(question: &[u8], status: &str) -> Vec<u8> {
    let head = head(question);
    let rest =
        "AUTORISATION=XXXXXX&CODEREPONSE=00000&COMMENTAIRE=Demande traitée avec succès&REFABONNE=&PORTEUR=";
    latin1(&format!("{head}&{rest}&STATUS={status}&REMISE=???"))
}

/// The answer to a question that the platform does not answer: `00018` for a transaction that is not found.
#[must_use]
pub fn refusal(question: &[u8], code: &str, comment: &str) -> Vec<u8> {
    latin1(&format!("{}&CODEREPONSE={code}&COMMENTAIRE=PAYBOX : {comment}", head(question)))
}

/// The names that an answer repeats, numbers padded to ten digits.
fn head(question: &[u8]) -> String {
    let field = |name: &str| {
        let list = PairList::split(question, 64).ok()?;
        let pair = list.pairs().iter().find(|pair| pair.name == name.as_bytes())?;
        Some(latin1_or_utf8(&decode_plus(pair.value)).into_owned())
    };
    let value = |name: &str| field(name).unwrap_or_default();
    format!(
        "NUMTRANS={:0>10}&NUMAPPEL={:0>10}&NUMQUESTION={}&SITE={}&RANG={}",
        value("NUMTRANS"),
        value("NUMAPPEL"),
        value("NUMQUESTION"),
        value("SITE"),
        value("RANG")
    )
}

/// Encodes as ISO 8859-1. Other characters become `?`.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}
