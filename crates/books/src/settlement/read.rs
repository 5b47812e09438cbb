//! From bytes to statements.

use std::collections::BTreeMap;
use std::fmt;

use cvco_domain::{Cents, Day, ShopId, Statement, StatementLine, StatementNumber};

use super::amount;
use super::{Columns, Profile};

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
    /// When its money came.
    pub paid_on: Option<Day>,
}

/// What is wrong with a line; 0 is the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineProblem {
    /// Its number, as an editor counts.
    pub line: u64,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.what),
            line => write!(f, "line {line}: {}", self.what),
        }
    }
}

/// Why a file is no statement; nothing of it is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct FileError(pub Vec<LineProblem>);

/// Collects what is wrong, so that one run tells everything.
#[derive(Default)]
struct Problems(Vec<LineProblem>);

impl Problems {
    fn add(&mut self, line: u64, what: impl Into<String>) {
        if self.0.len() < TOLD {
            self.0.push(LineProblem { line, what: what.into() });
        }
    }

    /// Takes a value, or notes why it is none.
    fn value<T, E: fmt::Display>(&mut self, line: u64, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.add(line, error.to_string())).ok()
    }
}

/// Reads the statements of a file.
///
/// # Errors
/// All that is wrong with it, by line.
pub fn read(bytes: &[u8], profile: &Profile, given: &Given) -> Result<Vec<Statement>, FileError> {
    let mut problems = Problems::default();
    if bytes.len() > LONGEST {
        problems.add(0, format!("{} bytes are too many for a statement", bytes.len()));
        return Err(FileError(problems.0));
    }
    let (text, _, damaged) = profile.encoding.decode(bytes);
    if damaged {
        problems.add(0, format!("not {}: correct `encoding` of [[statement]]", profile.encoding.name()));
        return Err(FileError(problems.0));
    }
    let statements = statements(&text, profile, given, &mut problems);
    if problems.0.is_empty() { Ok(statements) } else { Err(FileError(problems.0)) }
}

fn statements(text: &str, profile: &Profile, given: &Given, problems: &mut Problems) -> Vec<Statement> {
    let skipped: usize = text.split_inclusive('\n').take(profile.skip_lines).map(str::len).sum();
    let body = text.get(skipped..).unwrap_or_default();
    let mut rows = csv::ReaderBuilder::new()
        .delimiter(profile.delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(body.as_bytes())
        .into_records();
    let Some(Ok(header)) = rows.next() else {
        problems.add(0, "empty: it should begin with the names of its columns");
        return Vec::new();
    };
    let places = Places::find(&header, &profile.columns, problems);
    if !problems.0.is_empty() {
        return Vec::new();
    }
    let mut statements: BTreeMap<StatementNumber, Collected> = BTreeMap::new();
    let mut total = Cents::ZERO;
    let mut line = Counter { body, counted: 0, line: profile.skip_lines.saturating_add(1) as u64 };
    for (n, row) in rows.enumerate() {
        if n >= MOST_LINES {
            problems.add(0, format!("more than {MOST_LINES} lines are too many for a statement"));
            break;
        }
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                problems.add(0, error.to_string());
                break;
            }
        };
        let at = line.at(row.position());
        let cells = Cells { row: &row, places: &places, profile };
        let Some(read) = cells.line(at, total, problems) else { continue };
        total = total.plus(read.line.amount);
        let Some(number) = cells.number(at, given, problems) else { continue };
        let paid_on = cells.paid_on(at, given, problems);
        let commission = cells.money(at, |places| places.statement_commission, problems);
        if let Some(paid_on) = paid_on {
            let statement = statements.entry(number).or_insert_with(|| Collected {
                paid_on,
                commission,
                lines: Vec::new(),
            });
            if (statement.paid_on, statement.commission) != (paid_on, commission) {
                problems.add(
                    at,
                    "says otherwise than the lines above when the statement was paid, or what was kept of it",
                );
            }
            statement.lines.push(read.line);
        }
    }
    if statements.is_empty() {
        problems.add(0, "no line of a payment in it: correct the columns of [[statement]]");
    }
    let statement = |(number, collected): (StatementNumber, Collected)| Statement {
        shop: given.shop.clone(),
        issuer: profile.issuer,
        number,
        paid_on: collected.paid_on,
        commission: collected.commission.map(Cents::abs),
        lines: collected.lines,
    };
    statements.into_iter().map(statement).collect()
}

/// Counts lines as an editor does: the reader of CSV takes a line's LF for the next one's where a CR stands before it.
struct Counter<'b> {
    body: &'b str,
    counted: usize,
    line: u64,
}

