//! Accounting days and months: dates in Paris.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

use super::{Timestamp, Worded};

/// A date in Paris, `2026-03-31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(NaiveDate);

/// A month, `2026-03`: what is closed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    year: i32,
    month: u32,
}

/// Why a text is not a date, or not a month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {}", if *is_month { "a month such as 2026-03" } else { "a date such as 2026-03-31" })]
pub struct DateError {
    text: String,
    is_month: bool,
}

impl DateError {
    fn new(text: &str, is_month: bool) -> Self {
        Self { text: text.chars().take(40).collect(), is_month }
    }
}

impl Worded for DateError {
    fn in_french(&self) -> String {
        let expected = if self.is_month { "un mois comme 2026-03" } else { "une date comme 2026-03-31" };
        format!("«\u{a0}{}\u{a0}» n’est pas {expected}", self.text)
    }
}

impl Day {
    /// The day of a calendar date, if there is one in the years 1900 to 2099 (beyond, the tax authority's test of a
    /// FEC finds a date unlikely).
    #[must_use]
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).and_then(Self::likely)
    }

    pub(super) fn likely(date: NaiveDate) -> Option<Self> {
        Some(Self(date)).filter(|day| day.is_likely())
    }

    /// The date, or the nearest that a day can have: what is written can be read back.
    pub(super) fn of(date: NaiveDate) -> Self {
        let edge = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap_or(date);
        Self(date.clamp(edge(1900, 1, 1), edge(2099, 12, 31)))
    }

    fn is_likely(self) -> bool {
        (1900..=2099).contains(&self.0.year())
    }

    /// The month that it belongs to.
    #[must_use]
    pub fn period(self) -> Period {
        Period { year: self.0.year(), month: self.0.month() }
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// Year, month and day of the month.
    #[must_use]
    pub fn parts(self) -> (i32, u32, u32) {
        (self.0.year(), self.0.month(), self.0.day())
    }

    /// The day after; the last day that there is comes after itself.
    #[must_use]
    pub fn next(self) -> Self {
        self.0.succ_opt().and_then(Self::likely).unwrap_or(self)
    }

    /// So many days later, or earlier.
    #[must_use]
    pub fn plus(self, days: i64) -> Self {
        self.0.checked_add_signed(TimeDelta::days(days)).map_or(self, Self::of)
    }

    /// Days from another day to this one; negative if that is later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        self.0.signed_duration_since(earlier.0).num_days()
    }

    /// The day of the week, from Monday on: 0 to 6.
    #[must_use]
    pub fn weekday(self) -> usize {
        usize::try_from(self.0.weekday().num_days_from_monday()).unwrap_or_default()
    }

    /// Its first instant: midnight in Paris.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_paris(self.parts(), (0, 0, 0)).unwrap_or_else(|| Timestamp::from_millis(0))
    }

    /// As a FEC has it, `20260331`.
    #[must_use]
    pub fn compact(self) -> String {
        let (year, month, day) = self.parts();
        format!("{year:04}{month:02}{day:02}")
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Day {
    type Err = DateError;
    fn from_str(text: &str) -> Result<Self, DateError> {
        let wrong = || DateError::new(text, false);
        if text.len() != 10 {
            return Err(wrong());
        }
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(Self::likely).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Day {
    type Error = DateError;
    fn try_from(text: String) -> Result<Self, DateError> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl Period {
    /// Its first day.
    #[must_use]
    pub fn first(self) -> Day {
        Day(NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or_default())
    }

    /// Its last day.
    #[must_use]
    pub fn last(self) -> Day {
        self.next().first().plus(-1)
    }

    /// The month after.
    #[must_use]
    pub const fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year.saturating_add(1), month: 1 },
            month => Self { year: self.year, month: month.saturating_add(1) },
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Period {
    type Err = DateError;
    fn from_str(text: &str) -> Result<Self, DateError> {
        let day = if text.len() == 7 { format!("{text}-01").parse::<Day>().ok() } else { None };
        day.map(Day::period).ok_or_else(|| DateError::new(text, true))
    }
}

impl TryFrom<String> for Period {
    type Error = DateError;
    fn try_from(text: String) -> Result<Self, DateError> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_an_instant_is_its_day_can_be_read_back() {
        for text in
            ["0001-01-01T00:00:00Z", "1899-12-31T12:00:00Z", "2099-12-31T23:30:00Z", "9999-12-31T23:59:59Z"]
        {
            let day = Timestamp::parse(text).expect("an instant").paris_day();
            for day in [day, day.next(), day.plus(1), day.plus(-1), day.plus(i64::from(i32::MAX))] {
                assert_eq!(day.to_string().parse(), Ok(day), "{text}");
            }
        }
    }

    #[test]
    fn a_date_is_one_of_the_calendar() {
        for wrong in ["2026-02-31", "2026-13-01", "2026-2-1", "20260301", "", "1026-01-01", "+026-01-01"] {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
        let day: Day = "2028-02-29".parse().expect("a leap day");
        assert_eq!((day.to_string().as_str(), day.compact().as_str()), ("2028-02-29", "20280229"));
        assert_eq!(day.next().to_string(), "2028-03-01");
    }

    #[test]
    fn a_month_has_a_first_and_a_last_day() {
        let month: Period = "2026-12".parse().expect("a month");
        assert_eq!(
            (month.first().to_string(), month.last().to_string()),
            ("2026-12-01".into(), "2026-12-31".into())
        );
        assert_eq!(month.next().to_string(), "2027-01");
        for wrong in ["2026", "2026-13", "2026-1", "2026-001"] {
            assert!(wrong.parse::<Period>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_in_paris() {
        let day: Day = "2027-01-01".parse().expect("a day");
        assert_eq!(day.start().to_string(), "2026-12-31T23:00:00.000Z");
        assert_eq!(day.start().paris_day(), day);
    }
}
