//! The one client for calls to the outside, over TLS with the system's roots.

mod proxy;

pub use proxy::{Proxy, ProxyError};
