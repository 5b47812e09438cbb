//! What people look at: the pages of the dashboard, in French and English.
//!
//! A page is made of what was read (rows of the ledger, words of the mails) and turned into HTML. There is no I/O and no
//! clock here: who asks, what time it is and what was read is handed in. Who may see a page, and what a button does, is the
//! daemon's business.

pub mod accounting;
pub mod address;
pub mod apology;
pub mod assets;
pub mod csv;
pub mod discrepancies;
mod frame;
mod link;
mod mark;
pub mod operations;
pub mod order;
pub mod orders;
mod outside;
pub mod payload;
mod say;
pub mod sign_in;
pub mod today;
mod widths;
mod words;

pub use askama::Error as RenderError;
pub use frame::{Frame, Notice, Role, Section, ShopName, Tone, Visitor};
pub use link::{address, order_address};
pub use outside::{cut, outside};
pub use say::{Say, Typed, typed};
pub use words::{mail_class, relay_state, way};
