//! Voucher and card of one order become one record, whatever the order of arrival, at both PSPs.

use crate::support::{Daemon, Settings, Sogecommerce, Up2pay};

const REGISTER: &str = "SELECT psp, order_ref, voucher_cents, card_cents, paid_cents, gap_cents, state, \
                        open_discrepancies FROM acct_register ORDER BY psp, order_ref";

#[tokio::test(flavor = "multi_thread")]
async fn up2pay_calls_join_in_either_order() {
    let daemon = Daemon::start(&Settings::default()).await;
    daemon.expect_order("A", 2500);
    daemon.expect_order("B", 2500);
    assert_eq!(daemon.up2pay(&Up2pay::voucher("A", 1, 1500)), 200);
    assert_eq!(daemon.up2pay(&Up2pay::card("A", 1, 1000)), 200);
    assert_eq!(daemon.up2pay(&Up2pay::card("B", 2, 1000)), 200);
    assert_eq!(daemon.up2pay(&Up2pay::voucher("B", 2, 1500)), 200);
    assert_eq!(
        daemon.rows(REGISTER),
        ["up2pay|A|1500|1000|2500|0|balanced|0", "up2pay|B|1500|1000|2500|0|balanced|0"]
    );
    assert_eq!(
        daemon.rows("SELECT reference, total_cents, paid_cents, state FROM acct_orders ORDER BY 1"),
        ["A|2500|2500|balanced", "B|2500|2500|balanced"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sogecommerce_cascade_is_one_record() {
    let daemon = Daemon::start(&Settings::default()).await;
    assert_eq!(daemon.sogecommerce(&Sogecommerce::split("C", "abc123", 6000, 3990)), 200);
    assert_eq!(daemon.rows(REGISTER), ["sogecommerce|C|6000|3990|9990|0|balanced|0"]);
    assert_eq!(
        daemon.rows("SELECT instrument, brand, amount_cents, state FROM acct_tenders ORDER BY 1 DESC"),
        ["voucher|CVCO|6000|authorised", "card|VISA|3990|authorised"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_call_changes_nothing_and_is_answered_all_the_same() {
    let daemon = Daemon::start(&Settings::default()).await;
    daemon.expect_order("A", 2500);
    for _ in 0..5 {
        assert_eq!(daemon.up2pay(&Up2pay::voucher("A", 1, 1500)), 200);
        assert_eq!(daemon.up2pay(&Up2pay::card("A", 1, 1000)), 200);
    }
    assert_eq!(daemon.rows(REGISTER), ["up2pay|A|1500|1000|2500|0|balanced|0"]);
    assert_eq!(
        daemon.rows("SELECT verdict, COUNT(*) FROM acct_notifications GROUP BY verdict ORDER BY 1"),
        ["duplicate|4", "genuine|2"],
        "three copies of each are kept; more are only counted"
    );
}

/// The manual's own two example calls carry one and the same transaction number.
#[tokio::test(flavor = "multi_thread")]
async fn two_parts_with_one_transaction_number_stay_two_parts() {
    let daemon = Daemon::start(&Settings::default()).await;
    daemon.expect_order("A", 2500);
    let (mut voucher, mut card) = (Up2pay::voucher("A", 2_310_165, 1500), Up2pay::card("A", 2_310_165, 1000));
    voucher.0.transaction = "722487980".to_owned();
    card.0.transaction = "722487980".to_owned();
    assert_eq!(daemon.up2pay(&voucher), 200);
    assert_eq!(daemon.up2pay(&card), 200);
    assert_eq!(daemon.rows(REGISTER), ["up2pay|A|1500|1000|2500|0|balanced|0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_card_payment_is_kept_but_makes_no_record() {
    let daemon = Daemon::start(&Settings::default()).await;
    let mut visa = Up2pay::card("A", 1, 1000);
    visa.0.brand = "VISA".to_owned();
    assert_eq!(daemon.up2pay(&visa), 200);
    assert_eq!(daemon.rows("SELECT verdict, events FROM acct_notifications"), ["genuine|1"]);
    assert!(daemon.rows(REGISTER).is_empty());
}
