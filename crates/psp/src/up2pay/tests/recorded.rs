//! What the recorded calls state. Whoever changes the adapter sees here what else that changes.

use super::*;
use crate::testing::told;

#[test]
fn recorded_calls_state_what_they_did() {
    for (name, call) in [
        ("s1-voucher", S1),
        ("s2-card-complement", S2),
        ("s3-card-complement-refused", S3),
        ("s4-voucher-behind-merchant-parameters", S4),
    ] {
        insta::assert_snapshot!(name, told(&prove_and_read(&synthetic(FULL), &message(call).as_request())));
    }
}
