//! Amounts as statements write them.

use cvco_domain::Cents;

/// Reads an amount: `1 234,56 €`, `-12.00`, `12,5-`, `(3,00)`. What could be read in two ways is none.
pub(super) fn parse(text: &str, decimal: char) -> Option<Cents> {
    let text = text.trim();
    let text = ["€", "EUR", "eur"].into_iter().fold(text, |text, sign| {
        text.strip_suffix(sign).or_else(|| text.strip_prefix(sign)).unwrap_or(text).trim()
    });
    let (text, negative) = if let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'))
    {
        (inner.trim(), true)
    } else if let Some(rest) = text.strip_prefix(['-', '\u{2212}']).or_else(|| text.strip_suffix('-')) {
        (rest.trim(), true)
    } else {
        (text.strip_prefix('+').unwrap_or(text), false)
    };
    let (whole, fraction) = text.split_once(decimal).unwrap_or((text, ""));
    let whole = ungrouped(whole, decimal)?;
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 10
        || !is_digits(&whole)
        || fraction.len() > 2
        || !is_digits(fraction)
    {
        return None;
    }
    let cents: i64 = format!("{whole}{fraction:0<2}").parse().ok()?;
    Some(Cents::new(if negative { -cents } else { cents }))
}

/// Takes out what separates thousands: spaces, an apostrophe, or the sign that is not the decimal one; each group after
/// the first has three digits.
fn ungrouped(whole: &str, decimal: char) -> Option<String> {
    let other = if decimal == ',' { '.' } else { ',' };
    let is_separator = |c: char| c == other || matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}');
    let mut groups = whole.split(is_separator);
    let first = groups.next()?;
    let grouped = whole.contains(is_separator);
    if grouped && !(1..=3).contains(&first.len()) {
        return None;
    }
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 {
            return None;
        }
        digits.push_str(group);
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        let cents = |text: &str, decimal| parse(text, decimal).map(Cents::get);
        for (text, wanted) in [
            ("45,25", 4525),
            ("1 234,56 €", 123_456),
            ("1\u{202f}234,5", 123_450),
            ("1.234,56", 123_456),
            ("-12", -1200),
            ("12,00-", -1200),
            ("(3,00)", -300),
            ("EUR 0,05", 5),
            ("+7", 700),
        ] {
            assert_eq!(cents(text, ','), Some(wanted), "{text}");
        }
        assert_eq!(cents("1,234.56", '.'), Some(123_456));
        assert_eq!(cents("1'234.56", '.'), Some(123_456));
    }

    #[test]
    fn what_could_be_two_amounts_is_none() {
        for wrong in [
            "",
            "-",
            "abc",
            "1,234",
            "1.23",
            "12.34,5",
            "1,2,3",
            "1 23,00",
            "1e3",
            "٣",
            "12345678901",
            "--1",
            "1,2-3",
        ] {
            assert_eq!(parse(wrong, ','), None, "{wrong}");
        }
        assert_eq!(parse("1.234", '.'), None);
    }
}
