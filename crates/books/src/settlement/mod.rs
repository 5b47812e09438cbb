//! Statements as issuers of vouchers and banks hand them out: files of lines, read by a column map. The layout of ANCV's
//! statements of reimbursement is not public, and every bank has its own, so the merchant says which column is what.
//!
//! bytes → [`text`]: decoded → [`rows`]: lines and cells → [`cells`]: what each column says → [`read`]: statements

mod amount;
mod cells;
mod problem;
mod read;
mod rows;
mod sample;
#[cfg(test)]
mod tests;
mod text;

use cvco_domain::{DatePattern, Issuer, ShopId};
use encoding_rs::Encoding;

pub use problem::{FileError, LineProblem, Problem, Quotation};
pub use read::{Given, Located, StatementFile, read};

/// How the files of one issuer are laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name in the configuration.
    pub id: String,
    /// Who issues them.
    pub issuer: Issuer,
    /// Whose they are, if they are one shop's.
    pub shop: Option<ShopId>,
    /// The encoding of their text.
    pub encoding: &'static Encoding,
    /// What stands between two cells.
    pub delimiter: u8,
    /// Whether a quotation mark at the beginning of a cell means something.
    pub quotes: bool,
    /// `,` or `.`
    pub decimal: char,
    /// How dates are written; the first pattern that reads a cell counts.
    pub dates: Vec<DatePattern>,
    /// Lines before the one that names the columns.
    pub skip_lines: usize,
    /// Which column is what.
    pub columns: Columns,
}

/// The names of columns; compared without case and accents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// What is paid out, before commission.
    pub amount: AmountColumns,
    /// The merchant's reference.
    pub reference: Option<String>,
    /// The issuer's transaction.
    pub transaction: Option<String>,
    /// The authorisation number.
    pub authorisation: Option<String>,
    /// The contract.
    pub contract: Option<String>,
    /// When the customer paid.
    pub date: Option<String>,
    /// What is kept of the line.
    pub commission: Option<String>,
    /// What is left of the line.
    pub net: Option<String>,
    /// The statement's number.
    pub statement: Option<String>,
    /// When the money came.
    pub paid_on: Option<String>,
    /// What is kept of the whole statement, on each of its lines.
    pub statement_commission: Option<String>,
}

/// Where a line's amount stands, and what tells a payment from what is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AmountColumns {
    /// One column, whose sign counts.
    Signed(String),
    /// One column, and another that says debit or credit (`D`, `C`).
    WithDirection {
        /// The amount.
        amount: String,
        /// The direction.
        direction: String,
    },
    /// A column for each direction.
    Two {
        /// What is taken back, with or without a minus sign.
        debit: String,
        /// What is paid out.
        credit: String,
    },
}
