//! What the recorded answers state. Whoever changes the adapter sees here what else that changes.

use super::*;
use crate::testing;

#[test]
fn recorded_answers_state_what_they_did() {
    for (name, answer) in [
        ("d1-card", session(body(fixture!("d1-card")))),
        ("d2-split", session(body(fixture!("d2-split")))),
        ("d3-cancelled", session(body(fixture!("d3-cancelled")))),
        ("d6-in-progress", session(body(fixture!("d6-in-progress")))),
        ("e3-refunded", transaction(CARD, &[], body(fixture!("e3-refunded")))),
    ] {
        insta::assert_snapshot!(name, testing::answered(&answered(answer)));
    }
}
