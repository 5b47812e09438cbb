//! What people do about discrepancies: kept forever, found again under any number, and snoozes that end by themselves.

use cvco_domain::{About, Identity, Kind};
use cvco_log::entry::{Act, Deed};

use super::*;

pub(super) fn until(minutes: i64) -> Deed {
    Deed::Snoozed { until: minute(minutes) }
}

fn done(of: Identity, number: i64, deed: Deed, note: Option<&str>) -> LogEntry {
    LogEntry::Act(Act {
        discrepancy: id(number),
        of,
        by: "compta".to_owned(),
        note: note.map(str::to_owned),
        deed,
    })
}

impl Book {
    pub(super) fn identity(&self, discrepancy: i64) -> Identity {
        self.reader().identity(id(discrepancy)).expect("there").0
    }

    pub(super) fn act(&mut self, minutes: i64, discrepancy: i64, deed: Deed) {
        self.say(minutes, discrepancy, deed, None);
    }

    pub(super) fn acknowledge(&mut self, minutes: i64, discrepancy: i64, note: &str) {
        self.say(minutes, discrepancy, Deed::Acknowledged, Some(note));
    }

    fn note(&mut self, minutes: i64, discrepancy: i64, note: &str) {
        self.say(minutes, discrepancy, Deed::Noted, Some(note));
    }

    fn say(&mut self, minutes: i64, discrepancy: i64, deed: Deed, note: Option<&str>) {
        let of = self.identity(discrepancy);
        self.take(minutes, done(of, discrepancy, deed, note));
    }

    /// A discrepancy that is urgent, open since minute 22.
    fn half_paid() -> Self {
        let mut book = Self::new();
        book.take(2, registered("A", 10_000));
        book.take(2, voucher("A", 6000));
        book.wait_until(22);
        assert_eq!(book.discrepancies(), [seen("complement_missing", 22, None)]);
        book
    }

    /// One that compares amounts, open since minute 0.
    fn over() -> Self {
        let mut book = Self::new();
        book.take(0, registered("A", 10_000));
        book.take(0, voucher("A", 9000));
        book.take(0, card("A", 1900));
        assert_eq!(book.discrepancies(), [seen("amount_over", 0, None)]);
        book
    }

    /// Of the discrepancies so far, the last date until which each is put aside.
    fn snoozed(&self) -> Vec<String> {
        self.texts("SELECT COALESCE(snoozed_until, 'no') FROM acct_discrepancies ORDER BY id")
    }

    /// The reminders that are worth sending, with when they became owed.
    fn reminders(&self) -> Vec<String> {
        self.texts("SELECT owed_at FROM owed WHERE news = 'reminded' AND outcome IS NOT 'superseded'")
    }

    fn notes(&self) -> Vec<String> {
        self.texts("SELECT id || ' ' || last_note FROM acct_discrepancies WHERE last_note IS NOT NULL")
    }
}

#[test]
fn an_acknowledgement_is_kept_with_its_discrepancy() {
    let book = lived_in();
    let acked = book.texts("SELECT acked_at || ' ' || acked_by || ' ' || acked_note FROM acct_discrepancies");
    assert_eq!(acked, [format!("{} compta called the customer", minute(40))]);
}

#[test]
fn a_snooze_ends_at_its_instant_however_late_that_is_announced() {
    for late in [60, 61, 5000] {
        let mut book = Book::half_paid();
        book.act(30, 1, until(60));
        assert_eq!(book.snoozed(), [minute(60).to_string()]);
        assert_eq!(book.ledger.position().next_deadline, Some(minute(60)));
        book.wait_until(59);
        assert_eq!(book.reminders(), [""; 0], "not yet");
        book.wait_until(late);
        assert_eq!((book.snoozed(), book.reminders()), (vec!["no".to_owned()], vec![minute(60).to_string()]));
        book.wait_until(late + 1);
        assert_eq!(book.reminders().len(), 1, "nobody is reminded twice");
    }
}

#[test]
fn an_unannounced_end_of_a_snooze_comes_before_the_next_entry() {
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
    book.wait_until(600);
    assert_eq!(book.reminders(), [""; 0]);
}

