//! Why there is no page. [`super::around`] makes one of it that says so.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cvco_ledger::LedgerError;
use cvco_pages::apology::Reasons;
use cvco_pages::{RenderError, Say, outside};

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
    /// The same, in the language of the page.
    Explained(String),
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
            Self::Failed(_) | Self::Explained(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Trouble => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Refusal {
    /// For programs.
    pub(super) fn in_english(&self) -> &str {
        match self {
            Self::NotFound => "no such page",
            Self::WrongVerb => "another method is needed here",
            Self::Forbidden => "somebody with another role may do this",
            Self::Foreign => "this form does not come from a page of the dashboard",
            Self::Senseless(_, english) => english,
            Self::Meanwhile => "somebody acted on it meanwhile: look at it again",
            Self::Failed(what) | Self::Explained(what) => what,
            Self::TooLarge => "too large, or too slow",
            Self::Trouble => "it could not be done; see the log",
        }
    }

    /// For people: in a few words, and in a sentence.
    pub(super) fn in_words(&self, t: Say) -> (String, String) {
        match self {
            Self::NotFound => (
                t.say("Cette page n'existe pas", "There is no such page"),
                t.say(
                    "Le lien est peut-être incomplet, ou ce qu'il désignait n'existe plus.",
                    "The link may be cut short, or what it meant is no longer there.",
                ),
            ),
            Self::WrongVerb => (
                t.say("Cette page ne s'ouvre pas ainsi", "This page does not open so"),
                t.say(
                    "Revenez en arrière et utilisez le bouton de la page.",
                    "Go back and use the button on the page.",
                ),
            ),
            Self::Forbidden => (
                t.say("Vous n'avez pas ce droit", "You may not do this"),
                t.say(
                    "Connectez-vous avec un compte qui l'a, ou demandez à votre administrateur.",
                    "Sign in with an account that may, or ask your administrator.",
                ),
            ),
            Self::Foreign => (
                t.say("Ce formulaire n'est plus valable", "This form is no longer valid"),
                t.say(
                    "Rien n'a été fait. Rouvrez la page et recommencez.",
                    "Nothing was done. Open the page again and repeat it.",
                ),
            ),
            Self::Senseless(french, english) => (
                t.say("Cela n'a pas pu être compris", "That could not be understood"),
                t.say(french, english),
            ),
            Self::Meanwhile => (
                t.say("Quelqu'un a agi entre-temps", "Somebody acted meanwhile"),
                t.say(
                    "Rien n'a été fait. Rouvrez l'écart : ce qui vient d'être fait y est écrit.",
                    "Nothing was done. Open the discrepancy again: what was just done stands there.",
                ),
            ),
            Self::Failed(_) => (
                t.say("Cela n'a pas pu être fait", "It could not be done"),
                t.say("Rien n'a changé. Raison, en anglais :", "Nothing changed. The reason:"),
            ),
            Self::Explained(_) => (
                t.say("Cela n'a pas pu être fait", "It could not be done"),
                t.say("Rien n'a changé. Raison :", "Nothing changed. The reason:"),
            ),
            Self::TooLarge => (
                t.say("C'est trop volumineux", "That is too large"),
                t.say("Rien n'a été fait.", "Nothing was done."),
            ),
            Self::Trouble => (
                t.say("Cela n'a pas fonctionné", "That did not work"),
                t.say(
                    "Le journal du service dit pourquoi. Réessayez dans un instant.",
                    "The service's log says why. Try again in a moment.",
                ),
            ),
        }
    }
}

impl Refusal {
    /// Why the rules do not allow it, or it cannot be read, line by line.
    pub(super) fn reasons(&self) -> Reasons {
        let lines = |what: &str| what.lines().map(outside).collect();
        match self {
            Self::Failed(what) => Reasons { lines: lines(what), are_english: true },
            Self::Explained(what) => Reasons { lines: lines(what), are_english: false },
            Self::NotFound
            | Self::WrongVerb
            | Self::Forbidden
            | Self::Foreign
            | Self::Senseless(..)
            | Self::Meanwhile
            | Self::TooLarge
            | Self::Trouble => Reasons::default(),
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
