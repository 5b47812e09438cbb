//! What the merchant's shop and people say and do.

use std::collections::BTreeMap;
use std::time::Duration;

use cvco_domain::{
    Books, Cents, Currency, DiscrepancyId, Identity, Instalment, OrderRef, Period, ShopId, Statement,
    Timestamp,
};
use serde::{Deserialize, Serialize};

/// An order as its shop registers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRegistration {
    /// The shop.
    pub shop: ShopId,
    /// The shop's reference of the order.
    pub reference: OrderRef,
    /// What the customer should pay, in cents of `currency`.
    #[serde(rename = "total_cents")]
    pub total: Cents,
    /// The currency of the total.
    pub currency: Currency,
    /// When the payment is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// In which parts it is to be paid; together they are the total.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instalments: Vec<Instalment>,
}

/// What a person does about a discrepancy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// The discrepancy's number when the person acted.
    pub discrepancy: DiscrepancyId,
    /// The discrepancy, whatever its number: a program with more rules may number otherwise.
    pub of: Identity,
    /// The name of the person's system account.
    pub by: String,
    /// What the person found or did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What is done.
    pub deed: Deed,
}

/// The kinds of acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Marks it as seen.
    Acknowledged,
    /// Adds a note, no more.
    Noted,
    /// Puts it aside.
    Snoozed {
        /// Until when: then it is told again, if it is still open.
        until: Timestamp,
    },
    /// Takes the mark and the snooze back.
    Withdrawn,
}

impl Deed {
    /// A snooze is no way to forget.
    const LONGEST_SNOOZE: Duration = Duration::from_hours(24 * 366 * 2);

    /// Whether a discrepancy may be put aside until then: a time ahead, of two years at most.
    #[must_use]
    pub fn may_snooze(until: Timestamp, now: Timestamp) -> bool {
        until > now && until <= now.after(Self::LONGEST_SNOOZE)
    }

    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Noted => "noted",
            Self::Snoozed { .. } => "snoozed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A statement, with the file that it came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedStatement {
    /// What it says.
    pub statement: Statement,
    /// SHA-256 of the file, in hexadecimal.
    pub file_sha256: String,
    /// The account of whoever imported it, or the daemon's.
    pub by: String,
}

/// The close of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    /// The month.
    pub period: Period,
    /// The merchant's choices for its journal entries.
    pub books: Books,
    /// The account of whoever closed it.
    pub by: String,
}

/// What a period's exports were, byte for byte, right after its close.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// The month.
    pub period: Period,
    /// SHA-256 of each export in hexadecimal, by the export's name.
    pub exports: BTreeMap<String, String>,
}
