//! Two stories told with the repository's own fixtures, byte for byte. Their signatures were made by other tools than
//! this program.

use std::sync::Arc;

use cvco_domain::{Cents, Psp};
use cvco_psp::{Method, WireMessage};

use crate::simulate::{Expect, Message, Play, Scenario};

/// The key under which the Up2pay fixtures are signed.
pub const UP2PAY_KEY: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/up2pay/synthetic-public-key.pem"));

/// The variables of the Up2pay fixtures.
pub const PBX_RETOUR: &str = "Mt:M;Ref:R;Auto:A;Appel:T;Abo:B;ChoixPaiement:P;ChoixCarte:C;Erreur:E;\
                                     Transaction:S;Pays:Y;Date:W;Heure:Q;Signature:K";

/// The plays: a voucher of 15.00 whose card part of 10.00 is refused once, at Up2pay; a voucher of 60.00 and a card
/// of 39.90, at Sogecommerce.
#[must_use]
pub fn plays(token: &str) -> Vec<Play> {
    vec![
        Play {
            scenario: Scenario::RefusedThenAccepted,
            psp: Psp::Up2pay,
            reference: "CMD9542124-01A5G".to_owned(),
            total: Cents::new(2500),
            register: true,
            messages: [
                include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/../../fixtures/up2pay/s3-card-complement-refused.http"
                )),
                include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/../../fixtures/up2pay/s2-card-complement.http"
                )),
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/up2pay/s1-voucher.http")),
            ]
            .into_iter()
            .map(|http| message(Psp::Up2pay, "up2pay-fixtures", token, http))
            .collect(),
            answers: Vec::new(),
        },
        Play {
            scenario: Scenario::Split,
            psp: Psp::Sogecommerce,
            reference: "CDE-fr-04_2020".to_owned(),
            total: Cents::new(9990),
            register: true,
            messages: vec![message(
                Psp::Sogecommerce,
                "sogecommerce-fixtures",
                token,
                include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/../../fixtures/sogecommerce/S1-cascade-ok.http"
                )),
            )],
            answers: Vec::new(),
        },
    ]
}

/// A fixture, sent to an endpoint and with its token.
fn message(psp: Psp, endpoint: &str, token: &str, http: &str) -> Message {
    let (head, body) = http.split_once("\r\n\r\n").unwrap_or((http, ""));
    let target = head.split(' ').nth(1).unwrap_or_default();
    let query = target.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let method = if head.starts_with("POST") { Method::Post } else { Method::Get };
    Message {
        psp,
        path: Arc::from(format!("/n/{endpoint}/{token}")),
        wire: WireMessage { method, query: query.to_owned(), body: body.to_owned(), headers: Vec::new() },
        expect: Expect::Stored,
    }
}
