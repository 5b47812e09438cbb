//! What the tests stand on: a daemon in a folder of its own, its mailbox, and payments to send to it.

mod browser;
mod daemon;
mod http;
mod past;
mod payments;
mod played;
pub mod postfix;
mod wait;

pub use browser::{Browser, Users};
pub use daemon::{Daemon, Settings, command, follows, ledger_rows};
pub use http::{Answer, send_raw};
pub use past::{BOOKS, Past, Told};
pub use payments::{
    Sogecommerce, TOKEN, Up2pay, key as up2pay_key, private_pem, public_pem, signed_by_up2pay,
};
pub use played::Played;
pub use wait::until;
