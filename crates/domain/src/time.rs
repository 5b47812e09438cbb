//! Instants. The one module, with the clock, that knows the time library.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Timelike, Utc};
use chrono_tz::Europe::Paris;
use serde::{Deserialize, Serialize};

use super::Day;

/// An instant in UTC, to the millisecond. Its text always has the same width
/// (`2026-03-01T13:05:09.000Z`), so that text order is time order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(DateTime<Utc>);

/// Why a text is not an instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a date and time ({expected})")]
pub struct TimeError {
    text: String,
    expected: &'static str,
}

const RFC_3339: &str = "RFC 3339, for instance 2026-03-01T13:05:09Z";

impl Timestamp {
    /// From milliseconds since 1970, UTC; values outside the years 1970 to 9999 are brought back to the nearest.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        const LAST: i64 = 253_402_300_799_999;
        Self(Utc.timestamp_millis_opt(millis.clamp(0, LAST)).single().unwrap_or_default())
    }

    /// Milliseconds since 1970, UTC.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// Reads RFC 3339 with any offset.
    ///
    /// # Errors
    /// Any other form.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        DateTime::parse_from_rfc3339(text)
            .map(|at| Self::from_millis(at.timestamp_millis()))
            .map_err(|_| TimeError { text: text.chars().take(40).collect(), expected: RFC_3339 })
    }

    /// Reads a day, from its midnight in Paris on, or an instant in RFC 3339.
    ///
    /// # Errors
    /// Any other form.
    pub fn parse_since(text: &str) -> Result<Self, TimeError> {
        let expected = "2026-03-01, or RFC 3339 as 2026-03-01T13:05:09Z";
        let wrong = || TimeError { text: text.chars().take(40).collect(), expected };
        let Ok(day) = text.parse::<NaiveDate>() else { return Self::parse(text).map_err(|_| wrong()) };
        let date = (day.year(), day.month(), day.day());
        Self::from_paris(date, (0, 0, 0)).ok_or_else(wrong)
    }

    /// Reads `YYYYMMDDHHMMSS` in UTC (Sogecommerce's `n14`).
    ///
    /// # Errors
    /// Any other form, and dates that do not exist.
    pub fn parse_n14(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError { text: text.chars().take(40).collect(), expected: "YYYYMMDDHHMMSS" };
        if text.len() != 14 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%S")
            .map(|at| Self::from_millis(at.and_utc().timestamp_millis()))
            .map_err(|_| wrong())
    }

    /// The instant at which a clock in Paris shows this date and time. Of the two instants of an autumn
    /// night the earlier one is taken; a time that spring skips is moved forward by the hour skipped.
    #[must_use]
    pub fn from_paris(date: (i32, u32, u32), time: (u32, u32, u32)) -> Option<Self> {
        let local = NaiveDate::from_ymd_opt(date.0, date.1, date.2)?.and_hms_opt(time.0, time.1, time.2)?;
        let instant = Paris.from_local_datetime(&local).earliest().or_else(|| {
            let later = local.checked_add_signed(chrono::TimeDelta::hours(1))?;
            Paris.from_local_datetime(&later).earliest()
        })?;
        Some(Self::from_millis(instant.timestamp_millis()))
    }

    /// The accounting day: the date in Paris.
    #[must_use]
    pub fn paris_day(self) -> Day {
        Day::of(self.0.with_timezone(&Paris).date_naive())
    }

    /// Hour, minute and second that a clock in Paris shows.
    #[must_use]
    pub fn paris_time(self) -> (u32, u32, u32) {
        let local = self.0.with_timezone(&Paris);
        (local.hour(), local.minute(), local.second())
    }

    /// The hour of the week in Paris, from Monday's midnight on: 0 to 167.
    #[must_use]
    pub fn paris_hour_of_week(self) -> usize {
        let local = self.0.with_timezone(&Paris);
        let hour = local.weekday().num_days_from_monday().saturating_mul(24).saturating_add(local.hour());
        usize::try_from(hour).unwrap_or_default()
    }

    /// The last midnight in Paris, at which the accounting day of this instant began.
    #[must_use]
    pub fn paris_midnight(self) -> Self {
        let day = self.0.with_timezone(&Paris).date_naive();
        Self::from_paris((day.year(), day.month(), day.day()), (0, 0, 0)).unwrap_or(self)
    }

    /// The next midnight in Paris, at which the next accounting day begins.
    #[must_use]
    pub fn next_paris_midnight(self) -> Self {
        let day = self.0.with_timezone(&Paris).date_naive();
        let next = day.succ_opt().unwrap_or(day);
        Self::from_paris((next.year(), next.month(), next.day()), (0, 0, 0)).unwrap_or(self)
    }

    /// Date and time for people in Paris, `01/03/2026 14:05`.
    #[must_use]
    pub fn paris_text(self) -> String {
        self.0.with_timezone(&Paris).format("%d/%m/%Y %H:%M").to_string()
    }

    /// This instant and a time span later.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.millis().saturating_add(span))
    }

    /// This instant less a time span.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.millis().saturating_sub(span))
    }

    /// The time from an earlier instant to this one; zero if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.millis().saturating_sub(earlier.millis());
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        Self::parse(&text)
    }
}

