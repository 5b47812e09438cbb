//! What people say of discrepancies: kept for ever, found again under any number, and snoozes that end by themselves.

use cvco_domain::Kind;

use super::super::acknowledgements::identified;
use super::super::{About, Identity, Store};
use super::*;

fn said(discrepancy: i64, act: Act, note: Option<&str>) -> Acknowledgement {
    Acknowledgement { discrepancy, note: note.map(str::to_owned), by: "compta".to_owned(), act, of: None }
}

pub(super) fn until(minutes: i64) -> Act {
    Act::Snoozed { until: minute(minutes) }
}

impl Book {
    fn say(&mut self, minutes: i64, ack: Acknowledgement) -> Result<Taken, LedgerError> {
        self.within(|_, fold| fold.take_act(minute(minutes), ack))
    }

    pub(super) fn act(&mut self, minutes: i64, discrepancy: i64, act: Act) {
        self.say(minutes, said(discrepancy, act, None)).expect("taken");
    }

    fn note(&mut self, minutes: i64, discrepancy: i64, note: &str) {
        self.say(minutes, said(discrepancy, Act::Noted, Some(note))).expect("taken");
    }

    /// A discrepancy that is urgent, open since minute 22.
    fn half_paid() -> Self {
        let mut book = Self::new();
        book.take(2, registered("A", 10_000));
        book.take(2, voucher("A", 6000));
        book.sweep(minute(22));
        assert_eq!(book.discrepancies(), [("complement_missing".to_owned(), 22, None)]);
        book
    }

    /// One that compares amounts, open since minute 0.
    fn short() -> Self {
        let mut book = Self::new();
        book.take(0, registered("A", 10_000));
        book.take(0, voucher("A", 9000));
        book.take(0, card("A", 900));
        assert_eq!(book.discrepancies(), [("amount_short".to_owned(), 0, None)]);
        book
    }

    /// Of the discrepancies so far, the last date until which each is put aside.
    fn snoozed(&self) -> Vec<String> {
        self.texts("SELECT COALESCE(snoozed_until, 'no') FROM acct_discrepancies ORDER BY id")
    }

    /// The reminders that are worth sending, with when they became owed.
    fn reminders(&self) -> Vec<String> {
        self.texts("SELECT created_at FROM outbox WHERE news = 'reminded' AND outcome IS NOT 'superseded'")
    }

    fn notes(&self) -> Vec<String> {
        self.texts("SELECT id || ' ' || last_note FROM acct_discrepancies WHERE last_note IS NOT NULL")
    }

    fn identity(&self, discrepancy: i64) -> Identity {
        let ack = said(discrepancy, Act::Noted, None);
        identified(&self.conn, ack, minute(0)).expect("there").of.expect("an identity")
    }
}

#[test]
fn a_snooze_ends_at_its_instant_however_late_the_sweep_ran() {
    for late in [60, 61, 5000] {
        let mut book = Book::half_paid();
        book.act(30, 1, until(60));
        assert_eq!(book.snoozed(), [minute(60).to_string()]);
        assert!(!book.sweep(Timestamp::from_millis(minute(60).millis() - 1)), "not yet");
        assert_eq!(book.reminders(), Vec::<String>::new());
        assert!(book.sweep(minute(late)));
        assert_eq!((book.snoozed(), book.reminders()), (vec!["no".to_owned()], vec![minute(60).to_string()]));
        assert!(!book.sweep(minute(late)), "nobody is reminded twice");
    }
}

#[test]
fn without_any_sweep_a_snooze_ends_before_the_next_entry() {
    let mut book = Book::half_paid();
    book.act(30, 1, until(60));
    book.take(90, registered("B", 100));
    assert_eq!((book.snoozed(), book.reminders()), (vec!["no".to_owned()], vec![minute(60).to_string()]));
}

#[test]
fn what_closes_while_it_is_snoozed_is_not_reminded_of() {
    let mut book = Book::half_paid();
    book.act(30, 1, until(60));
    book.take(50, card("A", 4000));
    assert_eq!(book.snoozed(), ["no"]);
    assert!(!book.sweep(minute(600)));
    assert_eq!(book.texts("SELECT news FROM outbox ORDER BY id"), ["opened", "closed"]);
}

