//! The fold's tables, one file for each idea. Everything here is given a connection and a date, and asks no clock.

pub(crate) mod acts;
pub(crate) mod anchors;
pub(crate) mod attempts;
pub(crate) mod claims;
pub(crate) mod discrepancies;
pub(crate) mod endpoints;
pub(crate) mod facts;
pub(crate) mod findings;
pub(crate) mod ids;
pub(crate) mod notifications;
pub(crate) mod orders;
pub(crate) mod prepared;
pub(crate) mod progress;
pub(crate) mod questions;
pub(crate) mod records;
pub(crate) mod rejections;
pub(crate) mod relays;
pub(crate) mod rows;
pub(crate) mod set_aside;
pub(crate) mod statements;
pub(crate) mod weeks;

pub use discrepancies::ToldUnreached;
pub use rejections::Rejected;
pub use relays::{PendingRelay, RelayPart};
pub use set_aside::SetAside;
pub use statements::{LineCount, Restated};

/// The tables that are a fold over the log, parents first, each with what orders its rows.
pub(crate) const FOLD_TABLES: [(&str, &str); 29] = [
    ("notifications", "seq"),
    ("set_aside", "seq"),
    ("refused", "seq"),
    ("orders", "order_id"),
    ("order_versions", "order_id, version"),
    ("facts", "order_id, seq, position"),
    ("claims", "psp, payment, order_id"),
    ("records", "order_id, psp, call_number"),
    ("tenders", "order_id, psp, call_number, position"),
    ("returns", "order_id, psp, call_number, position, number"),
    ("statements", "statement_id"),
    ("statement_lines", "statement_id, position"),
    ("payout_shares", "statement_id, position, psp, call_number, tender_position"),
    ("closings", "period"),
    ("numbers", "series"),
    ("reopened", "order_id, statement_id"),
    ("entries", "line"),
    ("questions", "endpoint, topic, subject"),
    ("discrepancies", "id"),
    ("acts", "seq"),
    ("endpoints", "endpoint"),
    ("heard_hours", "endpoint, hour"),
    ("audiences", "way, severity, shop"),
    ("owed", "id"),
    ("mails", "message_id"),
    ("relays", "seq, target"),
    ("anchors", "seq"),
    ("weeks", "until_at, shop"),
    ("progress", "one"),
];
