//! cvco-reconciled.

pub mod crypto;
pub mod domain;
pub mod ledger;
pub mod psp;
pub mod reconcile;
pub mod wire;
