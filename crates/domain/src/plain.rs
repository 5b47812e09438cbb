//! Text for accounting files.

/// Text in plain ASCII on one line, without `|`: what every reader of a FEC takes (accounting tools split at `|`, TAB and
/// line ends; in ASCII bytes are characters). `é` becomes `e`, `€` becomes `EUR`.
#[must_use]
pub fn plain(text: &str) -> String {
    let ascii = any_ascii::any_ascii(text);
    let printable = ascii.chars().map(|c| if c.is_ascii_graphic() && c != '|' { c } else { ' ' });
    let mut plain = String::with_capacity(ascii.len());
    for c in printable {
        if c != ' ' || !(plain.is_empty() || plain.ends_with(' ')) {
            plain.push(c);
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_accounting_tools_stumble_over_goes() {
        assert_eq!(plain("Chèques-Vacances à 5 €"), "Cheques-Vacances a 5 EUR");
        assert_eq!(plain("a|b\tc\r\nd"), "a b c d");
        assert_eq!(plain("  \u{a0}x  y "), "x y");
        assert_eq!(plain("\u{7}"), "");
    }
}
