//! Lines and cells. A quotation mark that is left open takes all that follows for one cell: so what goes on over line
//! ends, and could be a line that was swallowed, is refused.

use super::Profile;
use super::problem::{Problem, Quotation};

/// Stands alone on the last line. Where it does not, a cell swallowed it.
const END: &str = "\u{1}end";

/// A row, and the line on which it begins, as an editor counts.
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) cells: csv::StringRecord,
}

/// Why the rows of a file are not what they seem.
pub(super) struct Broken {
    pub(super) line: u64,
    pub(super) what: Problem,
}

/// A text with the mark that stands on the last line, without the lines that the layout skips.
pub(super) fn body(text: &str, profile: &Profile) -> String {
    let skipped: usize = text.split_inclusive('\n').take(profile.skip_lines).map(str::len).sum();
    format!("{}\n{END}", text.get(skipped..).unwrap_or_default())
}

/// The rows of a [`body`], one after the other.
pub(super) struct Rows<'b> {
    body: &'b str,
    reader: csv::Reader<&'b [u8]>,
    /// How far lines were counted, and the line there.
    counted: (usize, u64),
    delimiter: char,
    quotes: bool,
    /// How many cells the first row has.
    width: Option<usize>,
}

impl<'b> Rows<'b> {
    pub(super) fn new(body: &'b str, profile: &Profile) -> Self {
        let reader = csv::ReaderBuilder::new()
            .delimiter(profile.delimiter)
            .quoting(profile.quotes)
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(body.as_bytes());
        Self {
            body,
            reader,
            counted: (0, profile.skip_lines.saturating_add(1) as u64),
            delimiter: char::from(profile.delimiter),
            quotes: profile.quotes,
            width: None,
        }
    }

    /// The next row that is not empty; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Row>, Broken> {
        let start = self.place();
        let mut cells = csv::StringRecord::new();
        let more = self.reader.read_record(&mut cells);
        let raw = self.body.get(start..self.place()).unwrap_or_default();
        let line = self.line_of(start, raw);
        if !more.map_err(|error| Broken { line, what: Problem::NoCsv(error.to_string()) })? {
            return Ok(None);
        }
        if cells.len() == 1 && cells.get(0) == Some(END) {
            return Ok(None);
        }
        self.check(&cells, raw.trim_matches(['\r', '\n']), line)?;
        self.width.get_or_insert(width(&cells));
        Ok(Some(Row { line, cells }))
    }

    fn place(&self) -> usize {
        usize::try_from(self.reader.position().byte()).unwrap_or(self.body.len())
    }

    /// The line of a row. The reader of CSV takes a line's LF for the next one's where a CR stands before it, and passes
    /// over empty lines.
    fn line_of(&mut self, start: usize, raw: &str) -> u64 {
        let blank = raw.len().saturating_sub(raw.trim_start_matches(['\r', '\n']).len());
        let start = start.saturating_add(blank);
        let (counted, line) = self.counted;
        let passed = self.body.get(counted..start).unwrap_or_default();
        let line = line.saturating_add(passed.matches('\n').count() as u64);
        self.counted = (start, line);
        line
    }

    /// A cell may hold line ends, as the labels of some banks do, but no delimiter besides: that would be a line which
    /// was swallowed, or the rest of one.
    fn check(&self, cells: &csv::StringRecord, raw: &str, line: u64) -> Result<(), Broken> {
        if !self.quotes || !raw.contains('"') {
            return Ok(());
        }
        let is_open = cells.iter().any(|cell| cell.ends_with(END));
        let spans = raw.contains(['\n', '\r']);
        let swallows = cells.iter().any(|cell| cell.contains(self.delimiter));
        let (width, wanted) = (width(cells), self.width.unwrap_or(usize::MAX));
        let does = if is_open {
            Quotation::NeverClosed
        } else if spans && (swallows || width > wanted) {
            Quotation::OverLines
        } else if swallows && width < wanted && self.width.is_some() {
            Quotation::OverCells
        } else {
            return Ok(());
        };
        let opening = |cell: &str| is_open && cell.ends_with(END) || cell.contains(['\n', '\r']);
        let before: usize =
            cells.iter().take_while(|cell| !opening(cell)).map(|cell| cell.matches('\n').count()).sum();
        let line = line.saturating_add(before as u64);
        Err(Broken { line, what: Problem::Quotation(does) })
    }
}

/// How many cells there are, but for empty ones at the end.
fn width(cells: &csv::StringRecord) -> usize {
    (1..).zip(cells).filter(|(_, cell)| !cell.is_empty()).map(|(place, _)| place).last().unwrap_or(0)
}
