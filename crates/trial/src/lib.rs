//! Trials: everything that stands in for the outside world. [`simulate`] tells stories of orders as the PSPs would send
//! them, [`fixtures`] tells two with recorded messages, [`sandbox`] plays the PSPs' APIs, and [`mail_sink`] takes the
//! mails. For the commands `demo` and `simulate` and for tests: no code that handles a real notification may use this
//! crate. It may use the domain and the adapters.

pub mod fixtures;
pub mod mail_sink;
pub mod sandbox;
pub mod simulate;
