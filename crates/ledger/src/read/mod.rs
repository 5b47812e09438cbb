//! Reading the ledger: for the command line, the orders API and the alerts. Readers open the file for
//! themselves and never hinder the writer.

mod discrepancies;
mod dossier;
mod entries;
mod figures;
mod months;
mod payments;
#[cfg(test)]
mod plans;
mod questions;
mod records;
mod refusals;
mod relays;
mod reports;
mod search;
mod story;
mod takings;
mod watch;
mod weeks;
mod worklist;

use std::path::Path;

use cvco_domain::{
    Day, DiscrepancyId, EndpointId, Identity, Period, Policy, Seq, Statement, StatementLine, Timestamp, Way,
};
use cvco_log::entry::OrderRegistration;
use rusqlite::Connection;

pub use discrepancies::{DiscrepancyFilter, DiscrepancyRow};
pub use dossier::{Acted, BookedLine, Dossier, Mailed, PaidOut, Registered, Reported};
pub use entries::EntryRange;
pub use figures::{Balance, DayTakings, OpenNow, Pulse, Unsettled};
pub use months::{Aged, ClosedMonth, ImportedRow, LineRow, StatementPlace};
pub use payments::{
    AwaitedOrder, COUNTED, NoPlace, OrderRow, OrderStanding, PaymentCount, PaymentFilter, PaymentRow,
    PaymentSort, PaymentSum, Piece, Place,
};
pub use questions::{PendingQuestion, QuestionLine, StrandedQuestion, UnheardOrder};
pub use records::{RecordFilter, RecordRow, TenderRow};
pub use refusals::{RefusedCall, RefusedCalls};
pub use relays::{RelayFilter, RelayPlace, RelayRow, RelayState};
pub use reports::ReportRange;
pub use search::{Found, Sought};
pub use story::{OrderStory, StoryLine};
pub use takings::{Flow, Takings};
pub use watch::{Backlog, Heard, Open};
pub use weeks::{InOtherCurrency, WeekCounts};
pub use worklist::{WORKED, Whether, WorkCount, WorkFilter, WorkPlace};

use crate::tables::prepared::Prepared;
use crate::tables::statements::{Fresh, News, Restated};
use crate::tables::{
    LineCount, SetAside, ToldUnreached, notifications, orders, progress, set_aside, statements,
};
use crate::{DueAnchor, DueMail, DueWeek, LedgerError, Pace, PendingRelay, QueuedMail, close, owed, schema};

/// What accountants take away, as one connection sees the ledger.
#[derive(Clone, Copy)]
pub struct Extract<'c> {
    pub(crate) conn: &'c Connection,
}

impl<'c> Extract<'c> {
    pub(crate) const fn new(conn: &'c Connection) -> Self {
        Self { conn }
    }
}

/// A connection that only reads.
pub struct Reader {
    conn: Connection,
    files: cvco_log::sqlite::Identity,
}

