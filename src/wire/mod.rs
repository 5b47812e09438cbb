//! Forms of text on the wire, read strictly and without loss.

mod form;

pub use form::{FormError, FormPair, PairList, decode_plus, decode_raw, latin1_or_utf8};
