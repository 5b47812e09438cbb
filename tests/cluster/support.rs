//! What the tests of one machine stand on as well.

#[path = "../it/support/daemon.rs"]
mod daemon;
#[path = "../it/support/http.rs"]
mod http;
#[path = "../it/support/payments.rs"]
mod payments;
#[path = "../it/support/wait.rs"]
mod wait;

pub use daemon::{Daemon, Settings, command, post};
pub use http::send_raw;
pub use payments::{Sogecommerce, Up2pay};
pub use wait::until;
