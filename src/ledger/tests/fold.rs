//! The fold: orders, policies, endpoints, and time that is applied at its own instants.

use super::*;

fn missing(opened: i64, closed: Option<i64>) -> (String, i64, Option<i64>) {
    ("complement_missing".to_owned(), opened, closed)
}

#[test]
fn an_order_registered_again_as_it_was_changes_nothing() {
    let mut book = Book::new();
    assert!(matches!(book.take(0, registered("A", 10_000)), Taken::Written { .. }));
    let before = book.everything();
    assert_eq!(book.take(1, registered("A", 10_000)), Taken::Unchanged);
    assert_eq!(book.everything(), before);
}

#[test]
fn a_changed_total_is_a_new_version() {
    let mut book = Book::new();
    for cents in [10_000, 12_000, 10_000] {
        book.take(0, registered("A", cents));
    }
    let versions = book.texts("SELECT version || ' ' || total_cents FROM order_versions ORDER BY version");
    assert_eq!(versions, ["1 10000", "2 12000", "3 10000"]);
    assert_eq!(book.texts("SELECT version || ' ' || total_cents FROM acct_orders"), ["3 10000"]);
}

#[test]
fn a_registered_order_is_unpaid_until_something_is_paid() {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    assert_eq!(book.texts("SELECT state FROM acct_orders"), ["unpaid"]);
    book.take(1, voucher("A", 6000));
    assert_eq!(book.texts("SELECT state FROM acct_orders"), ["pending"]);
    book.take(2, card("A", 4000));
    assert_eq!(book.texts("SELECT state || ' ' || paid_cents FROM acct_orders"), ["balanced 10000"]);
}

#[test]
fn an_order_may_be_registered_after_its_payment() {
    let mut book = Book::new();
    book.take(0, voucher("A", 10_000));
    book.take(1, registered("A", 10_000));
    assert_eq!(book.texts("SELECT state FROM orders"), ["balanced"]);
}

#[test]
fn a_discrepancy_opens_at_the_due_instant_however_late_the_sweep_ran() {
    for late in [22, 23, 5000] {
        let mut book = Book::new();
        book.take(1, registered("A", 10_000));
        book.take(2, voucher("A", 6000));
        assert!(!book.sweep(Timestamp::from_millis(minute(22).millis() - 1)), "not yet");
        assert_eq!(book.discrepancies(), []);
        assert!(book.sweep(minute(late)));
        assert_eq!(book.discrepancies(), [missing(22, None)]);
        assert_eq!(book.texts("SELECT created_at FROM outbox"), [minute(22).to_string()]);
        assert!(!book.sweep(minute(late)), "nothing is due twice");
    }
}

#[test]
fn without_any_sweep_time_is_applied_before_the_next_entry() {
    let mut book = Book::new();
    book.take(1, registered("A", 10_000));
    book.take(2, voucher("A", 6000));
    book.take(60, card("A", 4000));
    assert_eq!(book.discrepancies(), [missing(22, Some(60))]);
}

#[test]
fn the_last_part_in_time_leaves_no_trace() {
    let mut book = Book::new();
    book.take(1, registered("A", 10_000));
    book.take(2, voucher("A", 6000));
    book.take(21, card("A", 4000));
    book.sweep(minute(600));
    assert_eq!(book.discrepancies(), []);
}

#[test]
fn a_discrepancy_closes_when_the_facts_no_longer_break_the_rule() {
    let mut book = lived_in();
    assert_eq!(book.discrepancies(), [missing(22, None)]);
    book.take(50, voucher("B", 5000).saying(ReportedState::Cancelled));
    assert_eq!(book.discrepancies(), [missing(22, Some(50))]);
}

#[test]
fn a_rule_broken_again_is_a_new_discrepancy() {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    book.take(0, voucher("A", 9000));
    book.take(0, card("A", 900));
    book.take(1, registered("A", 9900));
    book.take(2, registered("A", 10_000));
    let kinds: Vec<_> = book.discrepancies().into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, ["amount_short", "total_changed", "amount_short"]);
}

#[test]
fn the_figures_of_an_open_discrepancy_follow_the_facts() {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    book.take(0, voucher("A", 9000));
    book.take(0, card("A", 900));
    book.take(1, registered("A", 11_000));
    let short = "SELECT expected_cents || ' ' || opened_at FROM discrepancies WHERE kind = 'amount_short'";
    assert_eq!(book.texts(short), [format!("11000 {}", minute(0))]);
}

#[test]
fn a_new_policy_reassesses_what_is_open() {
    let mut book = Book::new();
    book.take(0, Entry::Policy(Policy::default()));
    book.take(1, registered("A", 10_000));
    book.take(2, voucher("A", 6000));
    book.take(5, policy_with_grace(2));
    assert_eq!(book.discrepancies(), [missing(5, None)], "overdue under the new policy, known from now on");
    book.take(10, policy_with_grace(60));
    assert_eq!(book.discrepancies(), [missing(5, Some(10))]);
    book.sweep(minute(600));
    assert_eq!(book.discrepancies(), [missing(5, Some(10)), missing(62, None)]);
}

#[test]
fn a_new_policy_leaves_settled_orders_alone() {
    let mut book = Book::new();
    let mut told = voucher("A", 6000);
    told.events[0].order_total = Some(Cents::new(6000));
    book.take(0, told);
    book.sweep(minute(60));
    let strict = Policy { require_orders: true, ..Policy::default() };
    book.take(61, Entry::Policy(strict));
    assert_eq!(book.discrepancies(), []);
}