impl Reader {
    /// Opens the ledger for reading.
    ///
    /// # Errors
    /// There is no ledger, or it is of another version.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self { conn: schema::open_for_reading(path)?, files: schema::identity(path)? })
    }

    /// Copies the ledger as it is at one moment to a file that is not there yet. Its daemon goes on meanwhile.
    ///
    /// # Errors
    /// The copy cannot be written, or SQLite's own.
    pub fn copy_to(&self, target: &Path) -> Result<(), LedgerError> {
        schema::create_with_mode(target)?;
        let mut copy = Connection::open(target)?;
        schema::copy_into(&self.conn, &mut copy)?;
        Ok(copy.close().map_err(|(_, error)| error)?)
    }

    /// Whether the file at the path is still the one that is open; if not, the reader sees the past.
    #[must_use]
    pub fn is_at(&self, path: &Path) -> bool {
        self.files.has_main_file_at(path)
    }

    /// What accountants take away, all of one moment: the daemon goes on writing meanwhile.
    ///
    /// # Errors
    /// SQLite's own, or that of `take`.
    pub fn extract<T, E: From<LedgerError>>(
        &self,
        take: impl FnOnce(Extract<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let snapshot = self.conn.unchecked_transaction().map_err(LedgerError::from)?;
        take(Extract { conn: &snapshot })
    }

    /// How far the log was folded, and the date of that entry.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn folded(&self) -> Result<(Seq, Timestamp), LedgerError> {
        let progress = progress::read(&self.conn)?;
        Ok((progress.seq, progress.at))
    }

    /// The settings in force; `None` if the log never named any.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn policy_in_force(&self) -> Result<Option<Policy>, LedgerError> {
        let progress = progress::read(&self.conn)?;
        Ok((progress.seq > Seq::ZERO).then_some(progress.policy))
    }

    /// Whether the ledger knows an order just as it is registered here.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn is_current(&self, order: &OrderRegistration) -> Result<bool, LedgerError> {
        match orders::find_by_reference(&Prepared::new(&self.conn), &order.shop, order.reference.as_str())? {
            Some(order_id) => orders::is_current(&self.conn, order_id, order),
            None => Ok(false),
        }
    }

    /// Whether a registration changes nothing of what is registered but to raise the total, or is the first.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn only_raises(&self, order: &OrderRegistration) -> Result<bool, LedgerError> {
        let Some(order_id) =
            orders::find_by_reference(&Prepared::new(&self.conn), &order.shop, order.reference.as_str())?
        else {
            return Ok(true);
        };
        let Some(total) = orders::current_total(&self.conn, order_id)? else { return Ok(true) };
        let as_it_was = OrderRegistration { total, ..order.clone() };
        Ok(order.total >= total && orders::is_current(&self.conn, order_id, &as_it_was)?)
    }

    /// How many entries of the log are set aside.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn set_aside(&self) -> Result<i64, LedgerError> {
        set_aside::count(&self.conn)
    }

    /// The entries that are set aside, the latest first.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn unread(&self, after: Seq, at_most: u32) -> Result<Vec<Seq>, LedgerError> {
        set_aside::unread(&self.conn, after, at_most)
    }

    /// The entries that are set aside, the latest first; those before a number, if one is given.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn latest_set_aside(&self, before: Option<Seq>, at_most: u32) -> Result<Vec<SetAside>, LedgerError> {
        set_aside::latest(&self.conn, before, at_most)
    }

    /// Whether a call told nothing that was not known.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn is_duplicate(&self, seq: Seq) -> Result<bool, LedgerError> {
        notifications::is_duplicate(&self.conn, seq)
    }

    /// Whether an endpoint has taken a call with just these bytes, of which this is the SHA-256 in hexadecimal.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn has_payload(&self, endpoint: &EndpointId, sha256: &str) -> Result<bool, LedgerError> {
        notifications::has_payload(&self.conn, endpoint, sha256)
    }

    /// How many lines the ledger has of a statement; none of one that it does not know.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn statement_lines(&self, statement: &Statement) -> Result<LineCount, LedgerError> {
        statements::count(&self.conn, &statement.shop, statement.issuer, &statement.number)
    }

    /// The lines of a statement that belong to no payment that is known.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn unknown_lines(&self, statement: &Statement) -> Result<Vec<StatementLine>, LedgerError> {
        statements::unknown_lines(&self.conn, &statement.shop, statement.issuer, &statement.number)
    }

    /// Whether a file of statements was imported, under whatever name; its SHA-256 in hexadecimal tells.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn is_statement_file_known(&self, file_sha256: &str) -> Result<bool, LedgerError> {
        statements::is_known(&self.conn, file_sha256)
    }

    /// The first month that is not closed, if anything is known of it or of an earlier one.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn first_open(&self) -> Result<Option<Period>, LedgerError> {
        close::first_open(&self.conn)
    }

    /// Banks number their statements from 1 again each January: one whose number is known of another year gets its own
    /// year's, as `12/2027`.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn tell_years_apart(&self, statement: &mut Statement) -> Result<(), LedgerError> {
        if let Some(number) = statements::number_of_its_year(&self.conn, statement)? {
            statement.number = number;
        }
        Ok(())
    }

    /// The day with which a statement of this number is known, if it is another one: then it cannot be taken.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn known_with_another_day(&self, statement: &Statement) -> Result<Option<Day>, LedgerError> {
        Ok(match statements::news(&self.conn, statement)? {
            News::Contradiction { known } => Some(known),
            News::Fresh(_) => None,
        })
    }

    /// How many commissions a statement corrects: those of lines that are known, and that of the whole.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn commissions_corrected_by(&self, statement: &Statement) -> Result<usize, LedgerError> {
        Ok(match statements::news(&self.conn, statement)? {
            News::Fresh(Fresh { corrected, total, .. }) => {
                corrected.len().saturating_add(usize::from(total.is_some()))
            }
            News::Contradiction { .. } => 0,
        })
    }

    /// Lines of a statement that name the same payment as a known line of it that is not among them, with another amount.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn restated_in(&self, statement: &Statement) -> Result<Vec<Restated>, LedgerError> {
        Ok(match statements::news(&self.conn, statement)? {
            News::Fresh(Fresh { restated, .. }) => restated,
            News::Contradiction { .. } => Vec::new(),
        })
    }

    /// Why an entry that was folded changed nothing; `None` if the rules allowed it.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn refusal(&self, seq: Seq) -> Result<Option<String>, LedgerError> {
        set_aside::refusal(&self.conn, seq)
    }

    /// Why a period could not be closed today; `None` if it could.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn obstacle_to_close(
        &self,
        period: Period,
        today: Day,
    ) -> Result<Option<close::Obstacle>, LedgerError> {
        close::obstacle(&self.conn, period, today)
    }

    /// What makes a discrepancy the one that it is, and whether it is open.
    ///
    /// # Errors
    /// There is no such discrepancy, or SQLite's own.
    pub fn identity(&self, id: DiscrepancyId) -> Result<(Identity, bool), LedgerError> {
        crate::tables::acts::identity(&self.conn, id)?.ok_or(LedgerError::NoDiscrepancy(id.get()))
    }

    /// The next message about discrepancies to be sent on a way, if one is owed and due.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn next_mail(&self, now: Timestamp, way: &Way, pace: &Pace) -> Result<Option<DueMail>, LedgerError> {
        owed::next_mail(&self.conn, now, way, pace)
    }

    /// The next anchor to be mailed, if there is one.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn next_anchor(&self, now: Timestamp) -> Result<Option<DueAnchor>, LedgerError> {
        owed::next_anchor(&self.conn, now)
    }

    /// The week to be summed up by e-mail, if there is one.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn next_week(&self, now: Timestamp) -> Result<Option<DueWeek>, LedgerError> {
        owed::next_week(&self.conn, now)
    }

    /// When a message that waits for time may leave on a way; `None` if none does.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn next_departure(
        &self,
        now: Timestamp,
        way: &Way,
        pace: &Pace,
    ) -> Result<Option<Timestamp>, LedgerError> {
        owed::next_departure(&self.conn, now, way, pace)
    }

    /// What has not left yet, on any way.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn queue(&self) -> Result<Vec<QueuedMail>, LedgerError> {
        owed::queue(&self.conn)
    }

    /// What handlers of shops wait for, oldest first.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn pending_relays(&self) -> Result<Vec<PendingRelay>, LedgerError> {
        crate::tables::relays::pending(&self.conn)
    }

    /// The handlers of shops of which a person knows that they do not take their calls.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn told_unreached(&self) -> Result<Vec<ToldUnreached>, LedgerError> {
        crate::tables::discrepancies::told_unreached(&self.conn)
    }

    /// How often something that is owed was tried.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn attempts(&self, what: &str) -> Result<u32, LedgerError> {
        Ok(crate::tables::attempts::of(&self.conn, what)?.map_or(0, |(attempts, _)| attempts))
    }

    /// How many e-mails wait to be sent, and the last error of one that failed, if any did.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn mails_waiting(&self) -> Result<(i64, Option<String>), LedgerError> {
        owed::waiting(&self.conn)
    }
}
