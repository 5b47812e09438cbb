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

use cvco_domain::{Bilingual, Kind, Noted, Psp, UnknownWord, VoucherKind};

use super::render::capitalised;
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

    /// Of a text in both languages, the one in this.
    #[must_use]
    pub fn of(self, text: &Bilingual) -> &str {
        match self {
            Self::French => &text.french,
            Self::English => &text.english,
        }
    }

    /// Of what was noted, the words in this language; in English where they are known in no other.
    #[must_use]
    pub fn of_noted(self, noted: &Noted) -> &str {
        match self {
            Self::French => noted.french().unwrap_or_else(|| noted.english()),
            Self::English => noted.english(),
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

/// What the two figures of a case are called.
#[must_use]
pub const fn figures_of(case: Case, kind: Kind, language: Language) -> [&'static str; 2] {
    match (case, language) {
        (Case::RefundRefused, Language::French) => ["–", "Remboursement refusé"],
        (Case::RefundRefused, Language::English) => ["–", "Refund refused"],
        (Case::RefundWithStatus, Language::French) => ["–", "Remboursement demandé"],
        (Case::RefundWithStatus, Language::English) => ["–", "Refund asked for"],
        (_, _) => figures(kind, language),
    }
}

/// What the payment that a step is about was made with: what cannot be given back of it need not be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PaidWith {
    /// It has a card part.
    pub(super) card: bool,
    /// The kind of its voucher part, where it has one.
    pub(super) voucher: Option<VoucherKind>,
    /// A step of its own names it, on the condition that others state.
    pub(super) is_named: bool,
}

impl PaidWith {
    /// What most are made with.
    pub(super) const VOUCHER_AND_CARD: Self =
        Self { card: true, voucher: Some(VoucherKind::Holiday), is_named: false };

    /// The step, unless it is about a part that the payment does not have, or about one that has none. What it is about
    /// stands in front of it.
    fn concerns(self, step: &str) -> Option<&str> {
        let is_meal = self.voucher == Some(VoucherKind::Meal);
        let marks = [
            ("{card}", self.card),
            ("{no_card}", !self.card),
            ("{voucher}", self.voucher.is_some()),
            ("{meal}", is_meal),
            ("{holiday}", self.voucher.is_some() && !is_meal),
        ];
        let marked = marks.iter().find_map(|(mark, concerned)| Some((step.strip_prefix(mark)?, *concerned)));
        match marked {
            Some((step, true)) => self.concerns(step),
            Some((_, false)) => None,
            None => Some(step),
        }
    }

    /// The step with the condition that it stands under, unless the step before it has said so.
    fn on_condition(self, step: &str, if_right: &str) -> String {
        match step.strip_prefix("{if_right}") {
            Some(step) if self.is_named => capitalised(step),
            Some(step) => format!("{if_right} {step}"),
            None => step.to_owned(),
        }
    }
}

/// The words about a case. Some steps depend on the PSP, for each allows other operations on a voucher.
#[must_use]
pub fn wording(case: Case, language: Language, psp: Option<Psp>) -> Wording {
    wording_about(case, language, psp, PaidWith::VOUCHER_AND_CARD)
}

/// The words about a case of a payment that was made with these parts.
pub(super) fn wording_about(case: Case, language: Language, psp: Option<Psp>, with: PaidWith) -> Wording {
    let (entry, names) = match language {
        Language::French => (french::case(case, psp), french::names(psp)),
        Language::English => (english::case(case, psp), english::names(psp)),
    };
    Wording {
        title: typeset(language, entry.title),
        explanation: typeset(language, entry.explanation),
        what_to_do: entry
            .what_to_do
            .iter()
            .filter_map(|step| with.concerns(step))
            .map(|step| typeset(language, &names.put_into(&with.on_condition(step, names.if_right))))
            .collect(),
    }
}

/// The words about payments at several PSPs: the first step is that of any, then each PSP has its own.
#[must_use]
pub(super) fn wording_at(case: Case, language: Language, psps: &[Psp], with: PaidWith) -> Wording {
    match psps {
        [] => wording_about(case, language, None, with),
        [only] => wording_about(case, language, Some(*only), with),
        [..] => {
            let Wording { title, explanation, what_to_do } = wording_about(case, language, None, with);
            let own = |psp: &Psp| {
                let steps = wording_about(case, language, Some(*psp), with).what_to_do;
                let steps = uncapitalised(&steps.get(1..).unwrap_or_default().join(" "));
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

/// A sentence that follows a colon: with a small letter, unless a name begins it.
fn uncapitalised(sentence: &str) -> String {
    let is_name = Psp::ALL
        .iter()
        .any(|psp| psp.title().split(' ').next().is_some_and(|name| sentence.starts_with(name)));
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) if !is_name => first.to_lowercase().chain(letters).collect(),
        _ => sentence.to_owned(),
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
    /// Stands for `{if_right}` in front of a step: if the order's total is right.
    if_right: &'static str,
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
