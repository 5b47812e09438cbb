//! What was captured of a part that was authorised before, and what of the rest was let go: the lines of its history together.

use std::collections::BTreeSet;

use cvco_domain::{Cents, TenderId, Timestamp};

use super::details::HistoryEntry;

/// All captures of one part.
pub(super) struct Capture<'a> {
    /// What they come to, and no more than was authorised.
    pub(super) amount: Cents,
    /// What is left of the authorisation beside it.
    pub(super) rest: Cents,
    /// When the first of them was made.
    pub(super) at: Option<Timestamp>,
    /// The lines by which a rest was let go: no customer gets that back, for it was never taken.
    let_go: BTreeSet<&'a TenderId>,
}

impl<'a> Capture<'a> {
    /// From the lines about one part of which `whole` was authorised; `None` where none of them is a capture.
    pub(super) fn of(whole: Cents, lines: &[&'a HistoryEntry]) -> Option<Self> {
        let captures = || lines.iter().filter(|line| line.kind == "CAPTURE");
        captures().next()?;
        let amount = captures().map(|line| line.amount.unwrap_or(whole)).sum::<Cents>().min(whole);
        let mut capture = Self {
            amount,
            rest: whole.minus(amount),
            at: captures().filter_map(|line| line.at).min(),
            let_go: BTreeSet::new(),
        };
        for line in lines.iter().filter(|line| line.kind == "RESET") {
            let released = line.amount.unwrap_or(capture.rest);
            if capture.rest.is_positive() && released <= capture.rest {
                capture.rest = capture.rest.minus(released);
                capture.let_go.insert(&line.id);
            }
        }
        Some(capture)
    }

    /// Whether a line of the history is told by this.
    pub(super) fn tells(&self, line: &HistoryEntry) -> bool {
        line.kind == "CAPTURE" || self.let_go.contains(&line.id)
    }
}
