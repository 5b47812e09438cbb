//! Domain types as columns of SQLite, so that a row is read and checked in one step. For the rooms that hold SQL; here,
//! because only the crate of a type may do this for it.

use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::{
    AmountFrom, AuthorisationNumber, Brand, CallNumber, Cents, Contract, Currency, Day, Detail,
    DiscrepancyId, EndpointId, ExpectedFrom, Instrument, Issuer, Kind, Mode, News, OrderRef, Psp,
    RecordState, RelayTarget, Reminder, ReportedState, Seq, Severity, ShopId, Source, StatementNumber,
    StatusReading, Subject, TenderId, TenderState, Timestamp, Topic, Way,
};

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

impl ToSql for Day {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

impl ToSql for Cents {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.get().into())
    }
}

impl FromSql for Cents {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self::new)
    }
}

fn other<E: std::error::Error + Send + Sync + 'static>(error: E) -> FromSqlError {
    FromSqlError::Other(Box::new(error))
}

macro_rules! checked_text {
    ($($name:ident),*) => {
        $(impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Self::try_from(String::column_result(value)?).map_err(other)
            }
        })*
    };
}

checked_text!(
    AuthorisationNumber,
    Brand,
    CallNumber,
    Contract,
    Currency,
    EndpointId,
    OrderRef,
    RelayTarget,
    ShopId,
    StatementNumber,
    Subject,
    TenderId,
    Way
);

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).map_err(other)
    }
}

macro_rules! words {
    ($($name:ident),*) => {
        $(impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Self::from_str(value.as_str()?).map_err(other)
            }
        })*
    };
}

words!(
    AmountFrom,
    Day,
    ExpectedFrom,
    Instrument,
    Issuer,
    Kind,
    Mode,
    News,
    Psp,
    RecordState,
    Reminder,
    ReportedState,
    Severity,
    Source,
    StatusReading,
    TenderState,
    Topic
);

macro_rules! numbers {
    ($($name:ident),*) => {
        $(
            impl ToSql for $name {
                fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                    Ok(self.get().into())
                }
            }

            impl FromSql for $name {
                fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                    i64::column_result(value).map(Self::new)
                }
            }
        )*
    };
}

numbers!(DiscrepancyId, Seq);

impl ToSql for Detail {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let json = serde_json::to_string(self);
        json.map(Into::into).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
    }
}

impl FromSql for Detail {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map_err(other)
    }
}
