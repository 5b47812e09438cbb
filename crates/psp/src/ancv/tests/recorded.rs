//! What the recorded answers state. Whoever changes the adapter sees here what else that changes.

use super::*;
use crate::testing;

#[test]
fn recorded_answers_state_what_they_did() {
    for (name, http) in [
        ("authorized", AUTHORIZED),
        ("cancelled", fixture!("cancelled")),
        ("expired", fixture!("expired")),
        ("processing", fixture!("processing")),
        ("rejected", fixture!("rejected")),
        ("validated-in-two-parts", fixture!("validated-in-two-parts")),
    ] {
        insta::assert_snapshot!(name, testing::answered(&ask(http).expect("an answer")));
    }
}