#[test]
fn what_closes_before_the_reminder_left_is_not_reminded_of() {
    let mut book = Book::half_paid();
    book.act(30, 1, until(60));
    book.take(60, card("A", 4000));
    let owed = book.texts("SELECT news || ' ' || COALESCE(outcome, 'owed') FROM outbox ORDER BY id");
    assert_eq!(owed, ["opened owed", "reminded superseded", "closed owed"]);
}

#[test]
fn of_two_snoozes_the_later_act_counts() {
    for (first, second) in [(60, 50), (50, 100)] {
        let mut book = Book::half_paid();
        book.act(30, 1, until(first));
        book.act(31, 1, until(second));
        book.sweep(minute(600));
        assert_eq!(book.reminders(), [minute(second).to_string()]);
    }
}

#[test]
fn a_snooze_after_a_reminder_that_has_not_left_takes_it_back() {
    let mut book = Book::half_paid();
    book.act(30, 1, until(60));
    book.sweep(minute(60));
    book.act(61, 1, until(100));
    assert_eq!(book.reminders(), Vec::<String>::new());
    book.sweep(minute(100));
    assert_eq!(book.reminders(), [minute(100).to_string()]);
}

#[test]
fn nobody_is_mailed_about_what_is_only_listed() {
    let mut book = Book::new();
    book.take(0, voucher("A", 6000));
    book.sweep(minute(60));
    assert_eq!(book.discrepancies()[0].0, "total_unknown");
    book.act(61, 1, until(90));
    assert!(book.sweep(minute(90)), "it comes back into the list");
    assert_eq!((book.snoozed(), book.count("outbox")), (vec!["no".to_owned()], 0));
}

#[test]
fn changed_amounts_end_a_snooze_with_a_reminder() {
    let mut book = Book::short();
    book.act(1, 1, until(100));
    book.take(2, registered("A", 11_000));
    assert_eq!(
        (book.snoozed().swap_remove(0), book.reminders()),
        ("no".to_owned(), vec![minute(2).to_string()])
    );
    book.sweep(minute(600));
    assert_eq!(book.reminders(), [minute(2).to_string()], "the old date is void");
}

#[test]
fn changed_amounts_of_an_acknowledged_one_are_told_and_the_mark_stays() {
    let mut book = Book::short();
    book.act(1, 1, Act::Acknowledged);
    book.take(2, registered("A", 11_000));
    assert_eq!(book.reminders(), [minute(2).to_string()]);
    book.take(3, registered("A", 12_000));
    assert_eq!(book.reminders(), [minute(3).to_string()], "one that waits is enough");
    assert_eq!(book.texts("SELECT acked_at FROM discrepancies WHERE id = 1"), [minute(1).to_string()]);
}

#[test]
fn changed_amounts_of_what_nobody_has_seen_to_need_no_reminder() {
    for act in [Act::Noted, Act::Withdrawn] {
        let mut book = Book::short();
        book.act(1, 1, act);
        book.take(2, registered("A", 11_000));
        assert_eq!(book.reminders(), Vec::<String>::new());
    }
}

#[test]
fn other_particulars_are_no_other_amounts() {
    let mut book = Book::new();
    book.take(0, wrong_signatures());
    book.act(1, 1, until(100));
    let mut burst = wrong_signatures();
    if let Entry::SignatureFailures(burst) = &mut burst {
        burst.failures = 900;
    }
    book.take(2, burst);
    assert_eq!(book.snoozed(), [minute(100).to_string()]);
}

#[test]
fn what_was_given_by_mistake_is_taken_back_and_stays_in_the_log() {
    let mut book = Book::half_paid();
    book.act(30, 1, Act::Acknowledged);
    book.act(30, 1, until(60));
    book.act(31, 1, Act::Withdrawn);
    assert!(!book.sweep(minute(600)));
    assert_eq!((book.snoozed(), book.reminders()), (vec!["no".to_owned()], Vec::new()));
    assert_eq!(
        book.count("discrepancies WHERE acked_at IS NULL AND acked_by IS NULL AND acked_note IS NULL"),
        1
    );
    let acts = book.texts("SELECT act FROM acct_acknowledgements ORDER BY seq");
    assert_eq!(acts, ["acknowledged", "snoozed", "withdrawn"]);
}

