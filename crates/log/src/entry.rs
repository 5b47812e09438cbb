//! What the log is made of.

mod done;
mod heard;
mod merchant;

use cvco_domain::{Policy, Seq, Timestamp};
use serde::{Deserialize, Serialize};

pub use done::{
    MailAbout, MailItem, RelayOutcome, Relayed, Replay, Replayed, Telling, Told, Unreached, Week,
};
pub use heard::{Answer, Hint, Inquiry, Notification, Reason, Refusals, Reread, Unread};
pub use merchant::{Act, Close, Deed, ImportedStatement, OrderRegistration, Witness};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEntry {
    /// A genuine notification, read.
    Notification(Notification),
    /// A genuine notification that this program does not understand; its payload is kept for a later one.
    Unread(Unread),
    /// A later program understands what stood in the log unread.
    Reread(Reread),
    /// A call that proves nothing itself, and says what to ask the PSP's API.
    Hint(Hint),
    /// A PSP's API answered, or will not.
    Answer(Answer),
    /// The daemon, or a person, wants PSPs' APIs asked.
    Inquiry(Inquiry),
    /// A shop registered an order, or changed its total.
    Order(OrderRegistration),
    /// The merchant's settings changed.
    Policy(Policy),
    /// A person did something about a discrepancy.
    Act(Act),
    /// Calls that knew the endpoint's secret address were refused: a setting is wrong, or something on the way.
    Refusals(Refusals),
    /// A statement of ANCV or of the bank was imported.
    Statement(ImportedStatement),
    /// A person closed a period.
    Close(Close),
    /// The digests of a closed period's exports.
    Witness(Witness),
    /// A deadline came while nothing else happened. It carries nothing but its date.
    Time,
    /// The daemon could not receive anything for a while.
    Pause(Pause),
    /// The system's clock had been wrong: dates go on from this entry's own.
    Clock(ClockCorrection),
    /// An e-mail is about to leave.
    Telling(Telling),
    /// That e-mail left.
    Told(Told),
    /// A notification's way to the shop's own handler is at an end.
    Relayed(Relayed),
    /// A handler of the shop has not taken calls for some time.
    Unreached(Unreached),
    /// A person wants notifications relayed once more.
    Replay(Replay),
}

macro_rules! kinds {
    ($($variant:ident = $kind:literal),* $(,)?) => {
        impl LogEntry {
            /// The kind's name in the log.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $kind,)*
                    Self::Time => "time",
                }
            }

            /// Everything else about it, as JSON.
            pub(crate) fn content(&self) -> Result<String, serde_json::Error> {
                match self {
                    $(Self::$variant(content) => serde_json::to_string(content),)*
                    Self::Time => Ok("{}".to_owned()),
                }
            }

            /// Reads an entry back; `None` if this program does not know the kind.
            pub(crate) fn parse(kind: &str, content: &str) -> Option<Result<Self, serde_json::Error>> {
                Some(match kind {
                    $($kind => serde_json::from_str(content).map(Self::$variant),)*
                    "time" => Ok(Self::Time),
                    _ => return None,
                })
            }
        }
    };
}

kinds! {
    Notification = "notification",
    Unread = "unread",
    Reread = "reread",
    Hint = "hint",
    Answer = "answer",
    Inquiry = "inquiry",
    Order = "order",
    Policy = "policy",
    Act = "act",
    Refusals = "refusals",
    Statement = "statement",
    Close = "close",
    Witness = "witness",
    Pause = "pause",
    Clock = "clock",
    Telling = "telling",
    Told = "told",
    Relayed = "relayed",
    Unreached = "unreached",
    Replay = "replay",
}

impl LogEntry {
    /// The number of the notification that this entry is about, where it names one.
    pub const fn notification_mut(&mut self) -> Option<&mut Seq> {
        if let Self::Reread(Reread { of: number, .. })
        | Self::Relayed(Relayed { notification: number, .. })
        | Self::Replay(Replay { which: Replayed::One { notification: number, .. }, .. }) = self
        {
            Some(number)
        } else {
            None
        }
    }
}

/// How a call reached the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The PSP called the endpoint's URL.
    #[default]
    Call,
    /// The PSP's warning e-mail quotes a call that failed.
    Mail,
    /// A web server's log shows a call that did not get through.
    Log,
    /// The shop handed a session's token over.
    Shop,
}

impl Origin {
    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Mail => "mail",
            Self::Log => "log",
            Self::Shop => "shop",
        }
    }
}

/// The daemon could not receive anything: it was stopped, or the machine slept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// When it was last known to receive. It receives again at the entry's own date.
    pub since: Timestamp,
}

/// The system's clock had run ahead, and was put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockCorrection {
    /// The last date in the log, which lay in the future.
    pub from: Timestamp,
}
