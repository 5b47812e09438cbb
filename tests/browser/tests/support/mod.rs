//! A browser, a daemon, and a ledger that has something to show.

mod browser;
mod daemon;
mod demonstration;
mod needs;
mod site;

pub use browser::{Browser, Look, PHONE, WIDE};
pub use daemon::Daemon;
pub use demonstration::{PASSWORD, Users};
pub use needs::{Axe, Chrome};
pub use site::Site;
