//! Date (letter `W`) and time (letter `Q`): a clock in Paris.

use cvco_domain::Timestamp;

/// The instant of `DDMMYYYY` and `HH:MM:SS`; `None` if there is no such instant.
pub(super) fn instant(date: &str, time: &str) -> Option<Timestamp> {
    let time = time_of_day(time)?;
    let (first, second, third, fourth) = (two(date, 0)?, two(date, 2)?, two(date, 4)?, two(date, 6)?);
    if date.len() != 8 {
        return None;
    }
    let day_first = (third * 100 + fourth, second, first);
    // The public `eopayment` library reads the year first; no call that does so is known.
    let year_first = (first * 100 + second, third, fourth);
    [day_first, year_first].into_iter().find_map(|(year, month, day)| {
        let year = i32::try_from(year).ok().filter(|year| (2000..2100).contains(year))?;
        Timestamp::from_paris((year, month, day), time)
    })
}

fn time_of_day(text: &str) -> Option<(u32, u32, u32)> {
    let separated = text.len() == 8 && text.get(2..3) == Some(":") && text.get(5..6) == Some(":");
    separated.then_some(())?;
    Some((two(text, 0)?, two(text, 3)?, two(text, 6)?))
}

/// Two digits as a number.
fn two(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at.saturating_add(2))?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(date: &str, time: &str) -> Option<String> {
        instant(date, time).map(|at| at.to_string())
    }

    #[test]
    fn the_day_comes_first_and_the_clock_is_in_paris() {
        assert_eq!(text("01032021", "14:05:09").as_deref(), Some("2021-03-01T13:05:09.000Z"));
        assert_eq!(text("20072020", "00:30:00").as_deref(), Some("2020-07-19T22:30:00.000Z"));
    }

    #[test]
    fn the_year_comes_first_only_where_the_day_cannot() {
        assert_eq!(text("20210301", "14:05:09").as_deref(), Some("2021-03-01T13:05:09.000Z"));
        assert_eq!(
            text("20120105", "14:05:09").as_deref(),
            Some("2012-01-05T13:05:09.000Z"),
            "not 20/12/0105"
        );
        assert_eq!(text("10122021", "14:05:09").as_deref(), Some("2021-12-10T13:05:09.000Z"));
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for (date, time) in [
            ("31022021", "14:05:09"),
            ("01032021", "24:00:00"),
            ("01032021", "14:05"),
            ("01032021", "14h05m09"),
            ("1032021", "14:05:09"),
            ("010320210", "14:05:09"),
            ("+1032021", "14:05:09"),
            ("01/03/21", "14:05:09"),
            ("éééé", "14:05:09"),
            ("", ""),
        ] {
            assert_eq!(text(date, time), None, "{date} {time}");
        }
    }
}
