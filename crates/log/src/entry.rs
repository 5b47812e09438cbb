//! What the log is made of.

use std::collections::BTreeMap;

use cvco_domain::{
    Books, Cents, Currency, DiscrepancyId, EndpointId, EndpointRef, Event, Identity, Instalment, News,
    OrderRef, Period, Policy, Question, Refusal, RelayTarget, Seq, ShopId, Standing, Statement, Timestamp,
    Way,
};
use serde::{Deserialize, Serialize};

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

/// A genuine notification, read from proven bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Where it came in.
    pub endpoint: EndpointRef,
    /// How it came in.
    #[serde(default)]
    pub origin: Origin,
    /// What it states; nothing, if it is not about a payment that concerns us.
    pub events: Vec<Event>,
    /// What to ask the PSP's API about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// What a person should know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// A genuine notification whose content this program does not understand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Where it came in.
    pub endpoint: EndpointRef,
    /// How it came in.
    #[serde(default)]
    pub origin: Origin,
    /// What was not understood, in English, without any value from outside.
    pub what: String,
}

/// What a later program reads in the sealed bytes of an unread notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reread {
    /// The number of the unread entry.
    pub of: Seq,
    /// What it says.
    pub notification: Notification,
}

/// A call that nobody signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// Where it came in.
    pub endpoint: EndpointRef,
    /// How it came in.
    #[serde(default)]
    pub origin: Origin,
    /// What to ask the PSP's API.
    pub questions: Vec<Question>,
    /// What a person should know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// An answer of a PSP's API, read; or that there will be none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The endpoint whose settings were used to ask.
    pub endpoint: EndpointRef,
    /// What was asked.
    pub question: Question,
    /// When the question that this answers was last raised.
    pub asked_at: Timestamp,
    /// How the answer stands.
    pub standing: Standing,
    /// What it states.
    pub events: Vec<Event>,
    /// What to ask next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// What a person should know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// Why PSPs' APIs are to be asked without a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The daemon looks regularly for what it was not told.
    Sweep,
    /// A person ran `catch-up`.
    CatchUp,
}

/// Questions to one PSP's API that no notification raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inquiry {
    /// The endpoint whose settings are used to ask.
    pub endpoint: EndpointRef,
    /// Why they are asked.
    pub reason: Reason,
    /// What is asked.
    pub questions: Vec<Question>,
}

/// An order as its shop registers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRegistration {
    /// The shop.
    pub shop: ShopId,
    /// The shop's reference of the order.
    pub reference: OrderRef,
    /// What the customer should pay, in cents of `currency`.
    #[serde(rename = "total_cents")]
    pub total: Cents,
    /// The currency of the total.
    pub currency: Currency,
    /// When the payment is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// In which parts it is to be paid; together they are the total.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instalments: Vec<Instalment>,
}

/// What a person does about a discrepancy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// The discrepancy's number when the person acted.
    pub discrepancy: DiscrepancyId,
    /// The discrepancy, whatever its number: a program with more rules may number otherwise.
    pub of: Identity,
    /// The name of the person's system account.
    pub by: String,
    /// What the person found or did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What is done.
    pub deed: Deed,
}

/// The kinds of acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Marks it as seen.
    Acknowledged,
    /// Adds a note, no more.
    Noted,
    /// Puts it aside.
    Snoozed {
        /// Until when: then it is told again, if it is still open.
        until: Timestamp,
    },
    /// Takes the mark and the snooze back.
    Withdrawn,
}

impl Deed {
    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Noted => "noted",
            Self::Snoozed { .. } => "snoozed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Calls that knew the secret address of one endpoint, and were refused all the same: a wrong key or account, a form, a
/// size or an address that is not expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusals {
    /// Where they came in.
    pub endpoint: EndpointRef,
    /// Why they were refused.
    pub refusal: Refusal,
    /// How many were refused within a day.
    pub calls: u32,
    /// How many were taken in the same time.
    #[serde(default)]
    pub taken: u32,
    /// The PSP had signed the last of them.
    #[serde(default)]
    pub signed: bool,
    /// The address that the last of them came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// What would have matched, or what is wrong, as far as the adapter can tell; in English.
    pub explanation: String,
}

