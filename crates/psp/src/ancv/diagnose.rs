//! Diagnoses an automatic response, which carries no signature.

use super::Ancv;
use crate::{Adapter, Diagnosis, Request};

/// Says what a request asks about. No request counts as genuine, because nothing in it can prove it.
pub(super) fn diagnose(adapter: &Ancv, request: &Request<'_>) -> Diagnosis {
    let details = match adapter.prove(request).map(|message| adapter.read(&message)) {
        Ok(Ok(reading)) => {
            reading.questions().iter().map(|question| format!("asks about: {question}")).collect()
        }
        Ok(Err(not_understood)) => vec![not_understood.to_string()],
        Err(rejection) => vec![rejection.to_string()],
    };
    let summary = "ANCV's automatic responses carry no seal that could be checked: whatever they say is taken for a \
                   hint, and ANCV's API is asked";
    Diagnosis { genuine: false, summary: summary.to_owned(), details }
}
