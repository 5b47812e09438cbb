//! Instants. The one module, with the clock, that knows the time library.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeZone, Timelike, Utc};
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
        if let Some(at) = parse_own(text) {
            return Ok(at);
        }
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

    /// Whether a payment can have been made at it: from 2000 on, in the years that a [`Day`] can have.
    #[must_use]
    pub fn is_likely(self) -> bool {
        self.0.year() >= 2000 && Day::likely(self.0.with_timezone(&Paris).date_naive()).is_some()
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

    /// The first Monday after this instant at which a clock in Paris shows this full hour.
    #[must_use]
    pub fn next_paris_monday(self, hour: u32) -> Self {
        let today = self.0.with_timezone(&Paris).date_naive();
        let days = (0..=7).filter_map(|ahead| today.checked_add_days(chrono::Days::new(ahead)));
        days.filter(|day| day.weekday() == chrono::Weekday::Mon)
            .filter_map(|day| Self::from_paris((day.year(), day.month(), day.day()), (hour, 0, 0)))
            .find(|at| *at > self)
            .unwrap_or(self)
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

// Log and ledger hold several instants in each row, and read and write them tens of thousands of times a second: many times
// as fast as the time library does it for all forms of RFC 3339.

/// An instant in the one form that [`Timestamp`] itself writes; `None` for any other form.
fn parse_own(text: &str) -> Option<Timestamp> {
    let own: &[u8; 24] = text.as_bytes().try_into().ok()?;
    #[rustfmt::skip]
    let [
        y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2, b'.', t1, t2, t3, b'Z',
    ] = *own else { return None };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_u32, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
        })
    };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    let day = NaiveDate::from_ymd_opt(year, number(&[m1, m2])?, number(&[d1, d2])?)?;
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
    let at = day.and_hms_milli_opt(hour, minute, second, number(&[t1, t2, t3])?)?;
    (year >= 1970).then(|| Timestamp(at.and_utc()))
}

/// An instant in that form.
fn own_text(at: DateTime<Utc>) -> [u8; 24] {
    let digit = |number: u32, place: u32| b'0' + u8::try_from(number / place % 10).unwrap_or(0);
    let (year, millis) = (at.year().unsigned_abs(), at.timestamp_subsec_millis());
    // Each part of a date with a zone would be worked out from the zone again.
    let at = at.naive_utc();
    #[rustfmt::skip]
    let text = [
        digit(year, 1000), digit(year, 100), digit(year, 10), digit(year, 1), b'-',
        digit(at.month(), 10), digit(at.month(), 1), b'-', digit(at.day(), 10), digit(at.day(), 1), b'T',
        digit(at.hour(), 10), digit(at.hour(), 1), b':', digit(at.minute(), 10), digit(at.minute(), 1), b':',
        digit(at.second(), 10), digit(at.second(), 1), b'.',
        digit(millis, 100), digit(millis, 10), digit(millis, 1), b'Z',
    ];
    text
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&own_text(self.0)).map_err(|_| fmt::Error)?)
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

    /// What the time library makes of an instant.
    fn by_the_library(at: Timestamp) -> String {
        at.0.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    }

    #[test]
    fn every_day_is_written_and_read_as_the_time_library_does() {
        let day = 24 * 60 * 60 * 1000;
        // Each day until 2100, and then one in 97; at a time of its own.
        for n in (0..47_500_i64).chain((47_500..2_932_897).step_by(97)) {
            let at = Timestamp::from_millis(n * day + n * 7_919 % day);
            assert_eq!(at.to_string(), by_the_library(at));
            assert_eq!(parse_own(&at.to_string()), Some(at));
        }
    }

    #[test]
    fn what_is_no_date_is_read_as_the_time_library_does() {
        for text in [
            "2026-02-29T00:00:00.000Z",
            "2100-02-29T00:00:00.000Z",
            "2000-02-29T00:00:00.000Z",
            "2026-00-01T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-04-31T00:00:00.000Z",
            "2026-04-00T00:00:00.000Z",
            "2026-04-01T24:00:00.000Z",
            "2026-04-01T23:60:00.000Z",
            "2016-12-31T23:59:60.000Z",
            "2026-04-01T23:59:61.000Z",
            "1969-12-31T23:59:59.999Z",
            "1970-01-01T00:00:00.000Z",
            "9999-12-31T23:59:59.999Z",
            "2026-04-01 23:59:59.000Z",
            "2026-04-01T23:59:59,000Z",
            "2026-04-01T23:59:59.0000",
            "2026-04-01T23:59:5é.00Z",
            "+026-04-01T23:59:59.000Z",
            "2026-04-01T23:59:59.000z",
        ] {
            let library = DateTime::parse_from_rfc3339(text).ok();
            let library = library.map(|at| Timestamp::from_millis(at.timestamp_millis()));
            assert_eq!(Timestamp::parse(text).ok(), library, "{text}");
        }
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

    #[test]
    fn the_next_monday_morning_is_never_now() {
        for (from, next) in [
            ("2026-03-02T05:59:59Z", "2026-03-02T06:00:00Z"),
            ("2026-03-02T06:00:00Z", "2026-03-09T06:00:00Z"),
            ("2026-03-08T12:00:00Z", "2026-03-09T06:00:00Z"),
            // The clocks go forward in between.
            ("2026-03-24T12:00:00Z", "2026-03-30T05:00:00Z"),
        ] {
            let at = |text| Timestamp::parse(text).expect("an instant");
            assert_eq!(at(from).next_paris_monday(7), at(next), "{from}");
        }
    }
}
