//! `orders import`: registers orders from a CSV file; none if any line is wrong.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use cvco_domain::text_file::utf8;
use cvco_domain::{OrderRef, ShopId};
use cvco_ledger::{LedgerError, Reader};
use cvco_log::entry::OrderRegistration;
use cvco_log::{Draft, LogEntry};
use cvco_mail::Language;

use super::site::Site;
use super::{Failure, Outcome};
use crate::admin::RawOrder;
use crate::config::Shop;

/// So many orders are one group in the log, so that the daemon's notifications get in between.
const PORTION: usize = 1000;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register the orders of a CSV file: `shop, reference, total_cents, currency, due, instalments`; comma, semicolon or
    /// tab. Other columns are named and left out.
    Import {
        /// The file, in UTF-8 or UTF-16; `-` is standard input.
        file: PathBuf,
    },
}

impl Command {
    /// The file that it reads.
    pub(super) fn input(&self) -> &Path {
        let Self::Import { file } = self;
        file
    }
}

pub(super) fn run(site: &mut dyn Site, command: &Command) -> Result<Outcome, Failure> {
    let Command::Import { file } = command;
    let shops = site.desk()?.shops;
    let orders = parse(&text(&site.input(file)?, file)?, &shops)
        .map_err(|what| Failure::Usage(format!("{}: {what}; nothing was imported", file.display())))?;
    let Orders { orders, unused } = orders;
    let language = site.language()?;
    if !unused.is_empty() {
        let unused = unused.join(", ");
        site.line(&match language {
            Language::French => format!("colonnes non utilisées\u{a0}: {unused}"),
            Language::English => format!("not used: the columns {unused}"),
        })?;
    }
    let mut writer = site.writer()?;
    let reader = writer.reader()?;
    let mut registered = 0_usize;
    for portion in orders.chunks(PORTION) {
        let new = new_ones(&reader, portion)?;
        registered = registered.saturating_add(new.len());
        let drafts = new.into_iter().map(|order| Draft::new(&LogEntry::Order(order.clone())));
        writer.append(drafts.collect::<Result<Vec<_>, _>>()?, || {})?;
    }
    let known = orders.len().saturating_sub(registered);
    site.line(&match language {
        Language::French => {
            format!("commandes enregistrées\u{a0}: {registered}\u{a0}; déjà connues\u{a0}: {known}")
        }
        Language::English => format!("orders registered: {registered}; known already: {known}"),
    })?;
    Ok(Outcome::Fine)
}

/// The orders that the ledger does not know as they are registered here.
fn new_ones<'o>(
    reader: &Reader,
    orders: &'o [OrderRegistration],
) -> Result<Vec<&'o OrderRegistration>, LedgerError> {
    let mut new: Vec<&OrderRegistration> = Vec::new();
    for order in orders {
        if !reader.is_current(order)? {
            new.push(order);
        }
    }
    Ok(new)
}

fn text(bytes: &[u8], file: &Path) -> Result<String, Failure> {
    String::from_utf8(utf8(bytes).into_owned()).map_err(|_| {
        Failure::Usage(format!("{}: not UTF-8; a spreadsheet calls it \"CSV UTF-8\"", file.display()))
    })
}

/// What a file registers.
#[derive(Debug)]
struct Orders {
    /// Each once, also where lines say the same of it again.
    orders: Vec<OrderRegistration>,
    /// Columns that are not for this program.
    unused: Vec<String>,
}

/// Headings are known in any case. Where a spreadsheet left columns without a heading, nothing may stand below it.
fn parse(text: &str, shops: &[Shop]) -> Result<Orders, String> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let headings = reader.headers().map_err(|error| error.to_string())?;
    let headings: Vec<String> = headings.iter().map(str::to_lowercase).collect();
    must_be_orders(&headings)?;
    let columns: Vec<usize> = (0..headings.len()).filter(|n| is_known(&headings, *n)).collect();
    let names: csv::StringRecord = columns.iter().filter_map(|n| headings.get(*n)).collect();
    let unused =
        headings.iter().filter(|name| !name.is_empty() && !RawOrder::COLUMNS.contains(&name.as_str()));
    let unused = unused.cloned().collect();
    let mut orders: Vec<OrderRegistration> = Vec::new();
    let mut told: BTreeMap<(ShopId, OrderRef), (Option<csv::Position>, OrderRegistration)> = BTreeMap::new();
    for row in reader.records() {
        let row = row.map_err(|error| error.to_string())?;
        let line = || line_of(text, row.position());
        let order = order(&row, &headings, &columns, &names, shops);
        let Some(order) = order.map_err(|what| format!("line {}: {what}", line()))? else { continue };
        match told.entry((order.shop.clone(), order.reference.clone())) {
            Entry::Vacant(first) => {
                first.insert((row.position().cloned(), order.clone()));
                orders.push(order);
            }
            Entry::Occupied(first) if first.get().1 == order => {}
            Entry::Occupied(first) => {
                return Err(told_twice(line(), line_of(text, first.get().0.as_ref()), &order));
            }
        }
    }
    Ok(Orders { orders, unused })
}

