//! Diagnoses an automatic response, which carries no signature.

use cvco_domain::{Bilingual, Worded};

use super::Ancv;
use crate::{Adapter, Diagnosis, Request};

/// Says what a request asks about. No request counts as genuine, because nothing in it can prove it.
pub(super) fn diagnose(adapter: &Ancv, request: &Request<'_>) -> Diagnosis {
    let details = match adapter.prove(request).map(|message| adapter.read(&message)) {
        Ok(Ok(reading)) => {
            let asks = |question| {
                Bilingual::new(
                    format!("fait interroger sur\u{a0}: {question}"),
                    format!("asks about: {question}"),
                )
            };
            reading.questions().iter().map(asks).collect()
        }
        Ok(Err(not_understood)) => vec![not_understood.words()],
        Err(rejection) => vec![rejection.words()],
    };
    let summary = (
        "les réponses automatiques de l’ANCV ne portent pas de sceau vérifiable\u{a0}: ce qu’elles disent n’est qu’un indice, et \
         l’API de l’ANCV est interrogée",
        "ANCV's automatic responses carry no seal that could be checked: whatever they say is taken for a \
         hint, and ANCV's API is asked",
    );
    Diagnosis::not_genuine(summary, details)
}
