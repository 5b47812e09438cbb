//! Diagnoses a notification, which carries no signature.

use cvco_domain::Bilingual;

use super::notification::Ping;
use crate::{Diagnosis, Method, Request};

/// Says what a notification asks for. No notification counts as genuine, because nothing in it can prove it.
#[must_use]
pub fn diagnose(request: &Request<'_>) -> Diagnosis {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    let (read, summary) = match Ping::parse(request.payload()) {
        Ok(ping) => {
            let asks = match &ping {
                Ping::Session(token) => Bilingual::new(
                    format!("bien formée\u{a0}: demande de consulter la session {}", token.as_str()),
                    format!("well-formed: asks to look at session {}", token.as_str()),
                ),
                Ping::Transaction(id) => Bilingual::new(
                    format!("bien formée\u{a0}: demande de consulter la transaction {}", id.as_str()),
                    format!("well-formed: asks to look at transaction {}", id.as_str()),
                ),
                Ping::Other(kind) => Bilingual::new(
                    format!("notificationType {kind}\u{a0}: ne concerne pas un paiement par chèque-vacances"),
                    format!("notificationType {kind}: not about a voucher payment"),
                ),
            };
            (
                asks,
                (
                    "une notification de Monext n’est pas signée et ne prouve rien\u{a0}; seule la réponse de son API fait foi",
                    "a notification of Monext carries no signature and proves nothing; the answer of its API does",
                ),
            )
        }
        Err(what) => (
            Bilingual::in_english_alone(what),
            (
                "ce n’est pas une notification de Monext (qui, de toute façon, n’est jamais signée)",
                "not a notification of Monext (and those carry no signature in any case)",
            ),
        ),
    };
    let bytes = request.payload().len();
    let size = Bilingual::new(format!("{method}, {bytes} octets"), format!("{method}, {bytes} bytes"));
    Diagnosis::not_genuine(summary, vec![size, read])
}
