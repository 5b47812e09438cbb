//! What is said where there is no page.

use askama::Template;

use crate::Frame;

/// A page that says why there is none.
#[derive(Debug, Template)]
#[template(path = "apology.html")]
pub struct Apology {
    /// What is around it.
    pub frame: Frame,
    /// In a few words.
    pub title: String,
    /// In a sentence, and what to do.
    pub text: String,
    /// Why, in more words.
    pub reasons: Reasons,
}

/// Why something could not be done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reasons {
    /// Line by line.
    pub lines: Vec<String>,
    /// Whether that is in English, whatever the language of the page.
    pub are_english: bool,
}
