//! What the recorded webhooks state. Whoever changes the adapter sees here what else that changes.

use super::*;
use crate::testing::told;

#[test]
fn recorded_webhooks_state_what_they_did() {
    for (name, message) in [
        ("A1-sdk-valid-body", fixture!("A1-sdk-valid-body")),
        ("S1-voucher-only", fixture!("S1-voucher-only")),
        ("S2-split-voucher", fixture!("S2-split-voucher")),
        ("S3-split-card", fixture!("S3-split-card")),
        ("S5-refund-requested", fixture!("S5-refund-requested")),
        ("S6-refunded", fixture!("S6-refunded")),
        ("S7-list-and-new-id", fixture!("S7-list-and-new-id")),
        ("S8-split-card-refused", fixture!("S8-split-card-refused")),
        ("S9-test-event", fixture!("S9-test-event")),
    ] {
        insta::assert_snapshot!(name, told(&read(&message)));
    }
}
