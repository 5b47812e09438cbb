//! The machines of one log, as they last showed themselves.

use std::time::Duration;

use cvco_domain::Timestamp;

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machines {
    /// The last entry of the log.
    pub end: i64,
    /// Who leads; nobody for a moment while the lead changes hands.
    pub leader: Option<String>,
    /// Each, by name.
    pub all: Vec<Machine>,
    /// What time it was at the database then.
    pub now: Timestamp,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// Whether it is this one.
    pub is_this: bool,
    /// How far its replica had come.
    pub seq: i64,
    /// Whether that is an entry of the log; `None` if it said nothing yet.
    pub agrees: Option<bool>,
    /// Its program.
    pub version: String,
    /// When it last showed itself.
    pub seen: Timestamp,
}

impl Machines {
    /// For how long a machine has said nothing.
    #[must_use]
    pub fn silence(&self, machine: &Machine) -> Duration {
        self.now.since(machine.seen)
    }
}
