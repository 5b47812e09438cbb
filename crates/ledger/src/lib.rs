//! The ledger: what the log amounts to.
//!
//! It is a pure fold: [`Ledger::apply`] takes the log's entries in order, and the state that it leaves depends on them
//! and on nothing else. There is no clock here; deadlines come due when an entry's date has passed them. So the file can
//! be thrown away and made again, and two machines with one log have the same ledger, row for row.
//!
//! | module | holds |
//! |---|---|
//! | [`ledger`] | [`Ledger`]: the file, applied to group by group; entries that cannot be folded are set aside |
//! | [`fold`] | what each kind of entry does; deadlines (`fold/time`); clocks that were wrong (`fold/clock`) |
//! | [`tables`] | orders, facts, records, discrepancies, questions, statements: one file for each, and SQL nowhere else above |
//! | [`close`] | what is due to be booked, numbers, letters, manifests |
//! | [`owed`] | what people are owed, by e-mail and on channels; when it is told (`owed/plan`), and what became of it |
//! | [`read`] | [`Reader`]: queries of people and workers, on connections of their own |
//! | [`proof`] | `verify` and `rebuild` |

mod close;
mod error;
mod fold;
mod ledger;
mod owed;
mod proof;
mod read;
mod schema;
mod tables;
#[cfg(test)]
mod tests;

pub use close::Obstacle;
pub use error::LedgerError;
pub use fold::Verdict;
pub use ledger::{FOLD_VERSION, Ledger, Position, question_key, relay_key};
pub use owed::{Class, DueAnchor, DueMail, DueWeek, Pace, QueuedMail, QuietHours};
pub use proof::{Anchor, AnchorError, Flaw, Phase, Progress, Proof, Rebuilt, Yardstick, rebuild, verify};
pub use read::{
    Acted, Aged, AwaitedOrder, Backlog, Balance, BookedLine, COUNTED, ClosedMonth, DayTakings,
    DiscrepancyFilter, DiscrepancyRow, Dossier, EntryRange, Extract, Flow, Found, Heard, ImportedRow,
    InOtherCurrency, LineRow, Mailed, NoPlace, Open, OpenNow, OrderRow, OrderStanding, OrderStory, PaidOut,
    PaymentCount, PaymentFilter, PaymentRow, PaymentSort, PaymentSum, PendingQuestion, Piece, Place, Pulse,
    QuestionLine, Reader, RecordFilter, RecordRow, RefusedCall, RefusedCalls, Registered, RelayFilter,
    RelayPlace, RelayRow, RelayState, ReportRange, Reported, Sought, StatementPlace, StoryLine,
    StrandedQuestion, Takings, TenderRow, UnheardOrder, Unsettled, WORKED, WeekCounts, Whether, WorkCount,
    WorkFilter, WorkPlace,
};
pub use schema::refuse_unreleased;
pub use tables::{LineCount, PendingRelay, Rejected, RelayPart, Restated, SetAside, ToldUnreached};
