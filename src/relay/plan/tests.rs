use super::*;
use cvco_domain::{CallNumber, Mode, Psp, Seq};

pub(in crate::relay) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_780_000_000_000 + seconds * 1000)
}

pub(in crate::relay) fn handler(target: &str) -> Handler {
    Handler {
        endpoint: EndpointId::new("up2pay").expect("an endpoint"),
        target: RelayTarget::new(target).expect("a target"),
    }
}

/// A call of an order that came at the second of its number.
pub(in crate::relay) fn relay(seq: i64, order: &str) -> PendingRelay {
    PendingRelay {
        notification: Seq::new(seq),
        target: handler("shop").target,
        endpoint: handler("shop").endpoint,
        psp: Psp::Up2pay,
        mode: Mode::Production,
        lane: order.to_owned(),
        call_number: CallNumber::new(format!("call-{order}")).ok(),
        part: None,
        payload_sha256: String::new(),
        owed_at: at(seq),
        asked_at: None,
        attempts: 0,
        not_before: None,
        last_error: None,
    }
}

fn voucher(seq: i64, order: &str) -> PendingRelay {
    PendingRelay { part: Some(RelayPart::Voucher), ..relay(seq, order) }
}

fn complement(seq: i64, order: &str) -> PendingRelay {
    PendingRelay { part: Some(RelayPart::Complement), ..relay(seq, order) }
}

fn sent(plan: &Plan) -> Vec<i64> {
    plan.send.iter().map(|relay| relay.notification.get()).collect()
}

fn planned(owed: Vec<PendingRelay>, now: Timestamp) -> Plan {
    plan(owed, &[handler("shop")].into(), &BTreeSet::new(), &BTreeMap::new(), now)
}

#[test]
fn calls_of_one_order_go_one_by_one_and_orders_side_by_side() {
    let owed = vec![relay(1, "A"), relay(2, "A"), relay(3, "B"), relay(4, "C")];
    assert_eq!(sent(&planned(owed.clone(), at(9))), [1, 3, 4]);
    let busy = [Lane::of(&owed[0])].into();
    let plan = plan(owed, &[handler("shop")].into(), &busy, &BTreeMap::new(), at(9));
    assert_eq!(sent(&plan), [3, 4], "the order's next call waits for the one under way");
}

#[test]
fn a_call_that_is_tried_again_later_holds_up_its_own_order_alone() {
    let later = PendingRelay { attempts: 1, not_before: Some(at(60)), ..relay(1, "A") };
    let plan = planned(vec![later, relay(2, "A"), relay(3, "B")], at(9));
    assert_eq!(sent(&plan), [3]);
    assert_eq!(plan.next_at, Some(at(60)));
}

#[test]
fn a_small_shop_is_not_called_by_all_orders_at_once() {
    let owed = (0..9).map(|seq| relay(seq, &format!("order {seq}"))).collect();
    assert_eq!(sent(&planned(owed, at(9))), [0, 1, 2, 3]);
}

#[test]
fn a_complement_waits_ten_seconds_for_its_voucher() {
    let plan = planned(vec![complement(1, "A"), relay(2, "B")], at(5));
    assert_eq!((sent(&plan), plan.next_at), (vec![2], Some(at(11))));
    assert_eq!(plan.held, [Lane::of(&relay(1, "A"))].into(), "no PSP's answer waits for that");
    assert_eq!(sent(&planned(vec![complement(1, "A")], at(11))), [1]);
}

#[test]
fn a_voucher_that_comes_after_its_complement_goes_first() {
    let owed = vec![complement(1, "A"), voucher(4, "A")];
    assert_eq!(sent(&planned(owed, at(4))), [4]);
    assert_eq!(sent(&planned(vec![complement(1, "A")], at(12))), [1], "then the complement");
    let other_attempt = PendingRelay { call_number: CallNumber::new("another").ok(), ..voucher(4, "A") };
    assert_eq!(sent(&planned(vec![complement(1, "A"), other_attempt], at(4))), [0_i64; 0]);
}

#[test]
fn what_is_no_longer_configured_waits() {
    let elsewhere = PendingRelay { target: handler("old").target, ..relay(1, "A") };
    assert_eq!(planned(vec![elsewhere], at(9)), Plan::default());
}

#[test]
fn a_handler_that_is_down_gets_one_probe_and_each_time_another() {
    let mut breaker = Breaker::default();
    (0..5).for_each(|second| breaker.failed(at(second), None));
    let breakers = [(handler("shop"), breaker)].into();
    let tried = PendingRelay { attempts: 3, not_before: Some(at(90)), ..relay(1, "A") };
    let owed = vec![tried, relay(2, "B"), relay(3, "C")];
    let now =
        |seconds| plan(owed.clone(), &[handler("shop")].into(), &BTreeSet::new(), &breakers, at(seconds));
    assert_eq!((sent(&now(10)), now(10).next_at), (vec![], Some(at(64))));
    assert_eq!(sent(&now(64)), [2], "not the one that has just failed");
}

#[test]
fn what_a_person_asks_for_is_tried_at_once_even_of_a_handler_that_is_down() {
    let mut breaker = Breaker::default();
    (0..5).for_each(|second| breaker.failed(at(second), None));
    let asked = PendingRelay { asked_at: Some(at(20)), ..relay(2, "B") };
    let before = PendingRelay { asked_at: Some(at(3)), ..relay(1, "A") };
    let owed = vec![before, asked.clone(), PendingRelay { notification: Seq::new(3), ..asked }];
    let now = |breaker: Breaker| {
        let breakers = [(handler("shop"), breaker)].into();
        sent(&plan(owed.clone(), &[handler("shop")].into(), &BTreeSet::new(), &breakers, at(21)))
    };
    assert_eq!(now(breaker), [2], "one of them: it shows whether the handler is back");
    breaker.failed(at(21), None);
    assert_eq!(now(breaker), [0_i64; 0]);
}

#[test]
fn what_a_handler_that_is_down_was_owed_for_three_days_is_parked_all_of_it() {
    let mut breaker = Breaker::default();
    (0..5).for_each(|second| breaker.failed(at(second), None));
    let three_days = 72 * 3600;
    let owed = vec![relay(1, "A"), relay(2, "A"), relay(3, "B"), relay(9, "C")];
    let down = [(handler("shop"), breaker)].into();
    let plan_of = |breakers| {
        plan(owed.clone(), &[handler("shop")].into(), &BTreeSet::new(), breakers, at(three_days + 3))
    };
    let down = plan_of(&down);
    let parked: Vec<_> = down.park.iter().map(|relay| relay.notification.get()).collect();
    assert_eq!((parked, sent(&down)), (vec![1, 2, 3], vec![9]));
    let up = plan_of(&BTreeMap::new());
    assert_eq!((up.park.len(), sent(&up)), (0, vec![1, 3, 9]), "each gets its attempt first");
}
