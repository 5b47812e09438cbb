//! How dates are written in files that others make.

use std::fmt::{self, Write};

use chrono::NaiveDate;
use chrono::format::{Item, Parsed, StrftimeItems};
use chrono_tz::Europe::Paris;

use super::{Day, Worded};

/// A pattern of `strftime` that tells every day from every other one: `%d/%m/%Y`. It may tell a time as well, which is
/// dropped; with an offset from UTC the day is the one in Paris.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatePattern(String);

/// Why a text is not a pattern for dates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a form of dates; write for instance \"%d/%m/%Y\", or \"%d/%m/%Y %H:%M:%S\" with a time"
)]
pub struct PatternError(String);

impl Worded for PatternError {
    fn in_french(&self) -> String {
        format!(
            "«\u{a0}{}\u{a0}» n’est pas une forme de date\u{a0}; écrivez par exemple «\u{a0}%d/%m/%Y\u{a0}», ou \
             «\u{a0}%d/%m/%Y %H:%M:%S\u{a0}» avec l’heure",
            self.0
        )
    }
}

impl DatePattern {
    /// Takes a pattern that reads back what it writes.
    ///
    /// # Errors
    /// It cannot be written or read, or it does not tell the year, the month and the day.
    pub fn new(text: impl Into<String>) -> Result<Self, PatternError> {
        let pattern = Self(text.into());
        let known = !StrftimeItems::new(&pattern.0).any(|item| item == Item::Error);
        let samples = [(2026, 3, 31), (2027, 11, 4)];
        let reads = |(year, month, day)| {
            let date = Day::new(year, month, day)?;
            (pattern.read(&pattern.written(date)?) == Some(date)).then_some(())
        };
        if known && samples.into_iter().all(|sample| reads(sample).is_some()) {
            Ok(pattern)
        } else {
            Err(PatternError(pattern.0.chars().take(80).collect()))
        }
    }

    /// A day at noon, as the pattern writes it; `None` if it cannot.
    #[must_use]
    pub fn written(&self, day: Day) -> Option<String> {
        let (year, month, date) = day.parts();
        let noon = NaiveDate::from_ymd_opt(year, month, date)?.and_hms_opt(12, 0, 0)?;
        let noon = noon.and_local_timezone(Paris).earliest()?.fixed_offset();
        let mut text = String::new();
        // `to_string` would panic where the pattern cannot be written.
        write!(text, "{}", noon.format(&self.0)).ok().map(|()| text)
    }

    /// The day that a text tells.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Day> {
        let mut parsed = Parsed::new();
        chrono::format::parse(&mut parsed, text, StrftimeItems::new(&self.0)).ok()?;
        let date = match parsed.to_datetime() {
            Ok(at) => at.with_timezone(&Paris).date_naive(),
            Err(_) => parsed.to_naive_date().ok()?,
        };
        Day::likely(date)
    }
}

impl fmt::Display for DatePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pattern: &str, text: &str) -> Option<String> {
        DatePattern::new(pattern).expect("a pattern").read(text).map(|day| day.to_string())
    }

    #[test]
    fn a_pattern_may_tell_a_time_which_is_dropped() {
        let day = Some("2026-11-28".to_owned());
        assert_eq!(read("%d/%m/%Y", "28/11/2026"), day);
        assert_eq!(read("%d/%m/%Y %H:%M:%S", "28/11/2026 10:15:27"), day);
        assert_eq!(read("%d/%m/%y %H:%M", "28/11/26 00:00"), day);
        assert_eq!(read("%Y-%m-%dT%H:%M:%S", "2026-11-28T10:15:27"), day);
        assert_eq!(
            read("%d/%m/%Y", "28/11/2026 10:15:27"),
            None,
            "what the pattern does not tell is not passed over"
        );
    }

    #[test]
    fn with_an_offset_the_day_is_the_one_in_paris() {
        for pattern in ["%+", "%Y-%m-%dT%H:%M:%S%:z"] {
            assert_eq!(
                read(pattern, "2026-11-28T23:30:00+00:00").as_deref(),
                Some("2026-11-29"),
                "{pattern}"
            );
        }
    }

    #[test]
    fn a_pattern_that_does_not_tell_the_day_is_none() {
        for wrong in ["", "%d/%m", "%Y-%m", "%H:%M", "%d/%m/2026", "%Q", "%", "31/03/2026", "%d/%m/%Y %"] {
            assert!(DatePattern::new(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_pattern_and_no_text_make_it_panic(pattern in "(%[-_0:#.3a-zA-Z+%]{1,3}|[ -~é]){0,8}", text in ".{0,30}") {
            if let Ok(pattern) = DatePattern::new(pattern) {
                prop_assert_eq!(pattern.read(&text), pattern.read(&text));
            }
        }
    }
}
