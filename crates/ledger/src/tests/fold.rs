//! The fold: orders, policies, endpoints.

use super::*;

fn missing(opened: i64, closed: Option<i64>) -> Seen {
    seen("complement_missing", opened, closed)
}

#[test]
fn an_order_registered_again_as_it_was_changes_nothing() {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    let before = rows_but_progress(&book);
    book.take(1, registered("A", 10_000));
    assert_eq!(rows_but_progress(&book), before);
}

/// How far the fold came always changes.
fn rows_but_progress(book: &Book) -> Vec<Table> {
    book.everything().into_iter().filter(|table| table.name != "progress").collect()
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
    book.take(0, voucher("A", 10_000));
    for (at, cents) in [(1, 11_000), (2, 10_000), (3, 11_000)] {
        book.take(at, registered("A", cents));
    }
    assert_eq!(book.kinds(), ["total_changed", "total_changed"]);
}

#[test]
fn the_figures_of_an_open_discrepancy_follow_the_facts() {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    book.take(0, voucher("A", 9000));
    book.take(0, card("A", 900));
    book.wait_until(20);
    book.take(21, registered("A", 11_000));
    let short = "SELECT expected_cents || ' ' || opened_at FROM discrepancies WHERE kind = 'amount_short'";
    assert_eq!(book.texts(short), [format!("11000 {}", minute(20))]);
}

/// What an accountant reads of an order.
fn order_of(book: &Book) -> Vec<String> {
    book.texts("SELECT state || ' ' || paid_cents || ' ' || gap_cents || ' ' || owed_cents FROM acct_orders")
}

#[test]
fn a_deposit_and_its_balance_are_one_order() {
    let mut book = Book::new();
    let due = Some(minute(90 * DAY));
    book.take(0, OrderRegistration { due, ..registered("A", 50_000) });
    assert_eq!(order_of(&book), ["unpaid 0 -50000 50000"]);
    book.take(1, voucher("A", 6000));
    book.take(1, card("A", 9000));
    assert_eq!(order_of(&book), ["part_paid 15000 -35000 35000"]);
    assert_eq!(book.texts("SELECT next_check_at FROM orders"), [minute(90 * DAY).to_string()]);
    let balance = |instrument, cents| {
        let mut event = part("B", cents, instrument);
        event.order_ref = OrderRef::new("A").ok();
        notification(vec![event])
    };
    book.take(90 * DAY - 10, balance(Instrument::Voucher, 20_000));
    book.wait_until(90 * DAY + 11);
    // It was told late that a part of the balance is missing: that is said of its payment, and of nothing else.
    assert_eq!(book.discrepancies(), [seen("complement_missing", 90 * DAY + 10, None)]);
    book.take(90 * DAY + 12, balance(Instrument::Card, 15_000));
    assert_eq!(order_of(&book), ["balanced 50000 0 0"]);
    assert_eq!(
        book.texts("SELECT state || ' ' || gap_cents FROM acct_register"),
        ["balanced 0", "balanced 0"]
    );
    assert_eq!(book.count("discrepancies WHERE closed_at IS NULL"), 0);
}

#[test]
fn a_discrepancy_of_an_order_shows_its_payment_where_there_is_only_one() {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    book.take(0, voucher("A", 9000));
    book.take(0, card("A", 900));
    book.wait_until(20);
    let shown = "SELECT kind || ' ' || psp || ' ' || COALESCE(call_number, '-') FROM acct_discrepancies";
    assert_eq!(book.texts(shown), ["amount_short up2pay call-A"]);
    let mut event = part("B", 50, Instrument::Card);
    event.order_ref = OrderRef::new("A").ok();
    event.complement = false;
    book.take(21, notification(vec![event]));
    book.wait_until(60);
    assert_eq!(book.texts(shown), ["amount_short up2pay -"], "the same one, of two payments");
    let of_all = book.reader().discrepancy(id(1)).expect("read").expect("there");
    assert_eq!(of_all.records.len(), 2);
    assert_eq!((of_all.expected, of_all.actual), (Some(Cents::new(10_000)), Some(Cents::new(9950))));
}

#[test]
fn a_plan_is_a_part_of_what_was_registered() {
    let mut book = Book::new();
    let plan = |dues: [Option<Timestamp>; 2]| OrderRegistration {
        instalments: vec![
            Instalment { cents: Cents::new(15_000), due: dues[0] },
            Instalment { cents: Cents::new(35_000), due: dues[1] },
        ],
        ..registered("A", 50_000)
    };
    book.take(0, plan([Some(minute(DAY)), Some(minute(90 * DAY))]));
    book.take(0, plan([Some(minute(DAY)), Some(minute(90 * DAY))]));
    assert_eq!(book.texts("SELECT version FROM acct_orders"), ["1"], "nothing new");
    book.take(1, voucher("A", 15_000));
    book.wait_until(89 * DAY);
    assert_eq!(order_of(&book), ["part_paid 15000 -35000 35000"]);
    assert_eq!(book.kinds(), [""; 0]);
    book.wait_until(90 * DAY);
    assert_eq!(book.kinds(), ["amount_short"]);
    book.take(91 * DAY, plan([Some(minute(DAY)), Some(minute(100 * DAY))]));
    assert_eq!(book.texts("SELECT version FROM acct_orders"), ["2"]);
    assert_eq!(book.count("discrepancies WHERE closed_at IS NULL"), 0, "the shop gives more time");
}