/// One line an article, or long numbers of which a spreadsheet kept three digits: whichever line counted, money would be asked
/// back that is owed, or the other way round.
fn told_twice(line: usize, first: usize, order: &OrderRegistration) -> String {
    let reference = &order.reference;
    format!(
        "line {line}: the reference {reference} stands in line {first} too, with another total or date; each order needs one \
         line, with its whole total"
    )
}

/// `1,23E+12`: what a spreadsheet leaves of a long number.
fn is_rounded(reference: &str) -> bool {
    let Some((digits, power)) = reference.split_once(['E', 'e']) else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let digits = digits.split_once([',', '.']).map_or((digits, "0"), |(whole, rest)| (whole, rest));
    is_number(digits.0) && is_number(digits.1) && power.strip_prefix('+').is_some_and(is_number)
}

/// `="0012"`: how a spreadsheet is told that digits are a text.
fn unwrapped(cell: &str) -> &str {
    cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(cell)
}

/// What a server sends in place of a list, such as the page of a session that is over, registers nothing, and nobody would
/// notice.
fn must_be_orders(headings: &[String]) -> Result<(), String> {
    let required = RawOrder::REQUIRED.join(", ");
    if headings.iter().all(String::is_empty) {
        return Err(format!("empty: it should begin with the names of its columns, {required}"));
    }
    match RawOrder::REQUIRED.into_iter().find(|name| !headings.iter().any(|heading| heading == name)) {
        Some(missing) => Err(format!("no column {missing}: the first line should name {required}")),
        None => Ok(()),
    }
}

fn is_known(headings: &[String], n: usize) -> bool {
    headings.get(n).is_some_and(|name| RawOrder::COLUMNS.contains(&name.as_str()))
}

/// What stands most often between the headings.
fn delimiter(text: &str) -> u8 {
    let headings = text.trim_start().lines().next().unwrap_or_default();
    let count = |delimiter: &u8| headings.matches(char::from(*delimiter)).count();
    [b',', b';', b'\t'].into_iter().max_by_key(count).unwrap_or(b',')
}

/// The order of a row; `None` of one that is empty.
fn order(
    row: &csv::StringRecord,
    headings: &[String],
    columns: &[usize],
    names: &csv::StringRecord,
    shops: &[Shop],
) -> Result<Option<OrderRegistration>, String> {
    if row.iter().all(str::is_empty) {
        return Ok(None);
    }
    let is_named = |n: usize| headings.get(n).is_some_and(|name| !name.is_empty());
    let last_named = (0..headings.len()).rfind(|n| is_named(*n)).map_or(0, |n| n.saturating_add(1));
    if row.len() < last_named {
        return Err(format!("{} fields under {last_named} columns", row.len()));
    }
    if let Some((n, cell)) = row.iter().enumerate().find(|(n, cell)| !is_named(*n) && !cell.is_empty()) {
        return Err(format!("{cell:?} stands in column {}, which has no heading", n.saturating_add(1)));
    }
    if row.iter().any(|cell| cell.contains(['\n', '\r'])) {
        return Err(
            "a field goes on in the next line; is a quotation mark missing, or one too many?".to_owned()
        );
    }
    let cells: csv::StringRecord = columns.iter().filter_map(|n| row.get(*n)).map(unwrapped).collect();
    let order: RawOrder = cells.deserialize(Some(names)).map_err(|error| plain(&error, names))?;
    if is_rounded(&order.reference) {
        return Err(format!(
            "reference {}: a spreadsheet rounded a long number; make the column a text, and export it again",
            order.reference
        ));
    }
    order.check(shops).map(Some).map_err(|error| error.to_string())
}

/// A row's line, as an editor counts: the reader of CSV counts rows, and passes over empty lines.
fn line_of(text: &str, position: Option<&csv::Position>) -> usize {
    let start = position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or_default();
    let rest = text.get(start..).unwrap_or_default();
    let row = start.saturating_add(rest.len().saturating_sub(rest.trim_start_matches(['\r', '\n']).len()));
    text.get(..row).unwrap_or_default().matches('\n').count().saturating_add(1)
}

/// The library's words, with the column's name instead of its number, and what would be right.
fn plain(error: &csv::Error, columns: &csv::StringRecord) -> String {
    if let csv::ErrorKind::Deserialize { err, .. } = error.kind() {
        let column = err.field().and_then(|n| usize::try_from(n).ok()).and_then(|n| columns.get(n));
        match column {
            Some("total_cents") => "total_cents: write whole cents in digits, as 10000 for 100.00".to_owned(),
            Some(column) => format!("{column}: {}", err.kind()),
            None => err.kind().to_string(),
        }
    } else {
        error.to_string()
    }
}

