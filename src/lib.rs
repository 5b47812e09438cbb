//! cvco-reconciled.

pub mod admin;
pub mod alert;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod ledger;
pub mod listener;
pub mod mail_sink;
pub mod psp;
pub mod reconcile;
pub mod simulate;
pub mod sweep;
pub mod telemetry;
pub mod wire;