#[test]
fn a_new_policy_reassesses_what_is_open() {
    let mut book = Book::new();
    book.take(0, Policy::default());
    book.take(1, registered("A", 10_000));
    book.take(2, voucher("A", 6000));
    book.take(5, policy_with_grace(2));
    assert_eq!(book.discrepancies(), [missing(5, None)], "overdue under the new policy, known from now on");
    book.take(10, policy_with_grace(60));
    assert_eq!(book.discrepancies(), [missing(5, Some(10))]);
    book.wait_until(600);
    assert_eq!(book.discrepancies(), [missing(5, Some(10)), missing(62, None)]);
}

#[test]
fn a_new_policy_leaves_settled_orders_alone() {
    let mut book = Book::new();
    let mut told = voucher("A", 6000);
    told.events[0].order_total = Some(Cents::new(6000));
    told.events[0].state = ReportedState::Captured;
    book.take(0, told);
    book.wait_until(60);
    book.take(61, Policy { require_orders: true, ..Policy::default() });
    assert_eq!(book.discrepancies(), []);
}

#[test]
fn the_same_policy_again_changes_nothing() {
    let mut book = Book::new();
    book.take(0, policy_with_grace(5));
    book.take(1, voucher("A", 6000));
    let before = rows_but_progress(&book);
    book.take(2, policy_with_grace(5));
    assert_eq!(rows_but_progress(&book), before);
    assert_eq!(book.ledger.policy().expect("read"), policy_with_grace(5));
}

#[test]
fn a_call_that_verifies_closes_the_burst_of_wrong_signatures() {
    let mut book = Book::new();
    book.take(0, wrong_signatures());
    book.take(1, Refusals { calls: 900, ..wrong_signatures() });
    let burst = |closed| [seen("signature_failures", 0, closed)];
    assert_eq!(book.discrepancies(), burst(None), "one, however many bursts");
    assert_eq!(book.texts("SELECT detail FROM discrepancies"), ["900 calls refused; no variant matches"]);
    book.take(2, notification(Vec::new()).at_endpoint("another"));
    assert_eq!(book.discrepancies(), burst(None), "another endpoint proves nothing of this one");
    book.take(3, notification(Vec::new()));
    assert_eq!(book.discrepancies(), burst(Some(3)));
}

/// Some servers of the PSP sign with a new key already, the others with the old one.
#[test]
fn a_call_that_verifies_proves_nothing_where_such_calls_came_all_the_time() {
    let mut book = Book::new();
    book.take(0, Refusals { calls: 240, taken: 60, ..wrong_signatures() });
    book.take(1, notification(Vec::new()));
    let wrong = |closed| [seen("signature_failures", 0, closed)];
    assert_eq!(book.discrepancies(), wrong(None));
    book.take(60, Refusals { calls: 400, taken: 100, ..wrong_signatures() });
    book.wait_until(25 * 60 - 1);
    assert_eq!(book.discrepancies(), wrong(None), "it was reported an hour later again");
    book.wait_until(25 * 60);
    assert_eq!(book.discrepancies(), wrong(Some(25 * 60)));
}

#[test]
fn refused_calls_are_told_by_reason_and_at_once_when_one_was_signed() {
    let mut book = Book::new();
    let refused = |refusal| Refusals {
        refusal,
        caller: Some("194.2.122.190".to_owned()),
        explanation: "its address is outside allow_from".to_owned(),
        ..wrong_signatures()
    };
    book.take(0, refused(Refusal::Address));
    book.take(1, refused(Refusal::Form));
    let severities =
        |book: &Book| book.texts("SELECT subject || ' ' || severity FROM discrepancies ORDER BY id");
    assert_eq!(severities(&book), ["address warning", "form warning"]);
    let owed = "SELECT news || ' ' || urgent FROM owed ORDER BY rowid";
    assert_eq!(book.texts(owed), ["opened 0", "opened 0"]);

    book.take(2, Refusals { calls: 6, signed: true, ..refused(Refusal::Address) });
    assert_eq!(severities(&book), ["address urgent", "form warning"]);
    assert_eq!(book.texts(owed), ["opened 1", "opened 0"], "what waits is told at once");
    assert_eq!(
        book.texts("SELECT detail FROM discrepancies WHERE subject = 'address'"),
        ["6 calls refused (address), the last from 194.2.122.190; its address is outside allow_from"]
    );
    book.take(3, refused(Refusal::Address));
    assert_eq!(severities(&book), ["address urgent", "form warning"], "it stays urgent");

    book.take(4, notification(Vec::new()));
    book.wait_until(24 * 60 + 2);
    let open = "SELECT subject FROM discrepancies WHERE closed_at IS NULL";
    assert_eq!(book.texts(open), ["address"], "a day after the last of its kind each is over");
    book.wait_until(24 * 60 + 3);
    assert_eq!(book.texts(open), [""; 0]);
}

