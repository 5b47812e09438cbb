//! E-mails about discrepancies: what they say and how they leave.

pub mod catalogue;
mod typography;

pub use catalogue::{Language, Wording, wording};
