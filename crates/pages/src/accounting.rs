//! Months, exports, statements, and what is still to be paid out.

use askama::Template;
use cvco_domain::{Cents, Currency, OrderKey, Period};
use cvco_ledger::{Aged, ClosedMonth, ImportedRow, LineRow};

use crate::frame::Frame;
use crate::say::Lent;
use crate::{Say, address, order_address, words};

/// The files that a month has: the word of the command, and what people call it.
const FILES: [(&str, &str, &str); 8] = [
    ("register", "registre", "register"),
    ("gaps", "écarts", "gaps"),
    ("ageing", "balance âgée", "ageing"),
    ("totals", "totaux", "totals"),
    ("fec", "FEC", "FEC"),
    ("entries", "écritures", "entries"),
    ("journal", "journal", "journal"),
    ("beancount", "beancount", "beancount"),
];

/// So many months, and so many statements, are shown; all are in the file.
pub const SHOWN: u32 = 60;

/// So many lines of a statement are shown.
pub const LINES: u32 = 2000;

/// A layout of statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Its id in the configuration.
    pub id: String,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "accounting.html")]
pub struct Accounting {
    /// What is around it.
    pub frame: Frame,
    /// The months that are open, the earliest first.
    pub open: Vec<Period>,
    /// Those that were closed, the latest first.
    pub closed: Vec<ClosedMonth>,
    /// The month that can be closed next, if one is over.
    pub next: Option<Period>,
    /// Statements, the latest first.
    pub statements: Vec<ImportedRow>,
    /// How statements are laid out.
    pub layouts: Vec<Layout>,
    /// What is not paid out, by age.
    pub aged: Vec<Aged>,
}

struct FileLink {
    href: String,
    name: String,
}

impl Accounting {
    fn t(&self) -> Say {
        self.frame.say
    }

    fn files(&self, period: impl Lent<Period>, draft: impl Lent<bool>) -> Vec<FileLink> {
        let (t, period, draft) = (self.t(), period.lent(), draft.lent());
        let link = |(what, french, english): &(&str, &str, &str)| {
            let needs_draft = draft && matches!(*what, "fec" | "entries" | "journal" | "beancount");
            let query = [
                ("what", *what),
                ("period", &period.to_string()),
                ("draft", if needs_draft { "1" } else { "" }),
            ];
            FileLink { href: address("/accounting/export", &query), name: t.say(french, english) }
        };
        FILES.iter().map(link).collect()
    }

    fn close_link(period: impl Lent<Period>) -> String {
        address("/accounting/close", &[("period", &period.lent().to_string())])
    }

    fn is_next(&self, period: impl Lent<Period>) -> bool {
        self.next == Some(period.lent())
    }

    fn age(&self, bucket: impl Lent<i64>) -> String {
        let t = self.t();
        match bucket.lent() {
            0 => t.say("0 à 7 jours", "0 to 7 days"),
            1 => t.say("8 à 15 jours", "8 to 15 days"),
            2 => t.say("16 à 30 jours", "16 to 30 days"),
            3 => t.say("31 à 60 jours", "31 to 60 days"),
            4 => t.say("plus de 60 jours", "more than 60 days"),
            _ => t.say("à reprendre par l'ANCV ou la banque", "to be taken back by ANCV or the bank"),
        }
    }

    fn parts(&self) -> i64 {
        self.aged.iter().map(|aged| aged.parts).sum()
    }

    fn vouchers(&self) -> Cents {
        self.aged.iter().map(|aged| aged.voucher).sum()
    }

    fn cards(&self) -> Cents {
        self.aged.iter().map(|aged| aged.card).sum()
    }

    fn ageing_link(&self) -> String {
        let today = self.frame.now.paris_day().to_string();
        address("/accounting/export", &[("what", "ageing"), ("from", &today), ("to", &today)])
    }

    fn is_cut<T>(list: &[T]) -> bool {
        list.len() >= SHOWN as usize
    }

    fn issuer(&self, row: &ImportedRow) -> String {
        words::issuer(self.t(), row.issuer)
    }

    fn link(row: &ImportedRow) -> String {
        address("/accounting/statement", &[("id", &row.id.to_string())])
    }
}

/// An account of a month that is to be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSum {
    /// Its number.
    pub number: String,
    /// Its name.
    pub label: String,
    /// Debit.
    pub debit: Cents,
    /// Credit.
    pub credit: Cents,
}

/// What would be booked, before a month is closed.
#[derive(Debug, Template)]
#[template(path = "close.html")]
pub struct Close {
    /// What is around it.
    pub frame: Frame,
    /// The month.
    pub period: Period,
    /// What does not allow it, in English.
    pub obstacle: Option<String>,
    /// How many discrepancies are open.
    pub open: i64,
    /// How many entries would be booked.
    pub entries: i64,
    /// How many lines.
    pub lines: i64,
    /// What the accounts come to.
    pub accounts: Vec<AccountSum>,
}

impl Close {
    fn debit(&self) -> Cents {
        self.accounts.iter().map(|account| account.debit).sum()
    }

    fn credit(&self) -> Cents {
        self.accounts.iter().map(|account| account.credit).sum()
    }
}

/// One statement with its lines.
#[derive(Debug, Template)]
#[template(path = "statement.html")]
pub struct StatementPage {
    /// What is around it.
    pub frame: Frame,
    /// The statement.
    pub row: ImportedRow,
    /// Its lines; those that no payment explains first.
    pub lines: Vec<LineRow>,
}

impl StatementPage {
    fn t(&self) -> Say {
        self.frame.say
    }

    fn issuer(&self) -> String {
        words::issuer(self.t(), self.row.issuer)
    }

    fn order_link(&self, line: &LineRow) -> Option<String> {
        let reference = line.order_ref.clone()?;
        Some(order_address("/order", &OrderKey::Reference(self.row.shop.clone(), reference)))
    }

    fn matched_by(&self, by: impl AsRef<str>) -> String {
        words::matched_by(self.t(), by.as_ref())
    }

    fn csv_link(&self) -> String {
        address("/accounting/statement.csv", &[("id", &self.row.id.to_string())])
    }

    /// How many of its lines are shown, where that is not all.
    fn shown(&self) -> Option<i64> {
        i64::try_from(self.lines.len()).ok().filter(|shown| *shown < self.row.lines)
    }

    fn total(&self) -> String {
        self.t().money(self.row.amount, Currency::EUR)
    }

    fn net(&self) -> Cents {
        self.row.amount.minus(self.row.commission)
    }
}