#[test]
fn references_that_ancv_cannot_tell_apart_are_told_at_the_second() {
    let mut book = Book::new();
    book.take(0, registered("12345678901234567890-A", 100));
    book.take(1, registered("12345678901234567890-B", 100));
    book.take(2, registered("1234567890123456789", 100));
    assert_eq!(book.discrepancies(), [seen("reference_collision", 1, None)]);
    assert_eq!(book.texts("SELECT detail FROM discrepancies"), ["12345678901234567890-A"]);
}

#[test]
fn references_are_too_alike_for_as_long_as_neither_order_was_given_back() {
    let [a, b] = ["12345678901234567890-A", "12345678901234567890-B"];
    let back = |reference: &str, minute: i64| {
        let mut back = refund(reference, 100);
        back.events[0].tender_id = TenderId::new(format!("{reference}-{minute}")).ok();
        (minute, back)
    };
    let paid_again = |reference: &str| {
        let mut again = card(reference, 100);
        again.events[0].call_number = CallNumber::new("another").expect("a call number");
        again.events[0].tender_id = TenderId::new(format!("{reference}-again")).ok();
        again
    };
    for given_back in [a, b] {
        let mut book = Book::new();
        book.take(0, registered(a, 100));
        book.take(1, registered(b, 100));
        book.take(2, card(given_back, 100));
        let (at, refunded) = back(given_back, 3);
        book.take(at, refunded);
        let collisions = |book: &Book| -> Vec<Seen> {
            let all = book.discrepancies().into_iter();
            all.filter(|seen| seen.kind == "reference_collision").collect()
        };
        // It lives again: ANCV's next statement could mean either, and a person is told so once more.
        book.take(4, paid_again(given_back));
        let told_twice = [seen("reference_collision", 1, Some(3)), seen("reference_collision", 4, None)];
        assert_eq!(collisions(&book), told_twice, "{given_back}");
    }
}

#[test]
fn an_account_that_is_not_ours_is_told_until_calls_are_taken_for_a_day() {
    let mut book = Book::new();
    book.take(0, Refusals { refusal: Refusal::Account, ..wrong_signatures() });
    assert_eq!(book.discrepancies(), [seen("contract_unknown", 0, None)]);
    book.take(5, voucher("A", 6000));
    assert_eq!(book.discrepancies()[0].closed, None, "calls for two accounts may come in turns");
    book.take(DAY, voucher("B", 6000));
    assert_eq!(book.discrepancies()[0], seen("contract_unknown", 0, Some(DAY)));
}

#[test]
fn a_policy_that_learns_a_contract_settles_it() {
    let on = |contracts: &[&str]| {
        let contracts = contracts.iter().map(|name| contract(name)).collect();
        Policy { endpoints: [(endpoint("camping-up2pay"), contracts)].into(), ..Policy::default() }
    };
    let mut book = Book::new();
    book.take(0, on(&["A"]));
    book.take(1, registered("A", 6000));
    let mut paid = voucher("A", 6000);
    paid.events[0].contract = Some(contract("B"));
    book.take(2, paid);
    assert_eq!(book.discrepancies(), [seen("contract_unknown", 2, None)]);
    book.take(3, on(&["A", "B"]));
    assert_eq!(book.discrepancies(), [seen("contract_unknown", 2, Some(3))]);
}

#[test]
fn what_a_registered_order_shares_its_prefix_with_is_looked_up_and_not_looked_through() {
    let book = Book::new();
    let plan = format!("EXPLAIN QUERY PLAN {}", crate::tables::orders::EARLIER_WITH_SAME_PREFIX);
    let mut statement = book.ledger.connection().prepare(&plan).expect("a query");
    let steps: Vec<String> = statement
        .query_map(("camping", "A", 1), |row| row.get("detail"))
        .expect("a plan")
        .collect::<Result<_, _>>()
        .expect("a plan");
    assert!(steps.iter().any(|step| step.contains("orders_by_prefix")), "{steps:?}");
}

#[test]
fn a_date_that_no_books_can_have_counts_for_nothing() {
    let mut book = Book::new();
    book.take(0, registered("A", 6000));
    for (cents, date) in [(6000, "2150-01-01T00:00:00Z"), (3000, "0999-01-01T00:00:00Z")] {
        let mut told = voucher(&format!("A{cents}"), cents);
        for event in &mut told.events {
            event.occurred_at = Timestamp::parse(date).ok();
            event.accepted_at = event.occurred_at;
        }
        book.take(1, told);
    }
    assert_eq!(book.texts("SELECT DISTINCT received_on FROM tenders"), ["2026-03-01"]);
}
