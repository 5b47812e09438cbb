//! A layout is tried on a file of one line, so that a setting which can read nothing is told when the configuration is
//! read, and not when a statement is there.

use std::collections::BTreeMap;

use cvco_domain::{Cents, Day, ShopId, StatementNumber};

use super::cells::folded;
use super::problem::Problem;
use super::read::{Given, Problems, read_text};
use super::{AmountColumns, FileError, Profile};

impl Profile {
    /// Reads a file as this layout says that they are.
    ///
    /// # Errors
    /// What of it could not be read.
    pub fn exercise(&self, shop: &ShopId) -> Result<(), FileError> {
        let mut problems = Problems::default();
        let given = Given {
            shop: self.shop.clone().unwrap_or_else(|| shop.clone()),
            number: None,
            file_name: StatementNumber::new("1").ok(),
            paid_on: Day::new(2026, 3, 31),
        };
        let read = read_text(&self.sample(), self, &given, &mut problems);
        let is_right = read.is_some_and(|file| (file.lines(), file.total()) == (1, Cents::new(1250)));
        if !is_right && problems.count() == 0 {
            problems.add(0, Problem::OneColumn);
        }
        problems.none()
    }

    fn sample(&self) -> String {
        let date = Day::new(2026, 3, 31)
            .and_then(|day| self.dates.first().and_then(|pattern| pattern.written(day)))
            .unwrap_or_default();
        let amount = format!("12{}50", self.decimal);
        let columns = &self.columns;
        let mut cells: BTreeMap<String, &str> = BTreeMap::new();
        let mut say = |name: Option<&String>, value| {
            if let Some(name) = name {
                cells.insert(folded(name), value);
            }
        };
        for name in [&columns.reference, &columns.transaction, &columns.authorisation, &columns.contract] {
            say(name.as_ref(), "1");
        }
        say(columns.statement.as_ref(), "1");
        say(columns.date.as_ref(), &date);
        say(columns.paid_on.as_ref(), &date);
        say(columns.commission.as_ref(), "0");
        say(columns.statement_commission.as_ref(), "0");
        say(columns.net.as_ref(), &amount);
        match &columns.amount {
            AmountColumns::Signed(name) => say(Some(name), &amount),
            AmountColumns::WithDirection { amount: name, direction } => {
                say(Some(name), &amount);
                say(Some(direction), "C");
            }
            AmountColumns::Two { debit, credit } => {
                say(Some(debit), "");
                say(Some(credit), &amount);
            }
        }
        let delimiter = char::from(self.delimiter).to_string();
        let quoted = |cell: &str| {
            if self.quotes { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
        };
        let (names, values): (Vec<_>, Vec<_>) =
            cells.iter().map(|(name, value)| (quoted(name), quoted(value))).unzip();
        let skipped = "\n".repeat(self.skip_lines);
        format!("{skipped}{}\n{}\n", names.join(&delimiter), values.join(&delimiter))
    }
}
