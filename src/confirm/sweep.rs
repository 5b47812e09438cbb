//! What nothing was heard of: the questions that no notification raises. Regularly, and after an outage as far back as
//! a person says (`catch-up`).
//!
//! Where shops register no orders every payment stays unverified, and there is nothing to hope for from asking about
//! each of them every hour: the regular look asks about such a payment once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cvco_domain::{Asking, EndpointId, EndpointRef, Mode, Psp, Question, RecordState, Standing, Timestamp};
use cvco_ledger::{LedgerError, Reader};
use cvco_log::entry::{Answer, Inquiry, Reason};

use super::worker::Asked;
use crate::config::Endpoint;

/// An order is asked about when nothing was heard of it for so long: its customer may still be paying.
const PATIENCE: Duration = Duration::from_hours(1);

/// So far back goes the regular look. What is older is for `catch-up`.
const REACH: Duration = Duration::from_hours(48);

/// For so long a capture that is overdue is asked about.
const UNCAPTURED: Duration = Duration::from_hours(30 * 24);

/// And so often.
const UNCAPTURED_EVERY: Duration = Duration::from_hours(24);

/// A payment that could be given back is asked about so often at first, and ever less often as it grows older: once
/// again after a quarter of its age.
const REFUNDS_EVERY: Duration = Duration::from_hours(24);

/// So many payments of an endpoint are asked about for refunds in one regular look.
const REFUNDS_AT_ONCE: usize = 200;

/// Neighbouring windows overlap by so much: the PSP's clock is not ours.
const OVERLAP: Duration = Duration::from_mins(10);

/// What to ask regularly: each order once, each open record each time, each span of time once.
///
/// # Errors
/// The ledger's own.
pub fn regular(reader: &Reader, asked: &Asked, now: Timestamp) -> Result<Vec<Inquiry>, LedgerError> {
    let since = now.before(REACH);
    let mut about_open = about_open(reader, &asked.endpoints, since, now.before(PATIENCE), Asking::Once)?;
    let mut inquiries = Vec::new();
    for endpoint in &asked.endpoints {
        let last = reader.last_window(&endpoint.id)?;
        let from = last.map_or_else(|| now.before(asked.settings.sweep_every), |at| at.max(since));
        let mut found = about_open.remove(&endpoint.id).unwrap_or_default();
        found.extend(uncaptured(reader, endpoint, asked.capture_grace, now)?);
        found.extend(refundable(reader, endpoint, asked.settings.refund_window, now)?);
        found.extend(windows(endpoint, from.before(OVERLAP), now));
        inquiries.extend(inquiry(endpoint, found, Reason::Sweep));
    }
    Ok(inquiries)
}

/// The questions about payments of which a part should have been captured by now: where the PSP does not notify a
/// capture, or its notification was lost, only its API knows.
fn uncaptured(
    reader: &Reader,
    endpoint: &Endpoint,
    grace: Duration,
    now: Timestamp,
) -> Result<BTreeSet<Question>, LedgerError> {
    let due = now.before(endpoint.psp.terms().authorises_for.map_or(grace, |lapse| lapse.min(grace)));
    authorised(reader, endpoint, (due.before(UNCAPTURED), due), now.before(UNCAPTURED_EVERY))
}

/// The questions about payments of a span of time of which a part is authorised, unless they were answered since `asked`.
fn authorised(
    reader: &Reader,
    endpoint: &Endpoint,
    span: (Timestamp, Timestamp),
    asked: Timestamp,
) -> Result<BTreeSet<Question>, LedgerError> {
    let Some(api) = endpoint.adapter.api() else { return Ok(BTreeSet::new()) };
    let events = reader.events_uncaptured(&endpoint.id, span, asked)?;
    Ok(events.iter().filter_map(|event| api.again(event)).collect())
}

/// The questions about payments that may have been given back in the PSP's back office, which not every PSP notifies.
fn refundable(
    reader: &Reader,
    endpoint: &Endpoint,
    window: Duration,
    now: Timestamp,
) -> Result<BTreeSet<Question>, LedgerError> {
    let Some(api) = endpoint.adapter.api().filter(|_| !window.is_zero()) else { return Ok(BTreeSet::new()) };
    let is_due = |heard_at: Timestamp, answered_at: Option<Timestamp>| {
        let pause = (now.since(heard_at) / 4).max(REFUNDS_EVERY);
        now.since(answered_at.unwrap_or(heard_at)) >= pause
    };
    let span = (now.before(window), now.before(REFUNDS_EVERY));
    let events = reader.events_refundable(&endpoint.id, span, is_due, REFUNDS_AT_ONCE)?;
    Ok(events.iter().filter_map(|event| api.again(event)).collect())
}

