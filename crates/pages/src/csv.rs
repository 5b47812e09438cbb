//! Lists as files: CSV that French spreadsheets open as it is (semicolons, decimal commas, UTF-8 with its mark), in which no
//! cell can be taken for a formula.

/// Begins a file.
#[must_use]
pub fn begin() -> String {
    "\u{feff}".to_owned()
}

/// A text as a cell. One that a spreadsheet would compute is kept from it by an apostrophe (CWE-1236).
#[must_use]
pub fn cell(text: &str) -> String {
    let begins = text.trim_start().chars().next();
    let is_formula = begins.is_some_and(|c| {
        matches!(c, '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}')
    }) || text.starts_with(['\t', '\r', '\n']);
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = if is_formula { format!("'{text}") } else { text };
    if text.contains([';', '"', ',', ' ']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// An amount as a cell: digits and a decimal comma.
#[must_use]
pub fn amount(cents: Option<cvco_domain::Cents>) -> String {
    cents.map(|cents| cents.to_string().replace('.', ",")).unwrap_or_default()
}

/// Ends a row of cells.
#[must_use]
pub fn row(cells: &[String]) -> String {
    format!("{}\r\n", cells.join(";"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+33", "-2", "@SUM(A1)", "\t=1", " =1", "＝1"] {
            let cell = cell(text);
            assert!(cell.trim_start_matches('"').starts_with('\''), "{text:?}: {cell}");
        }
        assert_eq!(cell("CMD-1"), "CMD-1");
        assert_eq!(cell("a\"b;c"), "\"a\"\"b;c\"");
        assert_eq!(cell("a\nb"), "\"a b\"");
    }
}
