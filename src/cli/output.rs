//! The one place that prints.

use std::fmt::Display;
use std::io::{BufRead, IsTerminal, Read, Write};
use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use cvco_domain::Bilingual;
use cvco_mail::Language;
use indicatif::{ProgressBar, ProgressStyle};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use serde::Serialize;

use super::site::{self, Site};
use super::{Failure, Format};

/// Prints a line.
pub(super) fn line(text: impl Display) -> Result<(), Failure> {
    writeln!(std::io::stdout().lock(), "{text}").map_err(Failure::io("standard output"))
}

/// Asks on standard error, where what a command prints does not go.
pub(super) fn prompt(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stderr().lock();
    write!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::io("standard error"))
}

/// While it lives the terminal does not show what is typed; `None` where nobody types.
pub(super) fn without_echo() -> Option<Quiet> {
    let before = tcgetattr(std::io::stdin()).ok()?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    tcsetattr(std::io::stdin(), OptionalActions::Now, &quiet).ok()?;
    Some(Quiet { before })
}

/// A terminal that shows nothing of what is typed, until this is dropped.
pub(super) struct Quiet {
    before: Termios,
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that has gone away needs no echo.
        tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before).unwrap_or_default();
    }
}

/// Says on standard error why a command could not end.
pub(super) fn complain(failure: &Failure, language: Language) {
    let why = language.of(&failure.words()).to_owned();
    // There is no third place to say that standard error is closed.
    drop(writeln!(std::io::stderr().lock(), "cvco-reconciled: {why}"));
}

/// Says on standard error what a person should know, though the command goes on.
pub(super) fn warn(what: &str) {
    drop(writeln!(std::io::stderr().lock(), "cvco-reconciled: warning: {what}"));
}

/// The same in the reader's language.
pub(super) fn caution(language: Language, what: &Bilingual) {
    let (word, what) = (pair(language, "attention\u{a0}", "warning"), language.of(what));
    drop(writeln!(std::io::stderr().lock(), "cvco-reconciled: {word}: {what}"));
}

/// Asks on the terminal, where there is one, a question that ends with `[y/N]` or the like; elsewhere nobody could answer, and whoever wrote the script has.
pub(super) fn confirm(question: &str) -> Result<bool, Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(true);
    }
    let failed = || Failure::io("the terminal");
    let mut terminal = std::io::stderr().lock();
    write!(terminal, "{question} ").and_then(|()| terminal.flush()).map_err(failed())?;
    let mut answer = String::new();
    stdin.lock().take(100).read_line(&mut answer).map_err(failed())?;
    let answer = answer.trim().to_lowercase();
    Ok(matches!(answer.as_str(), "y" | "yes" | "o" | "oui"))
}

/// Prints a value as JSON, for programs.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    line(serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?)
}

/// The one of two texts that is in the reader's language.
pub(super) fn pair(language: Language, french: &str, english: &str) -> String {
    match language {
        Language::French => french,
        Language::English => english,
    }
    .to_owned()
}

/// What stands before a remark about something.
pub(super) const fn colon(language: Language) -> &'static str {
    match language {
        Language::French => "\u{a0}:",
        Language::English => ":",
    }
}

/// A heading, in both languages.
pub(super) struct Heading {
    pub(super) fr: &'static str,
    pub(super) en: &'static str,
}

impl Heading {
    pub(super) const fn in_language(&self, language: Language) -> &'static str {
        match language {
            Language::French => self.fr,
            Language::English => self.en,
        }
    }
}

/// Rows under headers, in the form asked for.
pub(super) struct Listing {
    headers: Vec<String>,
    /// What parts the cells of a CSV file: a French spreadsheet has the comma in its amounts.
    delimiter: u8,
    /// Columns of figures: aligned to the right.
    figures: Vec<usize>,
    rows: Vec<Vec<String>>,
}

impl Listing {
    pub(super) fn new(headers: &[&'static str], figures: &[usize]) -> Self {
        let headers = headers.iter().map(|header| (*header).to_owned()).collect();
        Self { headers, delimiter: b',', figures: figures.to_vec(), rows: Vec::new() }
    }

    /// With headings of a language.
    pub(super) fn of(language: Language, headings: &[Heading], figures: &[usize]) -> Self {
        let headers: Vec<_> = headings.iter().map(|heading| heading.in_language(language)).collect();
        let delimiter = match language {
            Language::French => b';',
            Language::English => b',',
        };
        Self { delimiter, ..Self::new(&headers, figures) }
    }

    /// Another heading for a column.
    pub(super) fn rename(&mut self, column: usize, header: String) {
        if let Some(name) = self.headers.get_mut(column) {
            *name = header;
        }
    }

    pub(super) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// Prints the rows as a table or as CSV; for programs, the values that the table shows.
    pub(super) fn print(
        &self,
        site: &mut dyn Site,
        format: Format,
        values: &impl Serialize,
        if_empty: &str,
    ) -> Result<(), Failure> {
        match format {
            Format::Table if self.rows.is_empty() => site.line(&if_empty),
            Format::Table => site.line(&self.table()),
            Format::Csv => site.line(&self.csv()?.trim_end()),
            Format::Json => site::json(site, values),
        }
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(UTF8_FULL_CONDENSED).set_header(&self.headers);
        table.add_rows(&self.rows);
        for column in &self.figures {
            if let Some(column) = table.column_mut(*column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }

    /// Text that a spreadsheet would take for a formula gets an apostrophe in front: an order reference comes
    /// from outside.
    fn csv(&self) -> Result<String, Failure> {
        let defuse = |cell: &String| {
            let formula = cell.starts_with(['=', '+', '@', '\t', '\r'])
                || (cell.starts_with('-') && cell.replace(',', ".").parse::<f64>().is_err());
            if formula { format!("'{cell}") } else { cell.clone() }
        };
        let mut writer = csv::WriterBuilder::new().delimiter(self.delimiter).from_writer(Vec::new());
        writer.write_record(&self.headers).map_err(anyhow::Error::from)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(defuse)).map_err(anyhow::Error::from)?;
        }
        let bytes = writer.into_inner().map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(String::from_utf8(bytes).map_err(anyhow::Error::from)?)
    }
}

/// A bar for long work, on a terminal only.
pub(super) fn progress_bar(what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {bar:40} {human_pos}/{human_len} ({per_sec}, {eta})")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_message(what)
}

/// For long work of which nobody knows how far it is; on a terminal only.
pub(super) fn spinner(what: &'static str, is_watched: bool) -> ProgressBar {
    if !is_watched || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let spinner = ProgressBar::new_spinner().with_style(style).with_message(what);
    spinner.enable_steady_tick(Duration::from_millis(200));
    spinner
}
