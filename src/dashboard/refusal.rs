//! Why there is no page. [`super::around`] makes one of it that says so.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cvco_ledger::LedgerError;
use cvco_pages::RenderError;

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nothing is there.
    NotFound,
    /// Not by this verb.
    WrongVerb,
    /// Somebody else may.
    Forbidden,
    /// It does not come from a page of ours, or from one that is too old.
    Foreign,
    /// The address, or a form, says something that makes no sense; in both languages.
    Senseless(&'static str, &'static str),
    /// Somebody acted on it since the page was made.
    Meanwhile,
    /// The rules do not allow it, or it cannot be read; in English.
    Failed(String),
    /// Larger than anything that is taken.
    TooLarge,
    /// Something failed here; the log says what.
    Trouble,
}

impl Refusal {
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongVerb => StatusCode::METHOD_NOT_ALLOWED,
            Self::Forbidden | Self::Foreign => StatusCode::FORBIDDEN,
            Self::Senseless(..) => StatusCode::BAD_REQUEST,
            Self::Meanwhile => StatusCode::CONFLICT,
            Self::Failed(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Trouble => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        tracing::error!(%error, "a page could not be made: the ledger was not read");
        Self::Trouble
    }
}

impl From<RenderError> for Refusal {
    fn from(error: RenderError) -> Self {
        tracing::error!(%error, "a page could not be made; please report it");
        Self::Trouble
    }
}

/// On its way to where the page is made.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
