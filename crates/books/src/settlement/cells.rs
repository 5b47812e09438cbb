//! What the cells of a row say, by the columns of the layout.

use std::fmt;

use cvco_domain::{
    AuthorisationNumber, Cents, Contract, Day, OrderRef, StatementLine, StatementNumber, TenderId,
};

use super::amount;
use super::problem::Problem;
use super::read::{Given, Problems};
use super::{AmountColumns, Columns, Profile};

/// Where each column stands.
pub(super) struct Places {
    amount: AmountPlaces,
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

enum AmountPlaces {
    Signed(Option<usize>),
    WithDirection { amount: Option<usize>, direction: Option<usize> },
    Two { debit: Option<usize>, credit: Option<usize> },
}

/// Names of columns are compared without case, accents and what stands around them.
pub(super) fn folded(name: &str) -> String {
    let plain = any_ascii::any_ascii(name.trim_start_matches('\u{feff}'));
    plain.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase()
}

impl Places {
    pub(super) fn find(
        line: u64,
        header: &csv::StringRecord,
        columns: &Columns,
        problems: &mut Problems,
    ) -> Self {
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
                [] => problems.add(line, Problem::NoColumn { name: name.to_owned(), there: names.clone() }),
                _ => problems.add(line, Problem::SeveralColumns { name: name.to_owned() }),
            }
            None
        };
        let amount = match &columns.amount {
            AmountColumns::Signed(amount) => AmountPlaces::Signed(place(amount)),
            AmountColumns::WithDirection { amount, direction } => {
                AmountPlaces::WithDirection { amount: place(amount), direction: place(direction) }
            }
            AmountColumns::Two { debit, credit } => {
                AmountPlaces::Two { debit: place(debit), credit: place(credit) }
            }
        };
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

/// What a row is.
pub(super) enum Kind {
    /// It pays something out, or takes it back.
    Line(StatementLine),
    /// It says what the lines above come to.
    Total(Cents),
    /// It says nothing that is looked for.
    Other,
    /// It is wrong; the problems say how.
    Wrong,
}

/// The cells of one row.
pub(super) struct Cells<'r> {
    /// The row's line in the file.
    pub(super) at: u64,
    pub(super) row: &'r csv::StringRecord,
    pub(super) places: &'r Places,
    pub(super) profile: &'r Profile,
}

