//! The one client for calls to the outside, over TLS with the system's roots.

mod client;
mod proxy;

pub use client::{Client, ClientError};
pub use proxy::{Proxy, ProxyError};