#[test]
fn a_note_changes_nothing_else_even_after_the_end() {
    let mut book = lived_in();
    book.take(50, card("B", 3000));
    let columns = "SELECT acked_at, acked_by, acked_note, snoozed_until, closed_at FROM discrepancies";
    let before = book.rows(columns);
    book.note(60, 1, "refunded in cash");
    assert_eq!(book.rows(columns), before);
    assert_eq!(book.notes(), ["1 refunded in cash"]);
}

#[test]
fn the_last_note_is_the_last_that_has_one() {
    let mut book = lived_in();
    assert_eq!(book.notes(), ["1 called the customer"]);
    book.act(41, 1, until(60));
    assert_eq!(book.notes(), ["1 called the customer"]);
    book.say(42, said(1, until(70), Some("she pays on Monday"))).expect("taken");
    assert_eq!(book.notes(), ["1 she pays on Monday"]);
}

#[test]
fn a_snooze_must_be_of_something_open_and_end_ahead() {
    let mut book = Book::half_paid();
    book.take(50, registered("B", 100));
    let entries = book.count("log");
    // The clock was put back to minute 30: the ledger's time is that of its last entry.
    for end in [40, 50] {
        let refused = book.say(30, said(1, until(end), None));
        assert!(matches!(refused, Err(LedgerError::NotAhead { at, .. }) if at == minute(50)), "{refused:?}");
    }
    book.take(55, card("A", 4000));
    let refused = book.say(56, said(1, until(90), None));
    assert!(matches!(refused, Err(LedgerError::HasClosed(1))), "{refused:?}");
    assert_eq!(book.count("log"), entries + 1, "the card part alone");
}

#[test]
fn a_clock_that_was_put_back_leaves_a_snooze_as_it_is() {
    let mut book = Book::half_paid();
    book.act(30, 1, until(60));
    assert!(!book.sweep(minute(-600)));
    assert_eq!(book.snoozed(), [minute(60).to_string()]);
    book.sweep(minute(60));
    assert!(!book.sweep(minute(-600)));
    assert_eq!(book.reminders(), [minute(60).to_string()]);
}

#[test]
fn acts_are_taken_all_or_none() {
    let book = lived_in();
    super::super::key_file::read_or_make(&book.key_file(), true).expect("a key");
    let mut store = Store::open_existing(&book.path(), &book.key_file()).expect("a ledger");
    let acts = |ids: &[i64]| ids.iter().map(|id| said(*id, until(90), None)).collect();
    let refused = store.acknowledge(minute(50), acts(&[1, 9]));
    assert!(matches!(refused, Err(LedgerError::NoDiscrepancy(9))), "{refused:?}");
    assert_eq!((book.snoozed(), book.count("log")), (vec!["no".to_owned()], 8));
    store.acknowledge(minute(50), acts(&[1])).expect("taken");
    assert_eq!((book.snoozed(), book.count("log")), (vec![minute(90).to_string()], 9));
}

/// Three: an amount too short, closed; the total that was changed meanwhile; the amount again.
fn broken_again() -> Book {
    let mut book = Book::short();
    book.take(1, registered("A", 9900));
    book.take(2, registered("A", 10_000));
    let kinds: Vec<_> = book.discrepancies().into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, ["amount_short", "total_changed", "amount_short"]);
    book
}

#[test]
fn an_act_keeps_to_its_discrepancy_beside_a_later_one_of_the_same_cause() {
    let mut book = broken_again();
    book.note(3, 1, "the first");
    book.note(4, 3, "the second");
    assert_eq!(book.notes(), ["1 the first", "3 the second"]);
}

#[test]
fn an_act_finds_its_discrepancy_under_another_number() {
    let mut book = broken_again();
    for id in [3, 1] {
        let of = Some(book.identity(id));
        let note = Some(format!("meant {id}"));
        book.take(3, Entry::Acknowledgement(Acknowledgement { note, of, ..said(2, Act::Noted, None) }));
    }
    assert_eq!(book.notes(), ["1 meant 1", "3 meant 3"]);
}

