//! An order's rows of one table, brought into line with those of a new assessment: what stays as it is is not written, and
//! where no indexed column changes, no index is.

use std::cmp::Ordering;

use rusqlite::Row;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

use super::ids::OrderId;
use super::prepared::Prepared;

/// A table whose key begins with the order, and its statements. They bind a whole row, with its columns in this order: the
/// key, what is indexed beside it, the others.
pub(crate) struct OrderTable {
    keys: usize,
    indexed: usize,
    select: String,
    insert: String,
    update: String,
    update_others: String,
    delete: String,
}

impl OrderTable {
    pub(crate) fn new(table: &str, key: &[&str], indexed: &[&str], others: &[&str]) -> Self {
        let columns = [key, indexed, others].concat();
        let marks: Vec<_> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
        let equations = |range: std::ops::Range<usize>, between: &str| {
            let pairs = columns.iter().zip(&marks).skip(range.start).take(range.len());
            pairs.map(|(column, mark)| format!("{column} = {mark}")).collect::<Vec<_>>().join(between)
        };
        let is_row = equations(0..key.len(), " AND ");
        let update =
            |from| format!("UPDATE {table} SET {} WHERE {is_row}", equations(from..columns.len(), ", "));
        let list = columns.join(", ");
        Self {
            keys: key.len(),
            indexed: indexed.len(),
            select: format!("SELECT {list} FROM {table} WHERE order_id = ?1"),
            insert: format!("INSERT INTO {table} ({list}) VALUES ({})", marks.join(", ")),
            update: update(key.len()),
            update_others: update(key.len().saturating_add(indexed.len())),
            delete: format!("DELETE FROM {table} WHERE {is_row}"),
        }
    }
}

/// What is to be done to the rows of one order.
pub(crate) struct Changes<'r, const N: usize> {
    table: &'static OrderTable,
    /// The keys of stored rows that no new one takes the place of.
    gone: Vec<Vec<Value>>,
    to_write: Vec<(&'static str, &'r [ToSqlOutput<'r>; N])>,
}

impl<'r, const N: usize> Changes<'r, N> {
    /// For an order that has no rows yet.
    pub(crate) fn to_nothing(table: &'static OrderTable, rows: &'r [[ToSqlOutput<'r>; N]]) -> Self {
        let to_write = rows.iter().map(|row| (table.insert.as_str(), row)).collect();
        Self { table, gone: Vec::new(), to_write }
    }

    /// For the rows that an order has.
    pub(crate) fn to_stored(
        db: &Prepared<'_>,
        table: &'static OrderTable,
        order_id: OrderId,
        rows: &'r mut [[ToSqlOutput<'r>; N]],
    ) -> rusqlite::Result<Self> {
        // One reference may have hundreds of payments: no stored row is compared with each new one.
        rows.sort_unstable_by(|one, other| {
            order(one.iter().zip(other).take(table.keys).map(|(one, other)| (value(one), value(other))))
        });
        let rows = &*rows;
        let mut is_stored = vec![false; rows.len()];
        let mut changes = Self { table, gone: Vec::new(), to_write: Vec::new() };
        db.all(&table.select, [order_id], |stored| {
            let place = rows.binary_search_by(|row| {
                let keys = row.iter().enumerate().take(table.keys);
                order(keys.map(|(column, new)| (value(new), stored.get_ref(column).ok())))
            });
            let known = place.ok().and_then(|place| Some((rows.get(place)?, is_stored.get_mut(place)?)));
            let Some((row, is_stored)) = known else {
                let key = (0..table.keys).map(|column| stored.get(column)).collect::<Result<_, _>>()?;
                changes.gone.push(key);
                return Ok(());
            };
            *is_stored = true;
            let others = table.keys.saturating_add(table.indexed);
            if !same(stored, row, table.keys, others) {
                changes.to_write.push((&table.update, row));
            } else if !same(stored, row, others, N) {
                changes.to_write.push((&table.update_others, row));
            }
            Ok(())
        })?;
        let missing = rows.iter().zip(is_stored).filter(|(_, is_stored)| !is_stored);
        changes.to_write.extend(missing.map(|(row, _)| (table.insert.as_str(), row)));
        Ok(changes)
    }

    pub(crate) fn delete_gone(&self, db: &Prepared<'_>) -> rusqlite::Result<()> {
        self.gone.iter().try_for_each(|key| db.execute(&self.table.delete, rusqlite::params_from_iter(key)))
    }

    pub(crate) fn write(&self, db: &Prepared<'_>) -> rusqlite::Result<()> {
        self.to_write
            .iter()
            .try_for_each(|(sql, row)| db.execute(sql, rusqlite::params_from_iter(row.iter())))
    }
}

/// Whether a stored row has the values of a new one in the columns `from` to `until`, without the last.
fn same(stored: &Row<'_>, row: &[ToSqlOutput<'_>], from: usize, until: usize) -> bool {
    let mut columns = row.iter().enumerate().take(until).skip(from);
    columns.all(|(column, new)| stored.get_ref(column).ok() == value(new))
}

/// What is bound; `None` for what only the database could make.
fn value<'v>(bound: &'v ToSqlOutput<'_>) -> Option<ValueRef<'v>> {
    match bound {
        ToSqlOutput::Borrowed(value) => Some(*value),
        ToSqlOutput::Owned(value) => Some(value.into()),
        _ => None,
    }
}

/// The order of two keys, column by column: numbers and texts.
fn order<'v>(columns: impl Iterator<Item = (Option<ValueRef<'v>>, Option<ValueRef<'v>>)>) -> Ordering {
    let orders = columns.map(|pair| match pair {
        (Some(ValueRef::Integer(one)), Some(ValueRef::Integer(other))) => one.cmp(&other),
        (Some(ValueRef::Text(one)), Some(ValueRef::Text(other))) => one.cmp(other),
        _ => Ordering::Equal,
    });
    orders.fold(Ordering::Equal, Ordering::then)
}
