//! A message as it came.

use askama::Template;
use cvco_domain::Seq;

use crate::Frame;

/// A raw message.
#[derive(Debug, Template)]
#[template(path = "payload.html")]
pub struct Payload {
    /// What is around it.
    pub frame: Frame,
    /// Its entry in the log.
    pub entry: Seq,
    /// Its parts by their names; none if it is no longer kept.
    pub parts: Vec<(String, String)>,
}
