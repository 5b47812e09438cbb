//! cvco-reconciled joins the voucher part and the card part of Chèque-Vacances Connect payments into one record,
//! checks that they add up, and tells a person when they do not.
//!
//! # The way of a notification
//! 1. [`listener::accept`] takes the connection; [`listener::Receiver`] finds the endpoint by its secret token and
//!    reads a bounded body.
//! 2. The endpoint's adapter ([`cvco_psp::Adapter`]) proves the bytes, then reads facts from them and from nothing
//!    else ([`cvco_domain::crypto::Verified`]).
//! 3. [`cvco_log::Log::append`] hands the notification to the one appender. It joins the next group: a row of the log with
//!    its chain hash, and the sealed payload.
//! 4. After the commit, and only then, the PSP gets its 200.
//! 5. [`follower`] applies the log to the ledger ([`cvco_ledger`]) on a thread of its own: the facts of each order concerned go
//!    through [`cvco_reconcile::assess`], and records, tenders, discrepancies and owed e-mails are written down.
//! 6. [`alert::worker`] mails what is owed. [`timekeeper`] says in the log what time it is, when a deadline comes.
//! 7. Where the message proves nothing itself, or the endpoint has the PSP's API, it raised a question:
//!    [`confirm::worker`] asks over [`outbound`], and the answer's facts go through step 3 as a notification's do.
//!
//! What accountants take away comes from the same ledger: `close` books a month, `export` writes files, and the
//! statements that payments are held against are read ([`cvco_books`]).
//!
//! `ARCHITECTURE.md` has the same as a picture, the rooms, and who may know whom.
//!
//! # Errors
//! Each module has its own typed error, beside its use, with what, where and what to do. `anyhow` is for [`cli`]
//! alone. An error is logged once, where it stops travelling. A refusal of bytes from outside is no error of ours:
//! it is a [`cvco_psp::Rejection`], counted and answered. Nothing panics outside tests; a panic in an adapter is caught
//! and costs that call, one in a part that must live stops the process, for the service manager to start again.

mod account;
pub mod admin;
pub mod alert;
pub mod app;
pub mod back_off;
pub mod cli;
pub mod clock;
#[cfg(feature = "postgres")]
pub mod cluster;
#[cfg(not(feature = "postgres"))]
#[path = "cluster/absent.rs"]
mod cluster;
pub mod config;
pub mod confirm;
pub mod dashboard;
pub mod exchange;
pub mod fault;
pub mod follower;
pub mod lead;
pub mod lifecycle;
pub mod listener;
pub mod outbound;
pub mod relay;
pub mod telemetry;
pub mod timekeeper;
