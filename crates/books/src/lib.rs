//! The books: what accountants hand in and take away. [`accounting`] holds entries and the merchant's chart,
//! [`settlement`] reads the statements of ANCV and banks, [`export`] writes entries and lists as files. Bytes and
//! domain types in, bytes and domain types out: no I/O of its own, no clock, no ledger. It may know the domain alone.

pub mod accounting;
pub mod export;
pub mod settlement;
