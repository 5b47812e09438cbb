//! The statements that nearly every entry needs.

use std::cell::RefCell;

use rusqlite::{CachedStatement, Connection, Params, Row, Statement};

/// A connection that keeps its statements at hand, each under the place of its text in memory. [`Connection::prepare_cached`] hashes
/// the whole text and frees what was bound, at each use: that was a tenth of the fold's time.
pub(crate) struct Prepared<'c> {
    conn: &'c Connection,
    /// What was used last is at the end.
    idle: RefCell<Vec<(&'static str, CachedStatement<'c>)>>,
}

impl<'c> Prepared<'c> {
    pub(crate) const fn new(conn: &'c Connection) -> Self {
        Self { conn, idle: RefCell::new(Vec::new()) }
    }

    /// For statements that few entries need.
    pub(crate) const fn connection(&self) -> &'c Connection {
        self.conn
    }

    /// Changes rows.
    pub(crate) fn execute(&self, sql: &'static str, parameters: impl Params) -> rusqlite::Result<()> {
        self.with(sql, |statement| statement.execute(parameters).map(drop))
    }

    /// The first row of an answer, if it has one.
    pub(crate) fn first<T>(
        &self,
        sql: &'static str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        self.with(sql, |statement| statement.query(parameters)?.next()?.map(read).transpose())
    }

    /// All rows of an answer.
    pub(crate) fn all<T>(
        &self,
        sql: &'static str,
        parameters: impl Params,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.with(sql, |statement| {
            let mut rows = statement.query(parameters)?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                all.push(read(row)?);
            }
            Ok(all)
        })
    }

    /// The number of the row that was inserted last.
    pub(crate) fn last_insert_rowid(&self) -> i64 {
        self.conn.last_insert_rowid()
    }

    fn with<T>(
        &self,
        sql: &'static str,
        work: impl FnOnce(&mut Statement<'c>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let known = {
            let mut idle = self.idle.borrow_mut();
            let place = idle.iter().rposition(|(known, _)| std::ptr::eq(*known, sql));
            place.map(|place| idle.swap_remove(place).1)
        };
        let mut statement = match known {
            Some(statement) => statement,
            None => self.conn.prepare_cached(sql)?,
        };
        let done = work(&mut statement)?;
        self.idle.borrow_mut().push((sql, statement));
        Ok(done)
    }
}
