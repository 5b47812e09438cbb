//! The machines of one log, as they last showed themselves.

use std::time::Duration;

use cvco_domain::Timestamp;

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machines {
    /// The last entry of the log.
    pub(crate) end: i64,
    /// Who leads; nobody for a moment while the lead changes hands.
    pub(crate) leader: Option<String>,
    /// Each, by name.
    pub(crate) all: Vec<Machine>,
    /// What time it was at the database then.
    pub(crate) now: Timestamp,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Its name.
    pub(crate) name: String,
    /// Whether it is this one.
    pub(crate) is_this: bool,
    /// How far its replica had come.
    pub(crate) seq: i64,
    /// Whether that is an entry of the log; `None` if it said nothing yet.
    pub(crate) agrees: Option<bool>,
    /// Its program.
    pub(crate) version: String,
    /// When it last showed itself.
    pub(crate) seen: Timestamp,
}

impl Machines {
    /// For how long a machine has said nothing.
    #[must_use]
    pub(crate) fn silence(&self, machine: &Machine) -> Duration {
        self.now.since(machine.seen)
    }
}