impl Counter<'_> {
    fn at(&mut self, position: Option<&csv::Position>) -> u64 {
        let start =
            position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(self.counted);
        let text = self.body.get(start..).unwrap_or_default();
        let start =
            start.saturating_add(text.len().saturating_sub(text.trim_start_matches(['\r', '\n']).len()));
        let passed = self.body.get(self.counted..start).unwrap_or_default();
        self.line = self.line.saturating_add(passed.matches('\n').count() as u64);
        self.counted = start;
        self.line
    }
}

struct Collected {
    paid_on: Day,
    commission: Option<Cents>,
    lines: Vec<StatementLine>,
}

/// Where each column stands.
struct Places {
    amount: usize,
    reference: Option<usize>,
    transaction: Option<usize>,
    authorisation: Option<usize>,
    contract: Option<usize>,
    date: Option<usize>,
    commission: Option<usize>,
    net: Option<usize>,
    statement: Option<usize>,
    paid_on: Option<usize>,
    statement_commission: Option<usize>,
}

/// Names of columns are compared without case, accents and what stands around them.
fn folded(name: &str) -> String {
    let plain = any_ascii::any_ascii(name.trim_start_matches('\u{feff}'));
    plain.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase()
}

impl Places {
    fn find(header: &csv::StringRecord, columns: &Columns, problems: &mut Problems) -> Self {
        let names: Vec<String> = header.iter().map(folded).collect();
        let mut place = |name: &str| {
            let wanted = folded(name);
            let found: Vec<usize> = names
                .iter()
                .enumerate()
                .filter(|(_, name)| **name == wanted)
                .map(|(place, _)| place)
                .collect();
            match found.as_slice() {
                [place] => return Some(*place),
                [] => problems.add(1, format!("no column {name:?}; there are: {}", names.join(", "))),
                _ => problems.add(1, format!("several columns {name:?}")),
            }
            None
        };
        let amount = place(&columns.amount).unwrap_or_default();
        let mut place = |name: &Option<String>| name.as_deref().and_then(&mut place);
        Self {
            amount,
            reference: place(&columns.reference),
            transaction: place(&columns.transaction),
            authorisation: place(&columns.authorisation),
            contract: place(&columns.contract),
            date: place(&columns.date),
            commission: place(&columns.commission),
            net: place(&columns.net),
            statement: place(&columns.statement),
            paid_on: place(&columns.paid_on),
            statement_commission: place(&columns.statement_commission),
        }
    }
}

/// The cells of one row.
struct Cells<'r> {
    row: &'r csv::StringRecord,
    places: &'r Places,
    profile: &'r Profile,
}

/// A row that pays something out.
struct Read {
    line: StatementLine,
}

