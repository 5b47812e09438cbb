//! stub
use super::{Cents, Day, Issuer};
use serde::{Deserialize, Serialize};
/// stub
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CommissionRates {}
impl CommissionRates {
    /// stub
    #[must_use]
    pub fn commission(&self, _i: Issuer, _d: Day, _a: Cents) -> Option<Cents> {
        None
    }
    /// stub
    #[must_use]
    pub fn are_usual(&self) -> bool {
        true
    }
}
/// stub
#[must_use]
pub fn spread(_t: Cents, s: &[Cents]) -> Vec<Cents> {
    s.iter().map(|_| Cents::ZERO).collect()
}
