//! What the recorded forms state. Whoever changes the adapter sees here what else that changes.

use super::*;
use crate::testing::told;

#[test]
fn recorded_forms_state_what_they_did() {
    for (name, body) in [
        ("R9-synthetic-rest-cascade", fixture!("R9-synthetic-rest-cascade")),
        ("S1-cascade-ok", fixture!("S1-cascade-ok")),
        ("S2-cascade-second-card", fixture!("S2-cascade-second-card")),
        ("S4-cascade-mismatch", fixture!("S4-cascade-mismatch")),
        ("S5-cascade-numeric-types", fixture!("S5-cascade-numeric-types")),
        ("S7-cvco-full", fixture!("S7-cvco-full")),
        ("S8-cvco-refused", fixture!("S8-cvco-refused")),
        ("S9-abandoned", fixture!("S9-abandoned")),
        ("S11-merch-bo-cancel", fixture!("S11-merch-bo-cancel")),
        ("S12-merch-bo-refund", fixture!("S12-merch-bo-refund")),
        ("S15-rename-forged", fixture!("S15-rename-forged")),
    ] {
        insta::assert_snapshot!(name, told(&read(body)));
    }
}
