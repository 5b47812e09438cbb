//! Dates as Monext writes them. The documentation and the samples show `dd/MM/yyyy HH:mm`, with and without
//! seconds, with two or four digits of the year, without a time, and `yyyy-MM-dd HH:mm:ss`; no zone is ever given, so
//! it is that of Paris, which Monext's own PHP library sets.

use cvco_domain::Timestamp;

/// Reads a date; none if it is empty or does not exist.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (day, time) = match text.split_once([' ', 'T']) {
        Some((day, time)) => (day, clock(time)?),
        None => (text, (0, 0, 0)),
    };
    Timestamp::from_paris(date(day)?, time)
}

fn date(text: &str) -> Option<(i32, u32, u32)> {
    if let [year, month, day] = *text.split('-').collect::<Vec<_>>() {
        return Some((number(year, 4)?.try_into().ok()?, number(month, 2)?, number(day, 2)?));
    }
    let [day, month, year] = *text.split('/').collect::<Vec<_>>() else { return None };
    let year = number(year, 4).or_else(|| Some(2000 + number(year, 2)?))?;
    Some((year.try_into().ok()?, number(month, 2)?, number(day, 2)?))
}

fn clock(text: &str) -> Option<(u32, u32, u32)> {
    match *text.split(':').collect::<Vec<_>>() {
        [hour, minute] => Some((number(hour, 2)?, number(minute, 2)?, 0)),
        [hour, minute, second] => Some((number(hour, 2)?, number(minute, 2)?, number(second, 2)?)),
        _ => None,
    }
}

fn number(text: &str, digits: usize) -> Option<u32> {
    let sound = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    if sound { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_that_was_seen_is_read_as_the_time_in_paris() {
        for (text, instant) in [
            ("12/12/2018 17:52", "2018-12-12T17:52:00+01:00"),
            ("01/03/2023 00:12:51", "2023-03-01T00:12:51+01:00"),
            ("06/12/23 16:44:20", "2023-12-06T16:44:20+01:00"),
            ("07/12/23 07:52", "2023-12-07T07:52:00+01:00"),
            ("07/12/2023", "2023-12-07T00:00:00+01:00"),
            ("2023-12-08 17:07:46", "2023-12-08T17:07:46+01:00"),
            ("15/07/2026 10:00", "2026-07-15T10:00:00+02:00"),
            // In autumn the hour occurs twice; the earlier instant counts.
            ("25/10/2026 02:30", "2026-10-25T02:30:00+02:00"),
            // In spring this hour does not exist.
            ("29/03/2026 02:30", "2026-03-29T03:30:00+02:00"),
        ] {
            assert_eq!(parse(text), Timestamp::parse(instant).ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", " ", "31/02/2026", "1/3/2026", "07/12/2023 24:00", "07-12-2023", "é/é/é"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in ".{0,40}", shaped in "[0-9]{1,4}/[0-9]{1,3}/[0-9]{1,5}( [0-9:]{0,9})?") {
            let _either = (parse(&text), parse(&shaped));
        }
    }
}
