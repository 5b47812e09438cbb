//! A few words in both languages, of which a sentence is put together.

use cvco_domain::{Bilingual, Worded};

use crate::{Reading, Rejection};

/// Part of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Phrase {
    french: &'static str,
    english: &'static str,
}

impl Phrase {
    /// No words: nothing is to be said.
    pub(crate) const NONE: Self = phrase("", "");

    pub(crate) const fn is_none(self) -> bool {
        self.english.is_empty()
    }
}

/// Part of a sentence, in French and in English.
pub(crate) const fn phrase(french: &'static str, english: &'static str) -> Phrase {
    Phrase { french, english }
}

impl From<Phrase> for Bilingual {
    fn from(phrase: Phrase) -> Self {
        Self::new(phrase.french, phrase.english)
    }
}

/// What several parts say one after the other.
pub(crate) fn listed(phrases: &[Bilingual]) -> Bilingual {
    let all = |of: fn(&Bilingual) -> &str| phrases.iter().map(of).collect::<Vec<_>>();
    Bilingual::new(all(|phrase| &phrase.french).join(", et "), all(|phrase| &phrase.english).join(", and "))
}

/// What a signature is not, and with what it would fit.
pub(crate) fn would_fit(circumstances: &Bilingual) -> Bilingual {
    Bilingual::new(
        format!("pas authentique, mais la signature conviendrait {}", circumstances.french),
        format!("not genuine, but it would fit {}", circumstances.english),
    )
}

/// That an endpoint takes a genuine message.
pub(crate) fn taken(reading: &Reading) -> Bilingual {
    let events = reading.events().len();
    Bilingual::new(
        format!("un point d’entrée la prend en compte\u{a0}: {events} événement(s)"),
        format!("an endpoint takes it: {events} event(s)"),
    )
}

/// That it cannot be read.
pub(crate) fn stored_unread(what: &Bilingual) -> Bilingual {
    Bilingual::new(
        format!("un point d’entrée la conserve sans la lire\u{a0}: {}", what.french),
        format!("an endpoint stores it unread: {}", what.english),
    )
}

/// That it is refused although it is genuine.
pub(crate) fn refused(rejection: &Rejection) -> Bilingual {
    Bilingual::new(
        format!("un point d’entrée la refuse malgré tout\u{a0}: {}", rejection.in_french()),
        format!("an endpoint refuses it all the same: {rejection}"),
    )
}

/// How long a signature is, and what that tells.
pub(crate) fn characters(field: &str, count: usize, guess: Phrase) -> Bilingual {
    Bilingual::new(
        format!("{field}\u{a0}: {count} caractères, {}", guess.french),
        format!("{field}: {count} characters, {}", guess.english),
    )
}
