//! Amounts as files have them.

use cvco_domain::Cents;

/// With a decimal comma, `180,00`.
#[must_use]
pub fn french(amount: Cents) -> String {
    amount.to_string().replace('.', ",")
}