/// The same after an outage: about every payment of which no answer came since then.
fn refundable_since(
    reader: &Reader,
    endpoint: &Endpoint,
    window: Duration,
    (since, now): (Timestamp, Timestamp),
) -> Result<BTreeSet<Question>, LedgerError> {
    let Some(api) = endpoint.adapter.api().filter(|_| !window.is_zero()) else { return Ok(BTreeSet::new()) };
    let is_due = |_, answered_at: Option<Timestamp>| answered_at.is_none_or(|at| at < since);
    let events = reader.events_refundable(&endpoint.id, (since.before(window), now), is_due, usize::MAX)?;
    Ok(events.iter().filter_map(|event| api.again(event)).collect())
}

/// What to ask after an outage: everything since then that is open or was never heard of, whatever was asked before; and
/// what may have been given back since.
///
/// # Errors
/// The ledger's own.
pub fn catch_up(
    reader: &Reader,
    endpoints: &[Arc<Endpoint>],
    refund_window: Duration,
    (since, now): (Timestamp, Timestamp),
) -> Result<Vec<Inquiry>, LedgerError> {
    let mut about_open = about_open(reader, endpoints, since, now, Asking::Again)?;
    let mut inquiries = Vec::new();
    for endpoint in endpoints {
        let mut found = about_open.remove(&endpoint.id).unwrap_or_default();
        found.extend(authorised(reader, endpoint, (since, now), now)?);
        found.extend(refundable_since(reader, endpoint, refund_window, (since, now))?);
        found.extend(
            windows(endpoint, since, now).into_iter().map(|q| Question { asking: Asking::Again, ..q }),
        );
        if endpoint.adapter.api().is_some() {
            found.extend(reader.unanswered_questions((&endpoint.id, endpoint.psp), since)?);
        }
        inquiries.extend(inquiry(endpoint, found, Reason::CatchUp));
    }
    Ok(inquiries)
}

/// The questions about the records that are open since an instant, and about the orders that were registered until another
/// and of which nothing was heard, for each endpoint whose PSP can be asked. `patient` is for those that need no answer but
/// the first.
fn about_open<'e>(
    reader: &Reader,
    endpoints: &'e [Arc<Endpoint>],
    since: Timestamp,
    until: Timestamp,
    patient: Asking,
) -> Result<BTreeMap<&'e EndpointId, BTreeSet<Question>>, LedgerError> {
    let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let apis: BTreeMap<_, _> = endpoints
        .iter()
        .filter_map(|endpoint| Some((&endpoint.id, (&endpoint.shop, endpoint.adapter.api()?))))
        .collect();
    if apis.is_empty() {
        return Ok(found);
    }
    for state in
        [RecordState::Pending, RecordState::PartPaid, RecordState::Unbalanced, RecordState::Unverified]
    {
        let is_patient = matches!(state, RecordState::PartPaid | RecordState::Unverified);
        let asking = if is_patient { patient } else { Asking::Again };
        reader.events_of_records(state, since, |told_at, event| {
            if let Some((id, (_, api))) = apis.get_key_value(told_at)
                && let Some(question) = api.again(event)
            {
                found.entry(*id).or_default().insert(Question { asking, ..question });
            }
        })?;
    }
    for order in reader.unheard_orders(since, until)? {
        for (id, (_, api)) in apis.iter().filter(|(_, (shop, _))| **shop == order.shop) {
            if let Some(question) = api.order(&order.reference) {
                found.entry(*id).or_default().insert(Question { asking: patient, ..question });
            }
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
    (!questions.is_empty()).then(|| Inquiry { endpoint: endpoint.reference(), reason, questions })
}

/// What still waits for an answer of an endpoint that is not, or no longer, configured to be asked.
///
/// # Errors
/// The ledger's own.
pub fn withdrawals(reader: &Reader, endpoints: &[Arc<Endpoint>]) -> Result<Vec<Answer>, LedgerError> {
    let mut withdrawals = Vec::new();
    for row in reader.questions_of_others(&askable(endpoints))? {
        let (shop, endpoint, psp) = (row.shop, row.endpoint, row.psp);
        withdrawals.push(Answer {
            endpoint: EndpointRef { shop, endpoint, psp, mode: Mode::Production },
            question: row.question,
            asked_at: row.asked_at,
            standing: Standing::Withdrawn,
            events: Vec::new(),
            questions: Vec::new(),
            remark: Some("the endpoint has no API settings any more".to_owned()),
        });
    }
    Ok(withdrawals)
}

fn askable(endpoints: &[Arc<Endpoint>]) -> Vec<(EndpointId, Psp)> {
    let askable = endpoints.iter().filter(|endpoint| endpoint.adapter.api().is_some());
    askable.map(|endpoint| (endpoint.id.clone(), endpoint.psp)).collect()
}
