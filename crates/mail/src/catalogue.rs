//! What people are told about each kind of discrepancy: a table per language, exhaustive over the kinds, so
//! that a new kind does not compile without words.

mod case;
mod english;
mod french;
mod gap;
mod page;

use std::fmt;
use std::str::FromStr;

pub use case::Case;
pub use gap::GapName;
pub use page::page;

use cvco_domain::{Kind, Psp, UnknownWord};

use super::typography::typeset;

/// The language of the mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// `fr`, the default.
    French,
    /// `en`.
    English,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::French, Self::English];

    /// The name in the configuration, which is also the value of HTML's `lang`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Language {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|language| language.as_str() == text)
            .ok_or_else(|| UnknownWord::new(text, "fr, en"))
    }
}

/// The words about one kind of discrepancy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// A few words, fit for a subject line: no capital, no full stop.
    pub title: String,
    /// One sentence about what is wrong.
    pub explanation: String,
    /// One to four steps, each a sentence or two.
    pub what_to_do: Vec<String>,
}

/// What the two figures of a discrepancy are called, where it has any: what should be, and what is.
#[must_use]
pub const fn figures(kind: Kind, language: Language) -> [&'static str; 2] {
    match language {
        Language::French => french::figures(kind),
        Language::English => english::figures(kind),
    }
}

/// The words about a case. Some steps depend on the PSP, for each allows other operations on a voucher.
#[must_use]
pub fn wording(case: Case, language: Language, psp: Option<Psp>) -> Wording {
    let (entry, names) = match language {
        Language::French => (french::case(case, psp), french::names(psp)),
        Language::English => (english::case(case, psp), english::names(psp)),
    };
    Wording {
        title: typeset(language, entry.title),
        explanation: typeset(language, entry.explanation),
        what_to_do: entry.what_to_do.iter().map(|step| typeset(language, &names.put_into(step))).collect(),
    }
}

/// The words about payments at several PSPs: the first step is that of any, then each PSP has its own.
#[must_use]
pub fn wording_at(case: Case, language: Language, psps: &[Psp]) -> Wording {
    match psps {
        [] => wording(case, language, None),
        [only] => wording(case, language, Some(*only)),
        [..] => {
            let Wording { title, explanation, what_to_do } = wording(case, language, None);
            let own = |psp: &Psp| {
                let steps = wording(case, language, Some(*psp)).what_to_do;
                let steps = steps.get(1..).unwrap_or_default().join(" ");
                match language {
                    Language::French => format!("{}\u{a0}: {steps}", psp.title()),
                    Language::English => format!("{}: {steps}", psp.title()),
                }
            };
            let what_to_do = what_to_do.into_iter().take(1).chain(psps.iter().map(own)).collect();
            Wording { title, explanation, what_to_do }
        }
    }
}

/// Whether the steps about a PSP are those about any, but for the names of its places.
fn differs_by_place_only(case: Case, language: Language, psp: Psp) -> bool {
    let steps = |psp| match language {
        Language::French => french::case(case, psp).what_to_do,
        Language::English => english::case(case, psp).what_to_do,
    };
    steps(Some(psp)) == steps(None)
}

/// What a merchant calls the PSP's places.
struct Names {
    /// Stands for `{back_office}` in a step.
    back_office: &'static str,
    /// Stands for `{support}` in a step.
    support: &'static str,
}

impl Names {
    fn put_into(&self, step: &str) -> String {
        step.replace("{back_office}", self.back_office).replace("{support}", self.support)
    }
}

/// One row of a language's table, as it is typed: with plain spaces and straight apostrophes.
struct Entry {
    title: &'static str,
    explanation: &'static str,
    what_to_do: Steps,
}

/// What to do, step by step.
type Steps = &'static [&'static str];

/// Lets a table read as one: title, explanation, steps.
const fn says(title: &'static str, explanation: &'static str, what_to_do: Steps) -> Entry {
    Entry { title, explanation, what_to_do }
}

#[cfg(test)]
mod tests;