impl Cells<'_> {
    fn text(&self, place: Option<usize>) -> Option<&str> {
        self.row.get(place?).map(str::trim).filter(|text| !text.is_empty())
    }

    fn id<T, E: fmt::Display>(
        &self,
        place: Option<usize>,
        make: impl Fn(String) -> Result<T, E>,
        problems: &mut Problems,
    ) -> Option<T> {
        self.text(place).and_then(|text| problems.value(self.at, make(text.to_owned())))
    }

    fn money(&self, place: Option<usize>, problems: &mut Problems) -> Option<Cents> {
        let text = self.text(place)?;
        let read = amount::parse(text, self.profile.decimal);
        if read.is_none() {
            let (text, decimal) = (text.to_owned(), self.profile.decimal);
            problems.add(self.at, Problem::NoAmount { text, decimal });
        }
        read
    }

    fn day(&self, place: Option<usize>, problems: &mut Problems) -> Option<Day> {
        let text = self.text(place)?;
        let dates = &self.profile.dates;
        let day = dates.iter().find_map(|pattern| pattern.read(text));
        if day.is_none() {
            let forms = dates.iter().map(ToString::to_string).collect();
            problems.add(self.at, Problem::NoDate { text: text.to_owned(), forms });
        }
        day
    }

    pub(super) fn kind(&self, problems: &mut Problems) -> Kind {
        let places = self.places;
        let before = problems.count();
        let transaction = self.id(places.transaction, TenderId::new, problems);
        let reference = self.id(places.reference, OrderRef::new, problems);
        let authorisation = self.id(places.authorisation, AuthorisationNumber::new, problems);
        let amount = self.amount(problems);
        let is_named = reference.as_ref().is_some_and(|reference| !is_total(reference.as_str()));
        if transaction.is_none() && !is_named && authorisation.is_none() {
            return match amount {
                _ if problems.count() > before => Kind::Wrong,
                Some(amount) => Kind::Total(amount),
                None => Kind::Other,
            };
        }
        let Some(amount) = amount else {
            problems.add(self.at, Problem::AmountMissing { columns: self.amount_columns() });
            return Kind::Wrong;
        };
        let commission = self.commission(amount, problems);
        if amount == Cents::ZERO && commission.unwrap_or_default() == Cents::ZERO {
            problems.add(self.at, Problem::Nothing);
        }
        Kind::Line(StatementLine {
            transaction,
            reference,
            authorisation,
            contract: self.id(places.contract, Contract::new, problems),
            amount,
            commission,
            dated: self.day(places.date, problems),
        })
    }

    fn amount_columns(&self) -> Vec<String> {
        match &self.profile.columns.amount {
            AmountColumns::Signed(amount) | AmountColumns::WithDirection { amount, .. } => {
                vec![amount.clone()]
            }
            AmountColumns::Two { debit, credit } => vec![debit.clone(), credit.clone()],
        }
    }

    /// What is paid out is positive, what is taken back negative.
    fn amount(&self, problems: &mut Problems) -> Option<Cents> {
        let negative = |amount: Cents| Cents::ZERO.minus(amount.abs());
        match self.places.amount {
            AmountPlaces::Signed(place) => self.money(place, problems),
            AmountPlaces::WithDirection { amount, direction } => {
                let amount = self.money(amount, problems)?;
                match self.text(direction).map(is_debit) {
                    Some(Some(true)) => Some(negative(amount)),
                    Some(Some(false)) => Some(amount),
                    Some(None) => {
                        let text = self.text(direction).map(str::to_owned);
                        problems.add(self.at, Problem::NoDirection { text });
                        None
                    }
                    None if amount == Cents::ZERO => Some(amount),
                    None => {
                        problems.add(self.at, Problem::NoDirection { text: None });
                        None
                    }
                }
            }
            AmountPlaces::Two { debit, credit } => {
                let (debit, credit) = (self.money(debit, problems), self.money(credit, problems));
                let is_there = |amount: &Cents| *amount != Cents::ZERO;
                match (debit.filter(is_there), credit.filter(is_there)) {
                    (Some(debit), None) => Some(negative(debit)),
                    (None, Some(credit)) => Some(credit),
                    (None, None) => debit.or(credit),
                    (Some(debit), Some(credit)) => {
                        problems.add(self.at, Problem::BothDirections { debit, credit });
                        None
                    }
                }
            }
        }
    }

    /// What is kept of a line, with the sign of its amount, however the statement writes it.
    fn commission(&self, amount: Cents, problems: &mut Problems) -> Option<Cents> {
        let signed =
            |kept: Cents| if amount < Cents::ZERO { Cents::ZERO.minus(kept.abs()) } else { kept.abs() };
        let stated = self.money(self.places.commission, problems).map(signed);
        let by_net = self.money(self.places.net, problems).map(|net| amount.minus(net));
        if let (Some(stated), Some(by_net)) = (stated, by_net)
            && stated != by_net
        {
            problems.add(self.at, Problem::Commission { stated, by_net });
        }
        stated.or(by_net)
    }

    pub(super) fn statement_commission(&self, problems: &mut Problems) -> Option<Cents> {
        self.money(self.places.statement_commission, problems)
    }

    /// The number of the line's statement. Where neither a column nor the command says it, each value date is a statement
    /// of its own: so lines that two files have in common are known again, whatever the files are called.
    pub(super) fn number(
        &self,
        given: &Given,
        paid_on: Option<Day>,
        problems: &mut Problems,
    ) -> Option<StatementNumber> {
        let own = self.id(self.places.statement, StatementNumber::new, problems);
        let by_date = || {
            self.text(self.places.paid_on)?;
            StatementNumber::new(paid_on?.to_string()).ok()
        };
        let number =
            own.or_else(|| given.number.clone()).or_else(by_date).or_else(|| given.file_name.clone());
        if number.is_none() {
            problems.add(self.at, Problem::NoNumber);
        }
        number
    }

    /// Whether a column says which statement the line is of.
    pub(super) fn names_its_statement(&self) -> bool {
        self.text(self.places.statement).is_some()
    }

    pub(super) fn paid_on(&self, given: &Given, problems: &mut Problems) -> Option<Day> {
        let own = self.day(self.places.paid_on, problems);
        let day = own.or(given.paid_on);
        if day.is_none() {
            problems.add(self.at, Problem::NoDay);
        }
        day
    }
}

/// Whether a cell says that its line takes something back; `None` if it says neither.
fn is_debit(text: &str) -> Option<bool> {
    match folded(text).as_str() {
        "d" | "db" | "dr" | "debit" | "-" => Some(true),
        "c" | "cr" | "credit" | "+" => Some(false),
        _ => None,
    }
}

/// `TOTAL`, `Total :`, `Total général`: in the place of a reference it says what the line is, as no shop calls an order.
fn is_total(text: &str) -> bool {
    let text = text.to_lowercase();
    let word = text.split(|c: char| c.is_whitespace() || c == ':').next().unwrap_or_default();
    matches!(word, "total" | "totaux")
}
