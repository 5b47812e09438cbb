//! What goes on behind: refused calls, what waits, the last proof, and why a signature does not verify.

use std::time::Duration;

use askama::Template;
use cvco_domain::{EndpointId, Grounds, Timestamp, Way};
use cvco_ledger::{QueuedMail, RefusedCalls, RelayRow, RelayState, SetAside};

use crate::frame::Frame;
use crate::mark::Mark;
use crate::say::Lent;
use crate::{Say, cut, outside, words};

/// So many of a sort are shown; all are in the file.
pub const SHOWN: u32 = 100;

/// What the last `verify` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastProof {
    /// When it ended.
    pub at: Timestamp,
    /// How much was not right.
    pub flaws: usize,
    /// The first of that, in the reader's language.
    pub first: Vec<String>,
}

/// The machines that share a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machines {
    /// The last entry of the log.
    pub end: i64,
    /// Whether one of them leads.
    pub is_led: bool,
    /// Each of them.
    pub all: Vec<Machine>,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// Whether it is the one that shows the page.
    pub is_this: bool,
    /// Whether it leads.
    pub leads: bool,
    /// How far it has come.
    pub seq: i64,
    /// How many entries it lacks.
    pub to_bring: i64,
    /// Whether what it has is what the log says.
    pub agrees: bool,
    /// Its program.
    pub version: String,
    /// For how long it has said nothing.
    pub silence: Duration,
}

/// Machines show themselves every few seconds; one that is silent for longer does not run, or has lost the database.
const SILENT: Duration = Duration::from_mins(1);

/// What a pasted message turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosed {
    /// Whether its signature is genuine.
    pub genuine: bool,
    /// In one sentence, in the reader's language.
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
    /// The machines, where there are several; or why they are not known, in English.
    pub machines: Option<Result<Machines, String>>,
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

    fn grounds(&self, grounds: &Grounds) -> String {
        words::grounds(self.t(), grounds)
    }

    fn particulars(grounds: &Grounds) -> Option<String> {
        words::particulars(grounds)
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

    /// So many discrepancies of a message are named.
    const NAMED: usize = 15;

    /// How many more a message tells.
    fn further(&self, mail: &QueuedMail) -> String {
        let more = mail.discrepancies.len().saturating_sub(Self::NAMED);
        match i64::try_from(more).unwrap_or(i64::MAX) {
            0 => String::new(),
            more => {
                let more = self.t().number(more);
                self.t().say(&format!("et {more} de plus"), &format!("and {more} more"))
            }
        }
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

    fn machine_mark(machine: &Machine) -> Mark {
        match (machine.agrees, machine.silence < SILENT) {
            (false, _) => Mark::Urgent,
            (true, false) => Mark::Warning,
            (true, true) => Mark::Good,
        }
    }

    fn machine_state(&self, machine: &Machine) -> String {
        let t = self.t();
        match (machine.agrees, machine.silence < SILENT, machine.to_bring) {
            (false, ..) => t.say("contredit le journal", "contradicts the log"),
            (true, false, _) => t.say("muette", "silent"),
            (true, true, 0) => t.say("à jour", "up to date"),
            (true, true, lacking) => t.count(
                lacking,
                "entrée à rattraper",
                "entrées à rattraper",
                "entry to bring",
                "entries to bring",
            ),
        }
    }

    fn silence(&self, machine: &Machine) -> String {
        self.t().span(machine.silence)
    }

    fn genuine_mark(diagnosed: &Diagnosed) -> Mark {
        if diagnosed.genuine { Mark::Good } else { Mark::Urgent }
    }

    fn is_level(&self) -> bool {
        self.logged == self.folded
    }
}