#[test]
fn what_closes_before_the_reminder_left_is_not_reminded_of() {
    let mut book = Book::half_paid();
    book.act(30, 1, until(60));
    book.take(60, card("A", 4000));
    let owed = book.texts("SELECT news || ' ' || COALESCE(outcome, 'owed') FROM owed ORDER BY id");
    assert_eq!(owed, ["opened superseded", "reminded superseded"], "nor was anybody told that it opened");
}

#[test]
fn of_two_snoozes_the_later_act_counts() {
    for (first, second) in [(60, 50), (50, 100)] {
        let mut book = Book::half_paid();
        book.act(30, 1, until(first));
        book.act(31, 1, until(second));
        book.wait_until(600);
        assert_eq!(book.reminders(), [minute(second).to_string()]);
    }
}

#[test]
fn a_snooze_after_a_reminder_that_has_not_left_takes_it_back() {
    let mut book = Book::half_paid();
    book.act(30, 1, until(60));
    book.wait_until(60);
    book.act(61, 1, until(100));
    assert_eq!(book.reminders(), [""; 0]);
    book.wait_until(100);
    assert_eq!(book.reminders(), [minute(100).to_string()]);
}

#[test]
fn nobody_is_mailed_about_what_is_only_listed() {
    let mut book = Book::new();
    book.take(0, voucher("A", 6000));
    book.wait_until(60);
    assert_eq!(book.kinds()[0], "total_unknown");
    book.act(61, 1, until(90));
    book.wait_until(90);
    assert_eq!(book.snoozed(), ["no"], "it comes back into the list");
    assert_eq!(book.count("owed"), 0);
}

#[test]
fn changed_amounts_end_a_snooze_with_a_reminder() {
    let mut book = Book::over();
    book.act(1, 1, until(100));
    book.take(2, registered("A", 9_000));
    assert_eq!((book.snoozed().remove(0), book.reminders()), ("no".to_owned(), vec![minute(2).to_string()]));
    book.wait_until(600);
    assert_eq!(book.reminders(), [minute(2).to_string()], "the old date is void");
}

#[test]
fn changed_amounts_of_an_acknowledged_one_are_told_and_the_mark_stays() {
    let mut book = Book::over();
    book.act(1, 1, Deed::Acknowledged);
    book.take(2, registered("A", 9_000));
    assert_eq!(book.reminders(), [minute(2).to_string()]);
    book.take(3, registered("A", 8_000));
    assert_eq!(book.reminders(), [minute(3).to_string()], "one that waits is enough");
    assert_eq!(book.texts("SELECT acked_at FROM discrepancies WHERE id = 1"), [minute(1).to_string()]);
}

#[test]
fn changed_amounts_of_what_nobody_has_seen_to_need_no_reminder() {
    for deed in [Deed::Noted, Deed::Withdrawn] {
        let mut book = Book::over();
        book.act(1, 1, deed);
        book.take(2, registered("A", 9_000));
        assert_eq!(book.reminders(), [""; 0]);
    }
}

#[test]
fn other_particulars_are_no_other_amounts() {
    let mut book = Book::new();
    book.take(0, wrong_signatures());
    book.act(1, 1, until(100));
    book.take(2, Refusals { calls: 900, ..wrong_signatures() });
    assert_eq!(book.snoozed(), [minute(100).to_string()]);
}

#[test]
fn what_was_given_by_mistake_is_taken_back_and_stays_listed() {
    let mut book = Book::half_paid();
    book.act(30, 1, Deed::Acknowledged);
    book.act(30, 1, until(60));
    book.act(31, 1, Deed::Withdrawn);
    book.wait_until(600);
    assert_eq!((book.snoozed(), book.reminders()), (vec!["no".to_owned()], Vec::new()));
    let unmarked = "discrepancies WHERE acked_at IS NULL AND acked_by IS NULL AND acked_note IS NULL AND kind = 'complement_missing'";
    assert_eq!(book.count(unmarked), 1);
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
    book.say(42, 1, until(70), Some("she pays on Monday"));
    assert_eq!(book.notes(), ["1 she pays on Monday"]);
}

