//! Which endpoint something is about.

use serde::{Deserialize, Serialize};

use super::{EndpointId, Mode, Psp, ShopId};

/// An endpoint, with its shop, its PSP and its mode: what everything that it receives has in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointRef {
    /// The shop that it belongs to.
    pub shop: ShopId,
    /// Its own name.
    #[serde(rename = "id")]
    pub endpoint: EndpointId,
    /// The PSP that calls it.
    pub psp: Psp,
    /// Whether it is meant for real payments or for trials.
    pub mode: Mode,
}
