//! What nothing was heard of: the questions that no notification raises. Regularly, and after an outage as far back as
//! a person says (`catch-up`).
//!
//! Where shops register no orders every payment stays unverified, and there is nothing to hope for from asking about
//! each of them every hour: the regular look asks about such a payment once.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::{Config, Endpoint};
use crate::crypto::sha256;
use crate::domain::{Asking, EndpointId, Mode, Psp, Question, RecordState, Standing, Timestamp};
use crate::ledger::{Confirmation, Inquiry, LedgerError, Reader, Reason};

/// An order is asked about when nothing was heard of it for so long: its customer may still be paying.
const PATIENCE: Duration = Duration::from_hours(1);

/// So far back goes the regular look. What is older is for `catch-up`.
const REACH: Duration = Duration::from_hours(48);

/// Neighbouring windows overlap by so much: the PSP's clock is not ours.
const OVERLAP: Duration = Duration::from_mins(10);

/// What to ask regularly: each order once, each open record each time, each span of time once.
///
/// # Errors
/// The ledger's own.
pub fn regular(reader: &Reader, config: &Config, now: Timestamp) -> Result<Vec<Inquiry>, LedgerError> {
    let since = now.before(REACH);
    let mut inquiries = Vec::new();
    for endpoint in &config.endpoints {
        let last = reader.last_window(&endpoint.id)?;
        let from = last.map_or_else(|| now.before(config.confirm.sweep_every), |at| at.max(since));
        let mut found = questions(reader, endpoint, (since, now.before(PATIENCE)), Asking::Once)?;
        found.extend(windows(endpoint, from.before(OVERLAP), now));
        inquiries.extend(inquiry(endpoint, found, Reason::Sweep));
    }
    Ok(inquiries)
}

/// What to ask after an outage: everything since then that is open or was never heard of, whatever was asked before.
///
/// # Errors
/// The ledger's own.
pub fn catch_up(
    reader: &Reader,
    config: &Config,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Inquiry>, LedgerError> {
    let mut inquiries = Vec::new();
    for endpoint in &config.endpoints {
        let mut found = questions(reader, endpoint, (since, now), Asking::Afresh)?;
        found.extend(
            windows(endpoint, since, now).into_iter().map(|q| Question { asking: Asking::Afresh, ..q }),
        );
        if endpoint.adapter.api().is_some() {
            found.extend(reader.unanswered_questions((&endpoint.id, endpoint.psp), since)?);
        }
        inquiries.extend(inquiry(endpoint, found, Reason::CatchUp));
    }
    Ok(inquiries)
}

/// The questions about an endpoint's open records, and about its shop's orders of which nothing was heard. `patient`
/// is for those that need no answer but the first.
fn questions(
    reader: &Reader,
    endpoint: &Endpoint,
    (since, until): (Timestamp, Timestamp),
    patient: Asking,
) -> Result<BTreeSet<Question>, LedgerError> {
    let mut found = BTreeSet::new();
    let Some(api) = endpoint.adapter.api() else { return Ok(found) };
    for (state, asking) in [
        (RecordState::Pending, Asking::Afresh),
        (RecordState::Unbalanced, Asking::Afresh),
        (RecordState::Unverified, patient),
    ] {
        for (told_at, event) in reader.events_of_records(state, since)? {
            if told_at == endpoint.id {
                found.extend(api.again(&event).map(|question| Question { asking, ..question }));
            }
        }
    }
    for order in reader.unheard_orders(since, until)? {
        if order.shop == endpoint.shop {
            let question = api.order(&order.reference);
            found.extend(question.map(|question| Question { asking: patient, ..question }));
        }
    }
    Ok(found)
}

fn windows(endpoint: &Endpoint, from: Timestamp, until: Timestamp) -> Vec<Question> {
    endpoint.adapter.api().map(|api| api.window(from, until)).unwrap_or_default()
}

fn inquiry(
    endpoint: &Endpoint,
    questions: impl IntoIterator<Item = Question>,
    reason: Reason,
) -> Option<Inquiry> {
    let questions: Vec<_> = questions.into_iter().collect();
    (!questions.is_empty()).then(|| Inquiry {
        shop: endpoint.shop.clone(),
        endpoint: endpoint.id.clone(),
        psp: endpoint.psp,
        reason,
        questions,
    })
}

/// What still waits for an answer of an endpoint that is not, or no longer, configured to be asked.
///
/// # Errors
/// The ledger's own.
pub fn withdrawals(reader: &Reader, config: &Config) -> Result<Vec<Confirmation>, LedgerError> {
    let mut withdrawals = Vec::new();
    for row in reader.questions_of_others(&askable(config))? {
        withdrawals.push(Confirmation {
            shop: row.shop,
            endpoint: row.endpoint,
            psp: row.psp,
            mode: Mode::Production,
            question: row.question,
            asked_at: row.asked_at,
            standing: Standing::Withdrawn,
            events: Vec::new(),
            questions: Vec::new(),
            remark: Some("the endpoint has no API settings any more".to_owned()),
            payload_sha256: sha256(&[]).to_string(),
        });
    }
    Ok(withdrawals)
}

fn askable(config: &Config) -> Vec<(EndpointId, Psp)> {
    let askable = config.endpoints.iter().filter(|endpoint| endpoint.adapter.api().is_some());
    askable.map(|endpoint| (endpoint.id.clone(), endpoint.psp)).collect()
}
