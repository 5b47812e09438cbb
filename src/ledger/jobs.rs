//! Jobs for the writer: work inside a transaction that several share, each answered after the commit.

use cvco_domain::Timestamp;
use cvco_domain::crypto::SealKey;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::LedgerError;
use super::entry::Entry;
use super::fold::{Fold, Taken};
use super::payload::{self, Envelope};

/// What one job sees of the transaction that it shares with its group.
pub(super) struct Desk<'t> {
    pub(super) conn: &'t Connection,
    pub(super) fold: Fold<'t>,
    pub(super) seal_key: &'t SealKey,
}

impl Desk<'_> {
    /// Takes an entry, and keeps the bytes that carried it unless they are kept already.
    pub(super) fn keep(
        &mut self,
        at: Timestamp,
        entry: &Entry,
        envelope: Option<&Envelope>,
    ) -> Result<Taken, LedgerError> {
        let taken = self.fold.take(at, entry)?;
        if let (Taken::Written { seq, payload_known: false, .. }, Some(envelope)) = (&taken, envelope) {
            payload::keep(self.conn, self.seal_key, (*seq, self.fold.head().at), envelope)?;
        }
        Ok(taken)
    }
}

/// A job: work inside the transaction, and an answer after its commit.
pub(super) trait Job: Send {
    fn perform(&mut self, desk: &mut Desk<'_>) -> Result<(), JobFailed>;
    fn answer(self: Box<Self>, commit: Result<(), &LedgerError>);
}

/// The job's own part of the transaction is to be undone, or all of it.
pub(super) enum JobFailed {
    Alone,
    WithItsGroup(LedgerError),
}

struct Task<T, F> {
    work: Option<F>,
    outcome: Result<T, LedgerError>,
    reply: oneshot::Sender<Result<T, LedgerError>>,
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: FnOnce(&mut Desk<'_>) -> Result<T, LedgerError> + Send,
{
    fn perform(&mut self, desk: &mut Desk<'_>) -> Result<(), JobFailed> {
        let Some(work) = self.work.take() else { return Ok(()) };
        match work(desk) {
            Err(error) if ends_transaction(&error) => Err(JobFailed::WithItsGroup(error)),
            outcome => {
                let failed = outcome.is_err();
                self.outcome = outcome;
                if failed { Err(JobFailed::Alone) } else { Ok(()) }
            }
        }
    }

    fn answer(self: Box<Self>, commit: Result<(), &LedgerError>) {
        let answer = match commit {
            Ok(()) => self.outcome,
            Err(error) => Err(LedgerError::NotStored(error.to_string())),
        };
        // A caller that gave up waiting has no use for the answer; the work is done all the same.
        drop(self.reply.send(answer));
    }
}

/// A piece of work as a job, and where its answer comes.
pub(super) fn task<T, F>(work: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, LedgerError>>)
where
    T: Send + 'static,
    F: FnOnce(&mut Desk<'_>) -> Result<T, LedgerError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Task { work: Some(work), outcome: Err(LedgerError::Stopped), reply }), answer)
}

/// Errors after which SQLite may have rolled the whole transaction back by itself.
fn ends_transaction(error: &LedgerError) -> bool {
    let LedgerError::Sqlite(error) = error else { return false };
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
        )
    )
}
