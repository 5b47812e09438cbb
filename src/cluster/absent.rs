//! A program that was built without PostgreSQL is no machine of several: nothing of this can exist.

mod machines;

use std::time::Duration;

use cvco_domain::crypto::SealKey;
use cvco_domain::{Policy, Timestamp};
use cvco_log::{Draft, Ends, Log, LogError, SqliteLog, Stamp};
use secrecy::SecretString;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Ahead;
use crate::config::{ClusterSettings, LedgerSettings};
use crate::lead::Leads;
pub(crate) use machines::{Machine, Machines};

const ABSENT: &str = "this program was built without PostgreSQL; take the one of the packages";

/// This machine's part.
pub(crate) enum Settings {}

/// What a machine opens.
pub(crate) struct Opened {
    pub(crate) store: SqliteLog,
    pub(crate) replica: SqliteLog,
    pub(crate) key: SealKey,
    pub(crate) last_alive: Option<Timestamp>,
    pub(crate) membership: Membership,
}

/// A machine's part in the log of several.
pub(crate) enum Membership {}

/// A machine that takes part.
pub(crate) struct Member {
    pub(crate) tail: Tail,
    pub(crate) grown: watch::Receiver<Stamp>,
    pub(crate) cluster: Cluster,
    pub(crate) leads: Leads,
    pub(crate) herald: Option<Herald>,
}

/// Brings every row.
pub(crate) enum Tail {}

/// Tells the rest of the program.
pub(crate) enum Herald {}

/// How this machine stands among the others.
#[derive(Clone)]
pub enum Cluster {}

/// What is measured of it.
pub(crate) struct Figures {
    pub(crate) epoch: i64,
    pub(crate) settles: u64,
    pub(crate) spooled: u64,
}

/// The log of several machines, for a command.
pub(crate) trait Remote {
    fn append(&mut self, drafts: &[Draft]) -> Result<Vec<Stamp>, LogError>;
    fn bring(&mut self, replica: &mut SqliteLog) -> Result<(), LogError>;
}

pub(crate) fn settings(_: &ClusterSettings, _: &SecretString) -> Result<Settings, String> {
    Err(ABSENT.to_owned())
}

pub(crate) fn open(_: &LedgerSettings, settings: Settings) -> Result<Opened, LogError> {
    match settings {}
}

pub(crate) fn remote(_: &ClusterSettings, _: &mut SqliteLog) -> Result<Box<dyn Remote>, String> {
    Err(ABSENT.to_owned())
}

pub(crate) fn differing(_: &Policy, _: &Policy) -> Vec<String> {
    Vec::new()
}

impl Membership {
    pub(crate) fn join(self, _: Ends, _: &Log, _: Ahead) -> Result<Member, LogError> {
        match self {}
    }
}

impl Tail {
    pub(crate) fn join(self) -> Result<(), LogError> {
        match self {}
    }
}

impl Herald {
    pub(crate) async fn run(self, _: CancellationToken) {
        match self {}
    }
}

impl Cluster {
    pub(crate) async fn machines(&self) -> Result<Machines, String> {
        match *self {}
    }

    pub(crate) async fn first_word(&self) {
        match *self {}
    }

    pub(crate) fn obstacle(&self, _: i64, _: Duration) -> Option<String> {
        match *self {}
    }

    pub(crate) fn is_led_by_another(&self) -> bool {
        match *self {}
    }

    pub(crate) fn figures(&self) -> Figures {
        match *self {}
    }
}
