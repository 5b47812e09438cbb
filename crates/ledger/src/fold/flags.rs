//! What would cost each entry a query, and rarely changes: read once for each transaction, and kept up to date in it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use cvco_domain::{Day, EndpointId, EndpointRef, Kind, Timestamp};
use rusqlite::Connection;

use super::Fold;
use crate::tables::discrepancies::Trouble;
use crate::tables::endpoints::Calls;
use crate::tables::{claims, discrepancies, questions, statements};
use crate::{LedgerError, close};

pub(super) struct Flags {
    /// No deadline lies before this instant; there need not be one at it.
    pub(super) no_deadline_before: Cell<Timestamp>,
    /// No midnight in Paris lies between the last entry and this instant.
    pub(super) next_midnight: Cell<Timestamp>,
    /// No week that is summed up ends between the last entry and this instant.
    pub(super) next_week: Cell<Timestamp>,
    /// There are lines of statements.
    pub(super) has_lines: Cell<bool>,
    /// Some of them belong to no payment.
    pub(super) has_unknown_lines: Cell<bool>,
    /// The last day of the last period that was closed.
    pub(super) closed_through: Cell<Option<Day>>,
    /// PSPs were asked something, ever.
    pub(super) has_questions: Cell<bool>,
    /// Some of them owe an answer too long.
    pub(super) has_overdue: Cell<bool>,
    /// Some payments are claimed by several orders.
    pub(super) has_claims: Cell<bool>,
    /// No other endpoint has an open discrepancy of its own.
    pub(super) troubled: RefCell<BTreeSet<EndpointId>>,
    /// Calls that are not written down yet.
    pub(super) calls: RefCell<Calls>,
}

impl Flags {
    pub(super) fn read(conn: &Connection) -> Result<Self, LedgerError> {
        let start = Timestamp::from_millis(0);
        let has_lines = statements::any(conn)?;
        Ok(Self {
            no_deadline_before: Cell::new(start),
            next_midnight: Cell::new(start),
            next_week: Cell::new(start),
            has_lines: Cell::new(has_lines),
            has_unknown_lines: Cell::new(has_lines && statements::any_unknown(conn)?),
            closed_through: Cell::new(close::closed_through(conn)?),
            has_questions: Cell::new(questions::any(conn)?),
            has_overdue: Cell::new(questions::any_overdue(conn)?),
            has_claims: Cell::new(claims::any(conn)?),
            troubled: RefCell::new(discrepancies::troubled_endpoints(conn)?),
            calls: RefCell::default(),
        })
    }
}

impl Fold<'_> {
    /// Opens the discrepancy of an endpoint, or brings the open one up to date.
    pub(super) fn open_of_endpoint(
        &self,
        endpoint: &EndpointRef,
        trouble: &Trouble<'_>,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        self.flags.troubled.borrow_mut().insert(endpoint.endpoint.clone());
        discrepancies::open_of_endpoint(self.conn, endpoint, trouble, at)
    }

    /// Closes the discrepancy of an endpoint, if it has one of this kind that time alone does not close.
    pub(super) fn close_of_endpoint(
        &self,
        endpoint: &EndpointId,
        kind: Kind,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        if self.is_troubled(endpoint) {
            discrepancies::close_of_endpoint(self.conn, endpoint, kind, at)?;
        }
        Ok(())
    }

    /// Whether an endpoint may have an open discrepancy of its own.
    pub(super) fn is_troubled(&self, endpoint: &EndpointId) -> bool {
        self.flags.troubled.borrow().contains(endpoint)
    }
}
