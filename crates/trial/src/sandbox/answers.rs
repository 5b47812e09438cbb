//! Which calls are answered, and with what.

use std::collections::VecDeque;

use super::Seen;

/// The calls that an answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    method: &'static str,
    path: String,
    holding: Vec<String>,
}

impl Match {
    /// `GET` of exactly this path, whatever its query.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), holding: Vec::new() }
    }

    /// `POST` to exactly this path, whatever its query and body.
    #[must_use]
    pub fn post(path: impl Into<String>) -> Self {
        Self { method: "POST", path: path.into(), holding: Vec::new() }
    }

    /// Only those with this text in the query or in the body, as it travels; may be said several times.
    #[must_use]
    pub fn holding(mut self, text: impl Into<String>) -> Self {
        self.holding.push(text.into());
        self
    }

    /// Whether a call is one of them.
    #[must_use]
    pub fn fits(&self, call: &Seen) -> bool {
        let body = call.body_text();
        self.method == call.method
            && self.path == call.path
            && self.holding.iter().all(|text| call.query.contains(text) || body.contains(text))
    }
}

/// An answer prepared in advance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canned {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

impl Canned {
    /// Its HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Its body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// 200 with JSON.
    #[must_use]
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::of("application/json", body)
    }

    /// 200 with XML.
    #[must_use]
    pub fn xml(body: impl Into<Vec<u8>>) -> Self {
        Self::of("text/xml; charset=utf-8", body)
    }

    /// 200 with a form.
    #[must_use]
    pub fn form(body: impl Into<Vec<u8>>) -> Self {
        Self::of("application/x-www-form-urlencoded", body)
    }

    /// 200 with plain text.
    #[must_use]
    pub fn text(body: impl Into<Vec<u8>>) -> Self {
        Self::of("text/plain; charset=utf-8", body)
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    fn of(content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, content_type, body: body.into() }
    }
}

/// All prepared answers.
#[derive(Debug, Default)]
pub(super) struct Answers(Vec<(Match, VecDeque<Canned>)>);

impl Answers {
    /// Sets the answers to some calls, given one after the other; the last one is repeated. It replaces earlier answers
    /// to the same calls.
    pub(super) fn lay_out(&mut self, calls: Match, answers: impl IntoIterator<Item = Canned>) {
        self.0.retain(|(known, _)| *known != calls);
        self.0.push((calls, answers.into_iter().collect()));
    }

    /// The next answer to a call, from the latest entry that fits it.
    pub(super) fn next_for(&mut self, call: &Seen) -> Option<Canned> {
        let mut latest_first = self.0.iter_mut().rev().filter(|(_, answers)| !answers.is_empty());
        let (_, answers) = latest_first.find(|(calls, _)| calls.fits(call))?;
        if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
    }
}