/// A statement, with the file that it came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedStatement {
    /// What it says.
    pub statement: Statement,
    /// SHA-256 of the file, in hexadecimal.
    pub file_sha256: String,
    /// The account of whoever imported it, or the daemon's.
    pub by: String,
}

/// The close of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    /// The month.
    pub period: Period,
    /// The merchant's choices for its journal entries.
    pub books: Books,
    /// The account of whoever closed it.
    pub by: String,
}

/// What a period's exports were, byte for byte, right after its close.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// The month.
    pub period: Period,
    /// SHA-256 of each export in hexadecimal, by the export's name.
    pub exports: BTreeMap<String, String>,
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

/// What an e-mail is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailAbout {
    /// News of discrepancies.
    Discrepancies(Vec<MailItem>),
    /// A link of the chain, for people to keep.
    Anchor(Seq),
    /// What a week brought.
    Week(Week),
}

/// The week of some shops that a summary is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Week {
    /// When it ended.
    pub until: Timestamp,
    /// The shops.
    pub shops: Vec<ShopId>,
}

/// One piece of news in an e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailItem {
    /// What is new about it.
    pub news: News,
    /// The discrepancy's number at the time.
    pub discrepancy: DiscrepancyId,
    /// The discrepancy, whatever its number.
    pub of: Identity,
}

/// An e-mail, or a message on a channel, that is about to leave. If the daemon stops before it says that it left, it leaves
/// again under the same message id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// Identifies the e-mail over attempts and restarts; without the angle brackets of a header.
    pub message_id: String,
    /// On which way it leaves.
    #[serde(default, skip_serializing_if = "Way::is_mail")]
    pub way: Way,
    /// What it tells.
    pub about: MailAbout,
}

/// An e-mail was handed over to the mail server, or a message to its channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Its message id.
    pub message_id: String,
}

/// The end of a notification's way to one handler of the shop. Attempts that leave it owed are no entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relayed {
    /// The notification's number in the log.
    pub notification: Seq,
    /// Which of its endpoint's handlers.
    pub target: RelayTarget,
    /// How often it was tried.
    pub attempts: u32,
    /// How it ended.
    pub outcome: RelayOutcome,
}

/// How a relay ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelayOutcome {
    /// The handler took it.
    Delivered {
        /// The status of its answer.
        status: u16,
    },
    /// The handler has it, and does not want it.
    Refused {
        /// The status of its answer.
        status: u16,
        /// What was wrong, in English, without any value from outside.
        why: String,
    },
    /// It was tried for as long as makes sense; a person decides.
    Parked {
        /// What was wrong last, in English.
        why: String,
    },
    /// A person does not want it delivered any more.
    Dropped {
        /// The name of the person's system account.
        by: String,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
}

impl RelayOutcome {
    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Delivered { .. } => "delivered",
            Self::Refused { .. } => "refused",
            Self::Parked { .. } => "parked",
            Self::Dropped { .. } => "dropped",
        }
    }
}

/// A handler of the shop that does not take what it is owed. What that is, the ledger knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreached {
    /// The endpoint that it belongs to.
    pub endpoint: EndpointId,
    /// Which of the endpoint's handlers.
    pub target: RelayTarget,
    /// What went wrong last, in English.
    pub why: String,
}

/// Notifications that a person wants relayed once more, or at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Which.
    pub which: Replayed,
    /// The name of the person's system account.
    pub by: String,
}

/// What is relayed once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replayed {
    /// One notification.
    One {
        /// Its number in the log.
        notification: Seq,
        /// To this handler; without it, to each that has not taken it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<RelayTarget>,
    },
    /// Those that came in between.
    Between {
        /// From this instant …
        from: Timestamp,
        /// … to before this one.
        to: Timestamp,
        /// Only those that were not delivered.
        failed: bool,
        /// Only those of this endpoint.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        endpoint: Option<EndpointId>,
    },
}
