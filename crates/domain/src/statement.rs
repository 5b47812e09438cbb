//! Statements (relevés): what ANCV reimbursed, what the bank paid out for cards.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AuthorisationNumber, Cents, Contract, Day, Issuer, OrderRef, ShopId, StatementNumber, TenderId};

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Whose money it is.
    pub shop: ShopId,
    /// Who paid.
    pub issuer: Issuer,
    /// Its number, by which it is known again.
    pub number: StatementNumber,
    /// When the money came.
    pub paid_on: Day,
    /// What the issuer kept of the whole, where it does not say so line by line; in cents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commission: Option<Cents>,
    /// Its lines, as they stand.
    pub lines: Vec<StatementLine>,
}

impl Statement {
    /// What its lines come to, before commission, in cents.
    #[must_use]
    pub fn total(&self) -> Cents {
        self.lines.iter().map(|line| line.amount).sum()
    }
}

/// One line of a statement: a payment that was paid out, or a refund that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementLine {
    /// The transaction, as the issuer names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TenderId>,
    /// The merchant's reference; ANCV keeps its first 20 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<OrderRef>,
    /// The authorisation number of a card payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorisation: Option<AuthorisationNumber>,
    /// The contract that settled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Contract>,
    /// Before commission, in cents; negative for what is taken back.
    pub amount: Cents,
    /// What the issuer kept of it, in cents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commission: Option<Cents>,
    /// When the customer paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dated: Option<Day>,
}

/// What names a line of a statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LineId {
    /// Who issued the statement.
    pub issuer: Issuer,
    /// The statement.
    pub statement: StatementNumber,
    /// Which of its lines, from 1 on.
    pub position: u32,
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} #{}", self.issuer, self.statement, self.position)
    }
}

/// A line of a statement that is about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    /// Which.
    pub id: LineId,
    /// When the money came.
    pub paid_on: Day,
    /// What the line says.
    pub line: StatementLine,
}

/// What a merchant may expect of an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutTerms {
    /// Every payment from this day on must appear on a statement.
    pub since: Day,
    /// How long it may take.
    pub delay: Duration,
}