#[test]
fn a_snooze_of_what_has_closed_or_that_is_over_already_is_void() {
    let mut book = Book::half_paid();
    book.act(30, 1, until(25));
    assert_eq!(book.snoozed(), ["no"]);
    book.take(55, card("A", 4000));
    book.act(56, 1, until(90));
    assert_eq!(book.snoozed(), ["no"]);
    book.wait_until(600);
    assert_eq!(book.reminders(), [""; 0]);
    assert_eq!(book.count("acts"), 2, "what was done is kept");
}

/// Two of one cause: the total of a paid order was changed, put right, and changed once more.
fn broken_again() -> Book {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    book.take(0, voucher("A", 9000));
    book.take(0, card("A", 1000));
    book.take(1, registered("A", 11_000));
    book.take(2, registered("A", 10_000));
    book.take(3, registered("A", 11_000));
    assert_eq!(book.discrepancies(), [seen("total_changed", 1, Some(2)), seen("total_changed", 3, None)]);
    book
}

#[test]
fn an_act_keeps_to_its_discrepancy_beside_a_later_one_of_the_same_cause() {
    let mut book = broken_again();
    book.note(4, 1, "the first");
    book.note(5, 2, "the second");
    assert_eq!(book.notes(), ["1 the first", "2 the second"]);
}

#[test]
fn an_act_finds_its_discrepancy_under_another_number() {
    let mut book = broken_again();
    for number in [2, 1] {
        let of = book.identity(number);
        book.take(4, done(of, 3, Deed::Noted, Some(&format!("meant {number}"))));
    }
    assert_eq!(book.notes(), ["1 meant 1", "2 meant 2"]);
}

#[test]
fn an_act_whose_discrepancy_opens_at_another_time_is_of_the_open_one_or_else_the_latest() {
    let mut book = broken_again();
    let of = Identity { opened_at: minute(-5), ..book.identity(1) };
    book.take(4, done(of.clone(), 1, Deed::Noted, Some("open")));
    assert_eq!(book.notes(), ["2 open"]);
    book.take(5, registered("A", 10_000));
    book.take(6, done(of, 1, Deed::Noted, Some("latest")));
    assert_eq!(book.notes(), ["2 latest"]);
}

#[test]
fn an_act_on_what_the_rules_never_raised_is_kept_and_concerns_nothing() {
    let mut book = lived_in();
    for of in [
        Identity { kind: Kind::DoublePayment, ..book.identity(1) },
        Identity { about: About::Order(reference("Z")), ..book.identity(1) },
        Identity { subject: "another".to_owned(), ..book.identity(1) },
        Identity { shop: Some(shop("hotel")), ..book.identity(1) },
        Identity { shop: None, ..book.identity(1) },
        Identity { about: About::Daemon, ..book.identity(1) },
    ] {
        book.take(50, done(of, 1, until(900), Some("lost")));
    }
    assert_eq!(
        (book.snoozed(), book.notes()),
        (vec!["no".to_owned()], vec!["1 called the customer".to_owned()])
    );
    assert_eq!(book.count("acct_acknowledgements WHERE discrepancy_id IS NULL AND note = 'lost'"), 6);
}