#[test]
fn the_same_policy_again_changes_nothing() {
    let mut book = Book::new();
    assert!(matches!(book.take(0, Entry::Policy(Policy::default())), Taken::Written { .. }));
    assert_eq!(book.take(1, Entry::Policy(Policy::default())), Taken::Unchanged);
    assert_eq!(book.count("log"), 1);
}

#[test]
fn a_call_that_verifies_closes_the_burst_of_wrong_signatures() {
    let mut book = Book::new();
    book.take(0, wrong_signatures());
    book.take(1, wrong_signatures());
    let burst = |closed| [("signature_failures".to_owned(), 0, closed)];
    assert_eq!(book.discrepancies(), burst(None), "one, however many bursts");
    book.take(2, notification(Vec::new()));
    assert_eq!(book.discrepancies(), burst(Some(2)));
}

#[test]
fn references_that_ancv_cannot_tell_apart_are_told_at_the_second() {
    let mut book = Book::new();
    book.take(0, registered("12345678901234567890-A", 100));
    book.take(1, registered("12345678901234567890-B", 100));
    book.take(2, registered("1234567890123456789", 100));
    assert_eq!(book.discrepancies(), [("reference_collision".to_owned(), 1, None)]);
    assert_eq!(book.texts("SELECT detail FROM discrepancies"), ["12345678901234567890-A"]);
}

#[test]
fn an_acknowledgement_is_kept_with_its_discrepancy() {
    let book = lived_in();
    let acked = book.texts("SELECT acked_at || ' ' || acked_by || ' ' || acked_note FROM acct_discrepancies");
    assert_eq!(acked, [format!("{} compta called the customer", minute(40))]);
}

#[test]
fn what_does_not_exist_cannot_be_acknowledged() {
    let mut book = Book::new();
    let result = book.within(|_, fold| fold.take(minute(0), &acknowledged(7)));
    assert!(matches!(result, Err(LedgerError::NoDiscrepancy(7))), "{result:?}");
    assert_eq!(book.count("log"), 0);
}

/// A disk may turn a bit in one row; the other orders are still paid for.
#[test]
fn one_damaged_order_does_not_keep_the_others_out() {
    for content in ["'x'", "CAST(x'ff' AS TEXT)"] {
        let mut book = Book::new();
        book.take(0, voucher("A", 6000));
        book.damage(&format!("UPDATE log SET content = {content} WHERE seq = 1"));
        assert!(matches!(book.take(60, voucher("B", 6000)), Taken::Written { .. }), "A came due before");
        assert_eq!(
            book.texts("SELECT reference FROM orders WHERE look_again_at IS NULL"),
            ["A"],
            "{content}"
        );
    }
}

#[test]
fn an_order_that_was_given_back_collides_with_nobody_any_more() {
    let (first, second) = ("RESERVATION-2026-0001-A", "RESERVATION-2026-0001-B");
    let mut book = Book::new();
    book.take(0, Entry::Policy(Policy::default()));
    book.take(0, registered(first, 6000));
    book.take(1, voucher(first, 6000));
    book.take(2, registered(second, 6000));
    assert_eq!(book.discrepancies(), [("reference_collision".to_owned(), 2, None)]);
    let mut back = card(first, 6000);
    back.events[0].operation = Operation::Credit { of: None };
    back.events[0].instrument = Instrument::Voucher;
    back.events[0].tender_id = TenderId::new("R").ok();
    book.take(3, notification(back.events));
    let collision = book.discrepancies().remove(0);
    assert_eq!(collision, ("reference_collision".to_owned(), 2, Some(3)));
}

#[test]
fn an_account_that_is_not_ours_is_told_until_a_call_is_taken() {
    let mut book = Book::new();
    let Entry::SignatureFailures(mut refused) = wrong_signatures() else { panic!("refused calls") };
    refused.refusal = crate::ledger::Refusal::Account;
    book.take(0, Entry::SignatureFailures(refused));
    assert_eq!(book.discrepancies(), [("contract_unknown".to_owned(), 0, None)]);
    book.take(5, voucher("A", 6000));
    assert_eq!(book.discrepancies()[0].2, None, "calls for two accounts may come in turns");
    book.take(24 * 60, voucher("B", 6000));
    assert_eq!(book.discrepancies()[0], ("contract_unknown".to_owned(), 0, Some(24 * 60)));
}

#[test]
fn a_policy_that_learns_a_contract_settles_it() {
    let on = |contracts: &[&str]| {
        let contracts = contracts.iter().map(|name| Contract::new(*name).expect("a contract")).collect();
        let endpoints = [(endpoint("camping-up2pay"), contracts)].into();
        Entry::Policy(Policy { endpoints, ..Policy::default() })
    };
    let mut book = Book::new();
    book.take(0, on(&["A"]));
    book.take(1, registered("A", 6000));
    let mut paid = voucher("A", 6000);
    paid.events[0].contract = Contract::new("B").ok();
    book.take(2, notification(paid.events));
    assert_eq!(book.discrepancies(), [("contract_unknown".to_owned(), 2, None)]);
    book.take(3, on(&["A", "B"]));
    assert_eq!(book.discrepancies(), [("contract_unknown".to_owned(), 2, Some(3))]);
}

#[test]
fn what_a_registered_order_shares_its_prefix_with_is_looked_up_and_not_looked_through() {
    let book = Book::new();
    let plan = format!("EXPLAIN QUERY PLAN {}", super::super::orders::EARLIER_WITH_SAME_PREFIX);
    let mut statement = book.conn.prepare(&plan).expect("a query");
    let steps: Vec<String> = statement
        .query_map(("camping", "A", 1), |row| row.get("detail"))
        .expect("a plan")
        .collect::<Result<_, _>>()
        .expect("a plan");
    assert!(steps.iter().any(|step| step.contains("orders_by_prefix")), "{steps:?}");
}
