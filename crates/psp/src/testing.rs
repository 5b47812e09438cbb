//! Both steps of an adapter at once, as the listener takes them.

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
        Self::NotUnderstood(what)
    }
}

/// What an adapter says of a request.
pub(crate) fn take(adapter: &dyn Adapter, request: &Request<'_>) -> Result<Reading, Stopped> {
    Ok(adapter.read(&adapter.prove(request)?)?)
}
