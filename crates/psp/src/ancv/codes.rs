//! What a transaction's state means for the money.

use ReportedState::{Abandoned, Authorised, Cancelled, Captured, Expired, Pending, Refused};
use Standing::{Settled, Unsettled};
use StatusReading::{Known, Unknown};
use cvco_domain::{ReportedState, Standing, StatusReading};

/// Judges a state. ANCV uses `EXPIRED` both for an acceptance that lapsed and for a payment page on which nothing was
/// paid; `was_accepted` tells them apart.
///
/// `CANCELLED` answers a cancellation with success, and is easily mistaken for a successful payment.
pub(super) fn judge(state: &str, was_accepted: bool) -> (ReportedState, StatusReading, Standing) {
    match state {
        "INITIALIZED" | "PROCESSING" => (Pending, Known, Unsettled),
        "AUTHORIZED" => (Authorised, Known, Settled),
        // `CONSIGNED`: ANCV holds its reimbursement back, the voucher is paid all the same.
        "VALIDATED" | "CONSIGNED" | "PAID" => (Captured, Known, Settled),
        "REJECTED" => (Refused, Known, Settled),
        "EXPIRED" if was_accepted => (Expired, Known, Settled),
        "ABORTED" | "EXPIRED" => (Abandoned, Known, Settled),
        "CANCELLED" => (Cancelled, Known, Settled),
        _ => (Pending, Unknown, Unsettled),
    }
}
