//! cvco-reconciled.

pub mod alert;
pub mod crypto;
pub mod domain;
pub mod mail_sink;
pub mod psp;
pub mod wire;
