//! The ledger depends on the entries and their times, and on nothing else: not on when the sweep ran, not on
//! how entries were grouped into transactions.

use cvco_domain::Kind;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{About, Identity};
use super::*;

/// What comes in, and when; and what the daemon does meanwhile.
#[derive(Debug, Clone)]
struct Step {
    minutes_later: i64,
    entry: Entry,
    sweep_before: Option<i64>,
    commit_before: bool,
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        1 => select(vec![Act::Acknowledged, Act::Noted, Act::Withdrawn]),
        2 => (0..200_i64).prop_map(|minutes| Act::Snoozed { until: minute(minutes) }),
    ]
}

fn act_on_missing_complement(reference: &str, act: Act) -> Entry {
    let call = CallNumber::new(format!("call-{reference}")).expect("a call number");
    let of = Identity {
        kind: Kind::ComplementMissing,
        shop: shop("camping"),
        about: About::Order(OrderRef::new(reference).expect("a reference")),
        record: Some((Psp::Up2pay, call)),
        subject: String::new(),
        opened_at: minute(20),
    };
    let note = Some(format!("{act:?}"));
    Entry::Acknowledgement(Acknowledgement { discrepancy: 1, note, by: String::new(), act, of: Some(of) })
}

fn entries() -> impl Strategy<Value = Entry> {
    let references = || select(vec!["A", "B", "12345678901234567890-C", "12345678901234567890-D"]);
    let cents = || select(vec![4000, 6000, 10_000]);
    let states = select(vec![
        ReportedState::Authorised,
        ReportedState::Authorised,
        ReportedState::Captured,
        ReportedState::Pending,
        ReportedState::Refused,
        ReportedState::Cancelled,
    ]);
    prop_oneof![
        6 => (references(), cents(), any::<bool>(), states).prop_map(|(reference, cents, is_card, state)| {
            let told = if is_card { card(reference, cents) } else { voucher(reference, cents) };
            told.saying(state).into()
        }),
        2 => (references(), cents()).prop_map(|(reference, cents)| registered(reference, cents)),
        1 => select(vec![2, 20]).prop_map(policy_with_grace),
        1 => Just(wrong_signatures()),
        2 => (references(), acts()).prop_map(|(reference, act)| act_on_missing_complement(reference, act)),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..15_i64, entries(), proptest::option::of(0..15_i64), any::<bool>());
    let step = step.prop_map(|(minutes_later, entry, sweep_before, commit_before)| Step {
        minutes_later,
        entry,
        sweep_before: sweep_before.map(|minutes| minutes.min(minutes_later)),
        commit_before,
    });
    vec(step, 0..20)
}

const END: i64 = 10_000;

/// Nothing but the entries, each committed by itself; one sweep at the end.
fn plainly(steps: &[Step]) -> Book {
    let mut book = Book::new();
    let mut now = 0;
    for step in steps {
        now += step.minutes_later;
        book.take(now, step.entry.clone());
    }
    book.sweep(minute(END));
    book
}

/// With sweeps in between, and as many entries to a transaction as it happens.
fn as_it_happened(steps: &[Step]) -> Book {
    let mut book = Book::new();
    let mut now = 0;
    let mut rest = steps;
    while !rest.is_empty() {
        let more = rest[1..].iter().take_while(|step| !step.commit_before).count();
        let (group, later) = rest.split_at(1 + more);
        book.within(|_, fold| {
            for step in group {
                if let Some(minutes) = step.sweep_before {
                    fold.sweep(minute(now + minutes))?;
                }
                now += step.minutes_later;
                fold.take(minute(now), &step.entry)?;
            }
            Ok(())
        })
        .expect("taken");
        rest = later;
    }
    for minutes in [now + 1, now + 25, END] {
        book.sweep(minute(minutes));
    }
    book
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn sweeps_and_transactions_leave_no_mark(steps in steps()) {
        let (plain, busy) = (plainly(&steps), as_it_happened(&steps));
        prop_assert_eq!(plain.everything(), busy.everything());
        prop_assert_eq!(plain.proof().flaws, vec![]);
    }
}

#[test]
fn an_entry_never_falls_behind_a_sweep_that_has_spoken() {
    // The call was timed just before the sweep and reached the writer just after it.
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    book.take(0, voucher("A", 6000));
    assert!(book.sweep(minute(20)));
    book.take(19, card("A", 4000));
    assert_eq!(book.discrepancies(), [("complement_missing".to_owned(), 20, Some(20))]);
    assert_eq!(book.proof().flaws, [], "and so it folds again");
}

#[test]
fn a_sweep_that_came_to_nothing_does_not_move_time() {
    let mut book = Book::new();
    book.take(0, voucher("A", 6000));
    assert!(!book.sweep(minute(10)));
    book.take(5, registered("A", 6000));
    assert_eq!(book.texts("SELECT at FROM log WHERE seq = 2"), [minute(5).to_string()]);
}
