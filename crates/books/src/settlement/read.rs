//! From bytes to statements.

use std::collections::BTreeMap;
use std::fmt;

use cvco_domain::{Cents, Day, OrderRef, ShopId, Statement, StatementLine, StatementNumber};

use super::Profile;
use super::cells::{Cells, Kind, Places};
use super::problem::{FileError, LineProblem, Problem};
use super::rows::{self, Rows};
use super::text;

/// More is no statement: a year of a large merchant has fewer lines.
const LONGEST: usize = 32 * 1024 * 1024;
const MOST_LINES: usize = 200_000;

/// More problems than that are not told.
const TOLD: usize = 20;

/// What the file does not say itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Whose it is.
    pub shop: ShopId,
    /// The number of the one statement in it.
    pub number: Option<StatementNumber>,
    /// The file's name, for want of any other number.
    pub file_name: Option<StatementNumber>,
    /// When its money came.
    pub paid_on: Option<Day>,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementFile {
    /// The statements, by number.
    pub statements: Vec<Located>,
    /// Lines that pay nothing out: they are not empty, and name neither a payment nor an amount.
    pub passed_over: Vec<u64>,
}

/// A statement, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The statement.
    pub statement: Statement,
    /// The line of the file on which each of its lines stands.
    pub lines: Vec<u64>,
}

impl StatementFile {
    /// How many lines pay something out, or take it back.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.statements.iter().map(|located| located.lines.len()).sum()
    }

    /// What they come to, before commission.
    #[must_use]
    pub fn total(&self) -> Cents {
        self.statements.iter().map(|located| located.statement.total()).sum()
    }

    /// Leaves of each line's reference what `order` makes of it.
    pub fn shorten_references(&mut self, order: impl Fn(OrderRef) -> Option<OrderRef>) {
        let lines = self.statements.iter_mut().flat_map(|located| &mut located.statement.lines);
        for line in lines {
            line.reference = line.reference.take().and_then(&order);
        }
    }
}

/// Collects what is wrong, so that one run tells everything.
#[derive(Default)]
pub(super) struct Problems(Vec<LineProblem>);

impl Problems {
    pub(super) fn none(self) -> Result<(), FileError> {
        if self.0.is_empty() { Ok(()) } else { Err(FileError(self.0)) }
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn add(&mut self, line: u64, what: Problem) {
        if self.0.len() < TOLD {
            self.0.push(LineProblem { line, what });
        }
    }

    /// Takes a value, or notes why it is none.
    pub(super) fn value<T, E: fmt::Display>(&mut self, line: u64, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.add(line, Problem::Unfit(error.to_string()))).ok()
    }
}

/// Reads the statements of a file.
///
/// # Errors
/// All that is wrong with it, by line.
pub fn read(bytes: &[u8], profile: &Profile, given: &Given) -> Result<StatementFile, FileError> {
    let mut problems = Problems::default();
    if bytes.len() > LONGEST {
        problems.add(0, Problem::TooLarge { bytes: bytes.len() });
        return Err(FileError(problems.0));
    }
    let read = match text::decode(bytes, profile.encoding) {
        Ok(text) => read_text(&text, profile, given, &mut problems),
        Err(what) => {
            problems.add(0, what);
            None
        }
    };
    match read {
        Some(file) if problems.0.is_empty() => Ok(file),
        Some(_) | None => Err(FileError(problems.0)),
    }
}

/// As [`read`], once the file is text; `None` where problems end it.
pub(super) fn read_text(
    text: &str,
    profile: &Profile,
    given: &Given,
    problems: &mut Problems,
) -> Option<StatementFile> {
    let body = rows::body(text, profile);
    let mut rows = Rows::new(&body, profile);
    let header = match rows.next() {
        Ok(Some(header)) => header,
        Ok(None) => {
            problems.add(0, Problem::Empty);
            return None;
        }
        Err(broken) => {
            problems.add(broken.line, broken.what);
            return None;
        }
    };
    let places = Places::find(header.line, &header.cells, &profile.columns, problems);
    if !problems.0.is_empty() {
        return None;
    }
    let mut collected = Collected::default();
    let mut passed_over = Vec::new();
    for read in 1_usize.. {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(broken) => {
                problems.add(broken.line, broken.what);
                break;
            }
        };
        if read > MOST_LINES {
            problems.add(0, Problem::TooManyLines { most: MOST_LINES });
            break;
        }
        let cells = Cells { at: row.line, row: &row.cells, places: &places, profile };
        match cells.kind(problems) {
            Kind::Line(line) => collected.add(line, &cells, given, problems),
            Kind::Total(total) if total == collected.total => {}
            Kind::Total(total) => {
                problems.add(row.line, Problem::NotTheTotal { total, above: collected.total });
            }
            Kind::Other if row.cells.iter().all(str::is_empty) => {}
            Kind::Other => passed_over.push(row.line),
            Kind::Wrong => {}
        }
    }
    if collected.statements.is_empty() {
        problems.add(0, Problem::NoPayment);
    }
    let statement = |(number, found): (StatementNumber, Found)| Located {
        statement: Statement {
            shop: given.shop.clone(),
            issuer: profile.issuer,
            number,
            paid_on: found.paid_on,
            commission: found.commission.map(Cents::abs),
            lines: found.lines,
        },
        lines: found.at,
    };
    Some(StatementFile { statements: collected.statements.into_iter().map(statement).collect(), passed_over })
}

/// The lines so far.
#[derive(Default)]
struct Collected {
    statements: BTreeMap<StatementNumber, Found>,
    total: Cents,
}

struct Found {
    paid_on: Day,
    commission: Option<Cents>,
    lines: Vec<StatementLine>,
    at: Vec<u64>,
}

impl Collected {
    fn add(&mut self, line: StatementLine, cells: &Cells<'_>, given: &Given, problems: &mut Problems) {
        self.total = self.total.plus(line.amount);
        let paid_on = cells.paid_on(given, problems);
        let number = cells.number(given, paid_on, problems);
        let commission = cells.statement_commission(problems);
        let (Some(number), Some(paid_on)) = (number, paid_on) else { return };
        let found = self.statements.entry(number).or_insert_with(|| Found {
            paid_on,
            commission,
            lines: Vec::new(),
            at: Vec::new(),
        });
        if found.paid_on != paid_on {
            let is_named = cells.names_its_statement();
            let first = found.paid_on;
            problems.add(cells.at, Problem::SeveralDays { first, this: paid_on, is_named });
        } else if found.commission != commission {
            problems.add(cells.at, Problem::SeveralCommissions);
        }
        found.lines.push(line);
        found.at.push(cells.at);
    }
}
