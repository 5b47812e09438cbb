//! The fold's tables, one file for each idea. Everything here is given a connection and a date, and asks no clock.

pub(crate) mod acts;
pub(crate) mod anchors;
pub(crate) mod attempts;
pub(crate) mod discrepancies;
pub(crate) mod endpoints;
pub(crate) mod facts;
pub(crate) mod ids;
pub(crate) mod notifications;
pub(crate) mod orders;
pub(crate) mod progress;
pub(crate) mod questions;
pub(crate) mod records;
pub(crate) mod rejections;
pub(crate) mod set_aside;
pub(crate) mod statements;

pub use rejections::Rejected;
pub use set_aside::SetAside;
pub use statements::LineCount;
