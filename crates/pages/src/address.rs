//! Where a provider calls an endpoint: the whole address, with its secret.

use askama::Template;
use cvco_domain::{EndpointId, Psp};

use crate::Frame;

/// The page.
#[derive(Template)]
#[template(path = "address.html")]
pub struct Address {
    /// What is around it.
    pub frame: Frame,
    /// Which endpoint.
    pub endpoint: EndpointId,
    /// Who calls it.
    pub psp: Psp,
    /// The address, or its path where nothing says how PSPs reach the daemon.
    pub url: String,
    /// Whether it is the whole address.
    pub is_whole: bool,
}