#[test]
fn whatever_breaks_a_rule_is_found_again_by_what_it_is() {
    let mut book = Book::new();
    let anonymous = Event { order_ref: None, ..part("N", 6000, Instrument::Voucher) };
    book.take(0, registered("12345678901234567890-A", 100));
    book.take(0, registered("12345678901234567890-B", 100));
    book.take(0, notification(vec![anonymous]));
    book.take(1, voucher("C", 6000));
    book.take(1, voucher("C", 6100));
    book.wait_until(60);
    book.take(61, wrong_signatures());
    book.take(61, stories::statement(&[stories::line("nobody", 4200)]));
    book.take(61, LogEntry::Clock(cvco_log::entry::ClockCorrection { from: minute(61) }));
    let all = book.texts("SELECT id FROM discrepancies ORDER BY id");
    let of_each = [
        "order_id IS NOT NULL AND call_number IS NULL",
        "order_id IS NOT NULL AND call_number IS NOT NULL",
        "endpoint IS NOT NULL",
        "shop IS NOT NULL AND order_id IS NULL AND endpoint IS NULL",
        "shop IS NULL",
    ];
    for condition in of_each {
        assert!(book.count(&format!("discrepancies WHERE {condition}")) > 0, "{condition}");
    }
    for number in &all {
        let of = book.identity(number.parse().expect("a number"));
        book.take(62, done(of, 99, Deed::Noted, Some(number)));
    }
    assert_eq!(book.notes(), all.iter().map(|id| format!("{id} {id}")).collect::<Vec<_>>());
}

#[test]
fn accountants_see_every_act() {
    let mut book = lived_in();
    book.say(41, 1, until(60), Some("on holiday"));
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
fn acts_are_made_again_like_everything_else() {
    let mut book = Book::half_paid();
    for deed in [Deed::Acknowledged, Deed::Noted, until(90), Deed::Withdrawn, until(60)] {
        book.act(30, 1, deed);
        assert_eq!(book.proof().flaws, []);
    }
    let before = book.everything();
    book.damage("DELETE FROM acts; UPDATE discrepancies SET snoozed_until = NULL");
    assert_eq!(book.rebuild(), ["discrepancies", "acts"]);
    assert_eq!(book.everything(), before);
    book.wait_until(60);
    assert_eq!((book.reminders(), book.proof().flaws), (vec![minute(60).to_string()], vec![]));
}

/// The time to look at what is urgent begins when its message has left.
#[test]
fn nobody_else_is_told_before_the_message_had_time_to_be_read() {
    let mut book = Book::new();
    let escalate_after = Some(std::time::Duration::from_hours(2));
    book.take(0, LogEntry::Policy(Policy { escalate_after, ..Policy::default() }));
    book.take(0, registered("A", 10_000));
    book.take(1, voucher("A", 6000));
    book.wait_until(60);
    let urgent = book.texts("SELECT id FROM discrepancies WHERE severity = 'urgent'");
    let number: i64 = urgent[0].parse().expect("a number");
    let escalates_at = |book: &Book| {
        book.texts("SELECT substr(escalate_at, 12, 5) FROM discrepancies WHERE escalate_at IS NOT NULL")
    };
    book.wait_until(8 * 60);
    assert_eq!(escalates_at(&book), [""; 0], "its mail waits for the morning");
    let items = vec![cvco_log::entry::MailItem {
        news: cvco_domain::News::Opened,
        discrepancy: id(number),
        of: book.identity(number),
    }];
    book.take(8 * 60, stories::telling("m@host", items));
    book.take(8 * 60, stories::told("m@host"));
    assert_eq!(escalates_at(&book), ["20:00"]);
}

/// Before the payment is known, its chargeback goes by a name of its own.
#[test]
fn a_chargeback_that_is_told_before_its_payment_stays_the_same_discrepancy() {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    let taken = Event {
        operation: Operation::Chargeback { of: None },
        tender_id: TenderId::new("A-chargeback").ok(),
        ..part("A", 4000, Instrument::Card)
    };
    book.take(1, notification(vec![taken]).saying(ReportedState::Captured));
    let subjects = "SELECT id || ' ' || subject || IIF(closed_at IS NULL, '', ' closed') FROM discrepancies
                    WHERE kind = 'chargeback'";
    assert_eq!(book.texts(subjects), ["1 A-chargeback/LIMOCB"]);
    let told_of = book.identity(1);
    book.take(3, voucher("A", 6000));
    book.take(3, card("A", 4000));
    assert_eq!(book.texts(subjects), ["1 A-LIMOCB/LIMOCB"]);
    // Written before the news of the payment was read.
    book.take(4, done(told_of, 1, Deed::Acknowledged, Some("the bank has called")));
    assert_eq!(book.notes(), ["1 the bank has called"]);
}