impl Cells<'_> {
    fn text(&self, place: Option<usize>) -> Option<&str> {
        self.row.get(place?).map(str::trim).filter(|text| !text.is_empty())
    }

    fn id<T, E: fmt::Display>(
        &self,
        at: u64,
        place: Option<usize>,
        make: impl Fn(String) -> Result<T, E>,
        problems: &mut Problems,
    ) -> Option<T> {
        self.text(place).and_then(|text| problems.value(at, make(text.to_owned())))
    }

    fn money(
        &self,
        at: u64,
        place: impl Fn(&Places) -> Option<usize>,
        problems: &mut Problems,
    ) -> Option<Cents> {
        let text = self.text(place(self.places))?;
        let read = amount::parse(text, self.profile.decimal);
        if read.is_none() {
            let decimal = self.profile.decimal;
            problems.add(at, format!("{text:?} is not an amount with the decimal sign {decimal:?}"));
        }
        read
    }

    fn day(&self, at: u64, place: Option<usize>, problems: &mut Problems) -> Option<Day> {
        let text = self.text(place)?;
        let day = Day::parse_as(text, &self.profile.date);
        if day.is_none() {
            problems.add(at, format!("{text:?} is not a date of the form {:?}", self.profile.date));
        }
        day
    }

    /// `None` for a row that pays nothing out: an empty one, or a total, which must be right.
    fn line(&self, at: u64, total: Cents, problems: &mut Problems) -> Option<Read> {
        let places = self.places;
        let transaction = self.id(at, places.transaction, cvco_domain::TenderId::new, problems);
        let reference = self.id(at, places.reference, cvco_domain::OrderRef::new, problems);
        let authorisation =
            self.id(at, places.authorisation, cvco_domain::AuthorisationNumber::new, problems);
        let amount = self.money(at, |places| Some(places.amount), problems);
        if transaction.is_none() && reference.is_none() && authorisation.is_none() {
            let amount = amount?;
            if amount != total {
                problems.add(
                    at,
                    format!(
                        "{amount} without a reference, and not the total of the lines above, which is {total}"
                    ),
                );
            }
            return None;
        }
        let Some(amount) = amount else {
            problems.add(at, format!("no amount in column {:?}", self.profile.columns.amount));
            return None;
        };
        let commission = self.commission(at, amount, problems);
        let line = StatementLine {
            transaction,
            reference,
            authorisation,
            contract: self.id(at, places.contract, cvco_domain::Contract::new, problems),
            amount,
            commission,
            dated: self.day(at, places.date, problems),
        };
        Some(Read { line })
    }

    /// What is kept of a line, with the sign of its amount, however the statement writes it.
    fn commission(&self, at: u64, amount: Cents, problems: &mut Problems) -> Option<Cents> {
        let signed =
            |kept: Cents| if amount < Cents::ZERO { Cents::ZERO.minus(kept.abs()) } else { kept.abs() };
        let stated = self.money(at, |places| places.commission, problems).map(signed);
        let by_net = self.money(at, |places| places.net, problems).map(|net| amount.minus(net));
        if let (Some(stated), Some(by_net)) = (stated, by_net)
            && stated != by_net
        {
            problems.add(at, format!("a commission of {stated}, but the net amount leaves {by_net}"));
        }
        stated.or(by_net)
    }

    fn number(&self, at: u64, given: &Given, problems: &mut Problems) -> Option<StatementNumber> {
        let own = self.id(at, self.places.statement, StatementNumber::new, problems);
        let number = own.or_else(|| given.number.clone());
        if number.is_none() {
            problems.add(at, "no number of its statement: give --number");
        }
        number
    }

    fn paid_on(&self, at: u64, given: &Given, problems: &mut Problems) -> Option<Day> {
        let own = self.day(at, self.places.paid_on, problems);
        let day = own.or(given.paid_on);
        if day.is_none() {
            problems.add(at, "no date on which it was paid: name its column (paid_on), or give --paid-on");
        }
        day
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use cvco_domain::Issuer;

    fn ancv() -> Profile {
        let column = |name: &str| Some(name.to_owned());
        Profile {
            id: "ancv".to_owned(),
            issuer: Issuer::Ancv,
            shop: None,
            encoding: encoding_rs::WINDOWS_1252,
            delimiter: b';',
            decimal: ',',
            date: "%d/%m/%Y".to_owned(),
            skip_lines: 2,
            columns: Columns {
                amount: "Montant".to_owned(),
                reference: column("Reference interne commercant"),
                transaction: column("N° transaction"),
                date: column("Date de transaction"),
                commission: column("Commission"),
                net: column("Net"),
                statement: column("N° relevé"),
                paid_on: column("Date de valeur"),
                ..Columns::default()
            },
        }
    }

    fn given() -> Given {
        Given { shop: ShopId::new("camping").expect("a shop"), number: None, paid_on: None }
    }

    const HEAD: &str = "Relevé de remboursement\r\n\r\nN° relevé;Date de valeur;Date de transaction;N° transaction;\
                        Référence interne Commerçant;Montant;Commission;Net\r\n";

    fn bytes(rows: &str) -> Vec<u8> {
        let text = format!("{HEAD}{rows}");
        encoding_rs::WINDOWS_1252.encode(&text).0.into_owned()
    }

    fn problems(rows: &str) -> String {
        read(&bytes(rows), &ancv(), &given()).expect_err("problems").to_string()
    }

    #[test]
    fn a_statement_is_read_by_its_column_map() {
        let file =
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/statements/ancv-000123.csv"));
        let statements = read(file, &ancv(), &given()).expect("a statement");
        let [statement] = statements.as_slice() else { panic!("one: {statements:?}") };
        assert_eq!(
            (statement.number.as_str(), statement.paid_on.to_string().as_str()),
            ("ANCV-RLV-000123", "2026-03-20")
        );
        let lines: Vec<_> = statement
            .lines
            .iter()
            .map(|line| {
                let reference = line.reference.as_ref().map(ToString::to_string).unwrap_or_default();
                (reference, line.amount.get(), line.commission.map(Cents::get))
            })
            .collect();
        assert_eq!(
            lines,
            [("CMD9542125".to_owned(), 4525, Some(113)), ("CMD9542124-01A5G".to_owned(), 18_000, Some(450))]
        );
    }

    #[test]
    fn every_line_that_is_wrong_is_told_with_what_would_be_right() {
        let told = problems(
            "R1;20/03/2026;10/03/2026;T1;CMD1;45.25;;\r\nR1;2026-03-20;;T2;CMD2;10,00;;\r\n;20/03/2026;;T3;CMD3;1,00;;\r\n\
             R1;20/03/2026;;T4;CMD4;100,00;2,50;97,00\r\nR1;21/03/2026;;T5;CMD5;1,00;;\r\nR1;20/03/2026;;T6;CMD6;;;\r\n",
        );
        let wanted = [
            "line 4: \"45.25\" is not an amount with the decimal sign ','",
            "line 4: no amount in column \"Montant\"",
            "line 5: \"2026-03-20\" is not a date of the form \"%d/%m/%Y\"",
            "line 5: no date on which it was paid: name its column (paid_on), or give --paid-on",
            "line 6: no number of its statement: give --number",
            "line 7: a commission of 2.50, but the net amount leaves 3.00",
            "line 8: says otherwise than the lines above when the statement was paid, or what was kept of it",
            "line 9: no amount in column \"Montant\"",
        ];
        assert_eq!(told.lines().collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn a_total_must_be_that_of_the_lines_above() {
        let rows = "R1;20/03/2026;;T1;CMD1;1,00;;\r\nR1;20/03/2026;;T2;CMD2;2,00;;\r\n;;;;Total;3,00;;\r\n";
        assert!(problems(rows).contains("no number"), "a word in the place of a reference is a reference");
        let rows = rows.replace("Total", "");
        assert_eq!(read(&bytes(&rows), &ancv(), &given()).expect("right")[0].lines.len(), 2);
        assert_eq!(
            problems(&rows.replace("3,00", "3,01")),
            "line 6: 3.01 without a reference, and not the total of the lines above, which is 3.00"
        );
    }

    #[test]
    fn a_missing_column_is_named_with_those_that_there_are() {
        let mut profile = ancv();
        profile.columns.amount = "Brut".to_owned();
        let told = read(&bytes(""), &profile, &given()).expect_err("a problem").to_string();
        assert!(
            told.contains("no column \"Brut\"; there are: n° releve") || told.contains("no column \"Brut\""),
            "{told}"
        );
    }

    #[test]
    fn one_file_may_hold_several_statements() {
        let rows = "R1;20/03/2026;;T1;CMD1;1,00;;\r\nR2;27/03/2026;;T2;CMD2;2,00;;\r\nR1;20/03/2026;;T3;CMD3;3,00;;\r\n";
        let statements = read(&bytes(rows), &ancv(), &given()).expect("statements");
        let lines: Vec<_> = statements.iter().map(|s| (s.number.as_str(), s.lines.len())).collect();
        assert_eq!(lines, [("R1", 2), ("R2", 1)]);
    }

    #[test]
    fn what_is_kept_of_the_whole_stands_on_every_line() {
        let mut profile = ancv();
        profile.columns.commission = None;
        profile.columns.net = None;
        profile.columns.statement_commission = Some("Commission".to_owned());
        let rows = |second: &str| {
            bytes(&format!(
                "R1;20/03/2026;;T1;CMD1;45,25;-5,63;\r\nR1;20/03/2026;;T2;CMD2;180,00;{second};\r\n"
            ))
        };
        let statements = read(&rows("-5,63"), &profile, &given()).expect("a statement");
        assert_eq!(statements[0].commission, Some(Cents::new(563)));
        assert!(statements[0].lines.iter().all(|line| line.commission.is_none()));
        let told = read(&rows("-5,64"), &profile, &given()).expect_err("a problem").to_string();
        assert!(told.starts_with("line 5: says otherwise"), "{told}");
    }

    #[test]
    fn another_encoding_than_the_configured_one_is_told() {
        let profile = Profile { encoding: encoding_rs::UTF_8, ..ancv() };
        let told = read(&bytes(""), &profile, &given()).expect_err("a problem").to_string();
        assert_eq!(told, "not UTF-8: correct `encoding` of [[statement]]");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(noise in prop::collection::vec(any::<u8>(), 0..400), at in 0..600_usize) {
            let mut file = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/statements/ancv-000123.csv")).to_vec();
            let at = at.min(file.len());
            file.splice(at..(at + noise.len()).min(file.len()), noise.iter().copied());
            drop(read(&file, &ancv(), &given()));
            drop(read(&noise, &ancv(), &given()));
        }
    }
}