impl From<Timestamp> for String {
    fn from(at: Timestamp) -> Self {
        at.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_one_width() {
        let at = Timestamp::parse("2026-03-29T02:59:59.5+01:00").expect("valid");
        assert_eq!(at.to_string(), "2026-03-29T01:59:59.500Z");
        assert_eq!(Timestamp::parse(&at.to_string()), Ok(at));
    }

    #[test]
    fn paris_is_read_through_summer_time() {
        let at = |time| Timestamp::from_paris((2026, 3, 29), time).map(|t| t.to_string());
        assert_eq!(at((1, 59, 59)).as_deref(), Some("2026-03-29T00:59:59.000Z"));
        assert_eq!(at((2, 30, 0)).as_deref(), Some("2026-03-29T01:30:00.000Z"), "skipped hour");
        assert_eq!(at((3, 0, 0)).as_deref(), Some("2026-03-29T01:00:00.000Z"));
        assert_eq!(Timestamp::from_paris((2026, 2, 31), (0, 0, 0)), None);
    }

    #[test]
    fn the_accounting_day_is_that_of_paris() {
        let at = Timestamp::parse("2026-12-31T23:30:00Z").expect("valid");
        assert_eq!(at.paris_day().to_string(), "2027-01-01");
    }

    #[test]
    fn the_week_begins_on_monday_at_midnight_in_paris() {
        let at = |text| Timestamp::parse(text).expect("valid").paris_hour_of_week();
        assert_eq!(at("2026-03-01T22:59:59Z"), 167);
        assert_eq!(at("2026-03-01T23:00:00Z"), 0);
        assert_eq!(at("2026-07-05T22:00:00Z"), 0, "in summer an hour earlier");
    }

    #[test]
    fn a_day_begins_at_midnight_in_paris() {
        let midnight = |text| Timestamp::parse(text).expect("valid").paris_midnight().to_string();
        assert_eq!(midnight("2026-12-31T23:30:00Z"), "2026-12-31T23:00:00.000Z");
        assert_eq!(midnight("2026-03-29T21:59:59Z"), "2026-03-28T23:00:00.000Z", "a day of 23 hours");
        assert_eq!(midnight("2026-10-25T22:59:59Z"), "2026-10-24T22:00:00.000Z", "a day of 25 hours");
    }

    #[test]
    fn n14_is_utc_and_strict() {
        assert_eq!(
            Timestamp::parse_n14("20200408145600").map(|t| t.to_string()),
            Ok("2020-04-08T14:56:00.000Z".to_owned())
        );
        for wrong in ["", "20200431145600", "2020040814560", "2020-04-08T1456"] {
            assert!(Timestamp::parse_n14(wrong).is_err(), "{wrong}");
        }
    }
}
