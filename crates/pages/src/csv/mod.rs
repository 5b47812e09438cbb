//! Lists as files: CSV that French spreadsheets open as it is (semicolons, decimal commas, UTF-8 with its mark), in which no
//! cell can be taken for a formula.

mod accounting;
mod operations;
mod order;
mod work;

use cvco_domain::{Cents, Day, Timestamp};

pub use order::OrderList;

use crate::Say;

/// A row of a list that can be taken away as a file.
pub trait Listed<const COLUMNS: usize> {
    /// The heads of the columns, in French and English.
    const HEADS: [(&'static str, &'static str); COLUMNS];

    /// Its cells, as [`cell`] and its like make them.
    fn cells(&self, t: Say) -> [String; COLUMNS];
}

/// Begins the file of a list.
#[must_use]
pub fn head<const COLUMNS: usize, R: Listed<COLUMNS>>(t: Say) -> String {
    let heads = R::HEADS.map(|(french, english)| cell(&t.say(french, english)));
    format!("\u{feff}{}", row(&heads))
}

/// Rows of the file.
#[must_use]
pub fn rows<const COLUMNS: usize, R: Listed<COLUMNS>>(t: Say, rows: &[R]) -> String {
    rows.iter().map(|one| row(&one.cells(t))).collect()
}

/// The whole file of a short list.
#[must_use]
pub fn whole<const COLUMNS: usize, R: Listed<COLUMNS>>(t: Say, list: &[R]) -> String {
    head::<COLUMNS, R>(t) + &rows(t, list)
}

/// A text as a cell. One that a spreadsheet would compute is kept from it by an apostrophe (CWE-1236).
#[must_use]
pub(crate) fn cell(text: &str) -> String {
    let begins = text.trim_start().chars().next();
    let is_formula = begins.is_some_and(|c| {
        matches!(c, '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}')
    }) || text.starts_with(['\t', '\r', '\n']);
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = if is_formula { format!("'{text}") } else { text };
    if text.contains([';', '"', ',', ' ']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// What a cell shows, where there is something.
fn maybe(shown: Option<impl ToString>) -> String {
    shown.map(|shown| cell(&shown.to_string())).unwrap_or_default()
}

/// An amount as a cell: digits and a decimal comma.
fn amount(cents: Option<Cents>) -> String {
    cents.map(|cents| cents.to_string().replace('.', ",")).unwrap_or_default()
}

/// An instant as a cell, in Paris.
fn moment(t: Say, at: Option<Timestamp>) -> String {
    maybe(at.map(|at| t.paris(at)))
}

/// A date as a cell.
fn day(t: Say, day: Option<Day>) -> String {
    maybe(day.map(|day| t.day(day)))
}

fn row(cells: &[String]) -> String {
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

    struct Pair(&'static str, i64);

    impl Listed<2> for Pair {
        const HEADS: [(&'static str, &'static str); 2] = [("commande", "order"), ("montant", "amount")];

        fn cells(&self, _: Say) -> [String; 2] {
            [cell(self.0), amount(Some(Cents::new(self.1)))]
        }
    }

    #[test]
    fn a_file_is_what_a_french_spreadsheet_opens() {
        let list = [Pair("CMD-1", 123_456), Pair("=A1;B", -5)];
        assert_eq!(
            whole(Say(cvco_mail::Language::French), &list),
            "\u{feff}commande;montant\r\nCMD-1;1234,56\r\n\"'=A1;B\";-0,05\r\n"
        );
        assert_eq!(whole::<2, Pair>(Say(cvco_mail::Language::English), &[]), "\u{feff}order;amount\r\n");
    }
}
