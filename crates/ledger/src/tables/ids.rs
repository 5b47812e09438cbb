//! The ledger's own numbers of rows: given in the order of the fold, and never seen by people.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

macro_rules! row_id {
    ($($(#[$doc:meta])* $name:ident),*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub(crate) struct $name(i64);

            impl $name {
                pub(crate) const fn new(id: i64) -> Self {
                    Self(id)
                }

            }

            impl ToSql for $name {
                fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                    Ok(self.0.into())
                }
            }

            impl FromSql for $name {
                fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                    i64::column_result(value).map(Self)
                }
            }
        )*
    };
}

row_id!(
    /// A row of `orders`.
    OrderId,
    /// A row of `statements`.
    StatementId
);

impl OrderId {
    pub(crate) const fn get(self) -> i64 {
        self.0
    }
}
