//! cvco-reconciled.

pub mod crypto;
pub mod domain;
pub mod psp;
pub mod wire;
