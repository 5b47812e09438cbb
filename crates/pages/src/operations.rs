//! What goes on behind: refused calls, what waits, the last proof, and why a signature does not verify.

use askama::Template;
use cvco_domain::{EndpointId, Timestamp, Way};
use cvco_ledger::{QueuedMail, RefusedCalls, RelayRow, RelayState, SetAside};

use crate::frame::Frame;
use crate::mark::Mark;
use crate::say::Lent;
use crate::{Say, cut, outside, words};

/// So many of a sort are shown; all are in the file.
pub const SHOWN: u32 = 100;

/// What the last `verify` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastProof {
    /// When it ended.
    pub at: Timestamp,
    /// How much was not right.
    pub flaws: usize,
}

/// What a pasted message turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosed {
    /// Whether its signature is genuine.
    pub genuine: bool,
    /// In one sentence, in English.
    pub summary: String,
    /// What was looked at, line by line.
    pub details: Vec<String>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "operations.html")]
pub struct Operations {
    /// What is around it.
    pub frame: Frame,
    /// Refused calls by reason.
    pub refused: Vec<RefusedCalls>,
    /// Messages that have not left.
    pub mails: Vec<QueuedMail>,
    /// Calls that shops' handlers have not taken.
    pub relays: Vec<RelayRow>,
    /// Entries that could not be folded, or were not understood.
    pub set_aside: Vec<SetAside>,
    /// The last proof, if one is known.
    pub proof: Option<LastProof>,
    /// The last entry of the log.
    pub logged: i64,
    /// The last one that was folded.
    pub folded: i64,
    /// What keeps the ledger from following, if anything does; in English.
    pub trouble: Option<String>,
    /// The endpoints, for a diagnosis.
    pub endpoints: Vec<EndpointId>,
    /// What a pasted message turned out to be, and at which endpoint.
    pub diagnosed: Option<(EndpointId, Diagnosed)>,
}

impl Operations {
    fn t(&self) -> Say {
        self.frame.say
    }

    fn reason(text: impl AsRef<str>) -> String {
        cut(&outside(text), 300)
    }

    fn digest(text: &str) -> String {
        cut(text, 16)
    }

    fn class(&self, class: impl AsRef<str>) -> String {
        words::mail_class(self.t(), class.as_ref())
    }

    fn way(&self, way: &Way) -> String {
        words::way(self.t(), way)
    }

    fn relay_state(&self, state: impl Lent<RelayState>) -> String {
        words::relay_state(self.t(), state.lent())
    }

    /// Whether a list goes on beyond what is shown.
    fn is_cut<T>(list: &[T]) -> bool {
        list.len() >= SHOWN as usize
    }

    fn age(&self, at: impl Lent<Timestamp>) -> String {
        self.t().span(self.frame.now.since(at.lent()))
    }

    fn proof_mark(proof: &LastProof) -> Mark {
        if proof.flaws == 0 { Mark::Good } else { Mark::Urgent }
    }

    fn genuine_mark(diagnosed: &Diagnosed) -> Mark {
        if diagnosed.genuine { Mark::Good } else { Mark::Urgent }
    }

    fn is_level(&self) -> bool {
        self.logged == self.folded
    }
}