#[cfg(test)]
mod tests {
    use cvco_domain::Cents;
    use cvco_psp::ShopReferences;

    use super::*;

    fn parsed(text: &str) -> Result<Orders, String> {
        let shop = Shop {
            id: ShopId::new("camping").expect("valid"),
            name: "Camping".to_owned(),
            references: ShopReferences::default(),
        };
        parse(text, &[shop])
    }

    fn complaint(text: &str) -> String {
        parsed(text).expect_err("wrong")
    }

    fn totals(text: &str) -> Vec<(String, Cents)> {
        let orders = parsed(text).expect("orders").orders;
        orders.into_iter().map(|order| (order.reference.to_string(), order.total)).collect()
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number_and_explained_by_the_column() {
        let with = |line: &str| complaint(&format!("shop;reference;total_cents\n{line}\n"));
        assert_eq!(
            with("camping;A1;12,50"),
            "line 2: total_cents: write whole cents in digits, as 10000 for 100.00"
        );
        assert_eq!(with("camping;A1"), "line 2: 2 fields under 3 columns");
        assert!(with("\n\ncamping;A1;x").starts_with("line 4: total_cents"));
        for end in ["\n", "\r\n"] {
            let text = ["shop;reference;total_cents", "camping;A;1", "", "", "camping;B;x", ""].join(end);
            assert!(complaint(&text).starts_with("line 5: "), "{:?}", complaint(&text));
        }
    }

    #[test]
    fn what_a_spreadsheet_leaves_behind_does_no_harm() {
        let text = "shop;reference;total_cents;;\r\ncamping;R7;5000;;\r\n;;;;\r\ncamping;R8;6000\r\n";
        assert_eq!(totals(text), [("R7".to_owned(), Cents::new(5000)), ("R8".to_owned(), Cents::new(6000))]);
        assert_eq!(
            complaint("shop;reference;total_cents;\ncamping;R7;5000;why\n"),
            "line 2: \"why\" stands in column 4, which has no heading"
        );
    }

    #[test]
    fn a_reference_is_refused_where_two_lines_say_different_things_of_it() {
        let with = |lines: &str| format!("shop;reference;total_cents\n{lines}");
        assert_eq!(
            complaint(&with("camping;W77;8000\ncamping;W78;500\ncamping;W77;1990\n")),
            "line 4: the reference W77 stands in line 2 too, with another total or date; each order needs one line, with \
             its whole total"
        );
        let again = totals(&with("camping;W77;8000\ncamping;W77;8000\n"));
        assert_eq!(again, [("W77".to_owned(), Cents::new(8000))], "the same again is no harm");
        for rounded in ["1,23E+12", "1.23457E+12", "1E+15"] {
            let said = complaint(&with(&format!("camping;{rounded};8000\n")));
            assert!(
                said.starts_with(&format!("line 2: reference {rounded}: a spreadsheet rounded")),
                "{said}"
            );
        }
        for reference in ["1E5", "E+12", "12E+", "A1,2E+3"] {
            assert_eq!(totals(&with(&format!("camping;{reference};1\n")))[0].0, reference);
        }
        assert_eq!(totals(&with("camping;=\"0012\";8000\n")), [("0012".to_owned(), Cents::new(8000))]);
    }

    #[test]
    fn headings_are_known_in_any_case_and_between_tabs() {
        let text = "\"Shop\"\tREFERENCE\tTotal_Cents\ncamping\tR7\t5000\n";
        assert_eq!(totals(text), [("R7".to_owned(), Cents::new(5000))]);
    }

    #[test]
    fn other_columns_are_named_and_left_out() {
        let found = parsed("reference,Note,total_cents,shop\nR7,\"a, b\",5000,camping\n").expect("orders");
        assert_eq!((found.orders.len(), found.unused), (1, vec!["note".to_owned()]));
        assert!(complaint("shop,reference,totl_cents\ncamping,R7,1\n").contains("no column total_cents"));
    }

    #[test]
    fn what_is_no_list_of_orders_is_refused_though_no_line_of_it_is_wrong() {
        for text in [
            "<html><body>Session expirée</body></html>",
            "[{\"shop\":\"camping\"}]",
            "reference;total_cents\n",
        ] {
            assert!(complaint(text).starts_with("no column shop"), "{text}");
        }
        for text in ["", "\n\n"] {
            assert!(complaint(text).starts_with("empty"), "{text:?}");
        }
        assert!(totals("shop;reference;total_cents\n").is_empty(), "a day without orders");
    }

    #[test]
    fn no_line_vanishes_in_a_quotation_that_does_not_end() {
        let text = "shop,reference,total_cents,note\ncamping,A,1,\"x\ncamping,B,2,y\n";
        assert!(complaint(text).starts_with("line 2: a field goes on"), "{}", complaint(text));
    }
}