#[test]
fn an_act_whose_discrepancy_opens_at_another_time_is_of_the_open_one_or_else_the_latest() {
    let mut book = broken_again();
    let of = Identity { opened_at: minute(-5), ..book.identity(1) };
    let ack = Acknowledgement { note: Some("open".to_owned()), of: Some(of), ..said(1, Act::Noted, None) };
    book.take(3, Entry::Acknowledgement(ack.clone()));
    assert_eq!(book.notes(), ["3 open"]);
    book.take(4, registered("A", 9900));
    book.take(5, Entry::Acknowledgement(Acknowledgement { note: Some("latest".to_owned()), ..ack }));
    assert_eq!(book.notes(), ["3 latest"]);
}

#[test]
fn an_act_on_what_the_rules_never_raised_stays_in_the_log() {
    let mut book = lived_in();
    for of in [
        Identity { kind: Kind::DoublePayment, ..book.identity(1) },
        Identity { about: About::Order(OrderRef::new("Z").expect("a reference")), ..book.identity(1) },
        Identity { subject: "another".to_owned(), ..book.identity(1) },
        Identity { shop: shop("hotel"), ..book.identity(1) },
    ] {
        let ack = Acknowledgement { of: Some(of), ..said(1, until(900), Some("lost")) };
        assert!(matches!(book.take(50, Entry::Acknowledgement(ack)), Taken::Written { .. }));
    }
    assert_eq!(
        (book.snoozed(), book.notes()),
        (vec!["no".to_owned()], vec!["1 called the customer".to_owned()])
    );
    assert_eq!(book.count("acct_acknowledgements WHERE discrepancy_id IS NULL AND note = 'lost'"), 4);
}

#[test]
fn whatever_breaks_a_rule_is_found_again_by_what_it_is() {
    let mut book = Book::new();
    let mut anonymous = voucher("N", 6000).events.remove(0);
    anonymous.order_ref = None;
    book.take(0, registered("12345678901234567890-A", 100));
    book.take(0, registered("12345678901234567890-B", 100));
    book.take(0, notification(vec![anonymous]));
    book.take(1, voucher("C", 6000));
    book.take(1, voucher("C", 6100));
    book.sweep(minute(60));
    book.take(61, wrong_signatures());
    let all = book.texts("SELECT id FROM discrepancies ORDER BY id");
    assert!(all.len() >= 4, "of an order, a record, a payment without a reference, an endpoint: {all:?}");
    for id in &all {
        let of = Some(book.identity(id.parse().expect("a number")));
        book.take(62, Entry::Acknowledgement(Acknowledgement { of, ..said(99, Act::Noted, Some(id)) }));
    }
    assert_eq!(book.notes(), all.iter().map(|id| format!("{id} {id}")).collect::<Vec<_>>());
}

#[test]
fn accountants_see_every_act() {
    let mut book = lived_in();
    book.say(41, said(1, until(60), Some("on holiday"))).expect("taken");
    book.note(42, 1, "back");
    let acts = book.texts(
        "SELECT at || ' ' || act || ' ' || \"by\" || ' ' || discrepancy_id || ' ' || kind || ' ' || shop || ' '
                || order_ref || ' ' || call_number || ' ' || note || ' ' || COALESCE(until, '-')
         FROM acct_acknowledgements ORDER BY seq",
    );
    let rest = |minutes, act, note, until: &str| {
        format!("{} {act} compta 1 complement_missing camping B call-B {note} {until}", minute(minutes))
    };
    assert_eq!(
        acts,
        [
            rest(40, "acknowledged", "called the customer", "-"),
            rest(41, "snoozed", "on holiday", &minute(60).to_string()),
            rest(42, "noted", "back", "-"),
        ]
    );
}

#[test]
fn an_act_is_proven_and_made_again_like_everything_else() {
    let mut book = Book::half_paid();
    for act in [Act::Acknowledged, Act::Noted, until(90), Act::Withdrawn, until(60)] {
        book.act(30, 1, act);
        assert_eq!(book.proof().flaws, []);
    }
    let before = book.everything();
    book.damage("DELETE FROM acts; UPDATE discrepancies SET snoozed_until = NULL");
    let rebuilt = rebuild(&book.path(), &mut |_| {}).expect("rebuilt");
    assert_eq!(rebuilt.replaced, ["discrepancies", "acts"]);
    assert_eq!(book.everything(), before);
    book.sweep(minute(60));
    assert_eq!((book.reminders(), book.proof().flaws), (vec![minute(60).to_string()], vec![]));
}
