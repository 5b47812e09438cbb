//! From a request to evidence: proven and read by the endpoint's adapter, before anything is stored.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cvco_log::LogEntry;
use cvco_log::entry::{Hint, Notification, Origin, Unread};
use cvco_psp::{NotUnderstood, Reading, Rejection, Request};

use crate::config::Endpoint;

/// A request that is evidence.
pub struct Understood {
    /// What it is evidence of.
    pub entry: LogEntry,
    /// The bytes that its proof covers: two requests with the same ones are the same message, whatever else they hold.
    pub proven: Vec<u8>,
}

/// What a request is evidence of. What is genuine and is not understood is evidence too: a later program reads it.
///
/// # Errors
/// Why the request is refused.
pub fn understand(
    endpoint: &Endpoint,
    request: &Request<'_>,
    origin: Origin,
) -> Result<Understood, Rejection> {
    const FAILED: (&str, &str) = ("l’adaptateur a échoué sur ce message", "the adapter failed on it");
    let failed = || Rejection::Malformed { psp: endpoint.psp, what: FAILED.1.to_owned() };
    let message = guarded(endpoint, || endpoint.adapter.prove(request)).unwrap_or_else(|| Err(failed()))?;
    let reading = guarded(endpoint, || endpoint.adapter.read(&message))
        .unwrap_or_else(|| Err(NotUnderstood::new(FAILED)));
    let endpoint = endpoint.reference();
    let entry = match reading {
        Ok(Reading::Facts { events, questions, remark, .. }) => {
            LogEntry::Notification(Notification { endpoint, origin, events, questions, remark })
        }
        Ok(Reading::Nothing { why }) => LogEntry::Notification(Notification {
            endpoint,
            origin,
            events: Vec::new(),
            questions: Vec::new(),
            remark: Some(why),
        }),
        Ok(Reading::Hint { questions, remark }) => {
            LogEntry::Hint(Hint { endpoint, origin, questions, remark })
        }
        Err(NotUnderstood { what }) => {
            LogEntry::Unread(Unread { endpoint, origin, what: what.english, what_fr: Some(what.french) })
        }
    };
    Ok(Understood { entry, proven: message.proven_bytes().into_owned() })
}

/// What an adapter says. A panic in one would be a bug of ours: it costs that one call, and nothing else.
pub(super) fn guarded<T>(endpoint: &Endpoint, say: impl FnOnce() -> T) -> Option<T> {
    let said = catch_unwind(AssertUnwindSafe(say)).ok();
    if said.is_none() {
        tracing::error!(endpoint.id = %endpoint.id, "the adapter failed on a call; please report it");
    }
    said
}
