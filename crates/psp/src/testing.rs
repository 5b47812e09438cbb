//! Both steps of an adapter at once, as the listener takes them.

use cvco_domain::Event;
use cvco_domain::crypto::HmacSha256Key;

use crate::api::Answer;
use crate::{Adapter, NotUnderstood, Reading, Rejection, Request};

/// Where a request stopped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// It was not proven.
    Rejected(Rejection),
    /// It was proven and could not be read.
    NotUnderstood(String),
}

impl From<Rejection> for Stopped {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<NotUnderstood> for Stopped {
    fn from(NotUnderstood { what }: NotUnderstood) -> Self {
        Self::NotUnderstood(what.english)
    }
}

/// What an adapter says of a request.
pub(crate) fn prove_and_read(adapter: &dyn Adapter, request: &Request<'_>) -> Result<Reading, Stopped> {
    Ok(adapter.read(&adapter.prove(request)?)?)
}

/// What a recorded message states, as the log keeps it: a fact a paragraph, then what is odd about it.
pub(crate) fn told(read: &Result<Reading, Stopped>) -> String {
    match read {
        Ok(Reading::Facts { events, remark, .. }) => stated(events, remark.as_deref()),
        Ok(Reading::Nothing { why }) => format!("nothing: {why}"),
        other @ (Ok(Reading::Hint { .. }) | Err(_)) => format!("{other:#?}"),
    }
}

/// The same of what a PSP's API answers.
pub(crate) fn answered(answer: &Answer) -> String {
    format!("{:?}\n{}", answer.standing, stated(&answer.events, answer.remark.as_deref()))
}

fn stated(events: &[Event], remark: Option<&str>) -> String {
    let facts = events.iter().map(|event| serde_json::to_string_pretty(event).expect("JSON"));
    facts.chain(remark.map(|remark| format!("remark: {remark}"))).collect::<Vec<_>>().join("\n")
}

/// The reading of a genuine message that states these facts. Its proof comes from a check, as every proof does.
pub(crate) fn facts(events: Vec<Event>) -> Reading {
    let key = HmacSha256Key::new("key".to_owned().into());
    let verified = key.verify(b"text".to_vec(), &key.tag(b"text")).expect("its own signature");
    Reading::facts(&verified, events, Vec::new(), None)
}
