//! Forms of text on the wire, read strictly and without loss.

mod form;
mod json;

pub(crate) use form::{FormPair, PairList, decode_plus, decode_raw, latin1_or_utf8};
pub(crate) use json::json;
