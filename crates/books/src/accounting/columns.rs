//! The words of entries as columns of SQLite, as `cvco_domain` has its own.

use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};

use super::{Leg, Movement};

macro_rules! words {
    ($($name:ident),*) => {
        $(impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Self::from_str(value.as_str()?).map_err(|error| FromSqlError::Other(Box::new(error)))
            }
        })*
    };
}

words!(Leg, Movement);
