//! One suite for whatever a log stands on: SQLite and memory must not be told apart.

use cvco_domain::{Seq, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::row::{Head, Link};
use crate::store::PURGED_AT_A_TIME;
use crate::{LogStore, MemoryLog, SqliteLog};

/// Two values for one log, as two processes hold them.
struct Both {
    one: Box<dyn LogStore>,
    other: Box<dyn LogStore>,
    _folder: Option<TempDir>,
}

fn in_memory() -> Both {
    let log = MemoryLog::default();
    Both { one: Box::new(log.clone()), other: Box::new(log), _folder: None }
}

fn in_a_file() -> Both {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.sqlite");
    let one = SqliteLog::open_or_create(&path, &[]).expect("a log");
    let other = one.reader().expect("another value");
    Both { one: Box::new(one), other: Box::new(other), _folder: Some(folder) }
}

/// Runs a test on each kind of log.
#[track_caller]
fn on_each(test: impl Fn(&mut dyn LogStore, &mut dyn LogStore)) {
    for mut both in [in_memory(), in_a_file()] {
        test(&mut *both.one, &mut *both.other);
    }
}

fn all(log: &mut dyn LogStore) -> Vec<Link> {
    log.read(Seq::ZERO, usize::MAX).expect("read")
}

fn seqs(links: &[Link]) -> Vec<i64> {
    links.iter().map(|link| link.row.seq.get()).collect()
}

/// The end of a chain whose every link follows from the one before.
#[track_caller]
fn proven(links: &[Link]) -> Head {
    links
        .iter()
        .fold(Head::default(), |head, link| link.row.follow(&head, &link.chain_hash).expect("it follows"))
}

#[test]
fn an_empty_log_stands_before_its_first_entry() {
    on_each(|log, _| {
        assert_eq!(log.head().expect("a head"), Head::default());
        assert_eq!(all(log), []);
        assert_eq!(log.payload(Seq::new(1)).expect("read"), None);
        assert_eq!(log.last_alive().expect("read"), None);
        assert_eq!(log.purge(minute(0)).expect("purged"), 0);
        assert_eq!(log.flaws(), [""; 0]);
    });
}

#[test]
fn a_group_is_numbered_dated_and_linked_in_its_order() {
    on_each(|log, _| {
        let stamps = log.append(&[order("A"), order("B")], minute(0)).expect("appended");
        let more = log.append(&[order("C")], minute(1)).expect("appended");
        let given: Vec<_> = stamps.iter().chain(&more).map(|stamp| (stamp.seq.get(), stamp.at)).collect();
        assert_eq!(given, [(1, minute(0)), (2, minute(0)), (3, minute(1))]);
        let links = all(log);
        for (link, reference) in links.iter().zip(["A", "B", "C"]) {
            assert!(link.row.content.contains(&format!("\"{reference}\"")), "{link:?}");
        }
        assert_eq!(proven(&links), log.head().expect("a head"));
    });
}

#[test]
fn no_group_is_no_entry() {
    on_each(|log, _| {
        assert_eq!(log.append(&[], minute(0)).expect("nothing"), []);
        assert_eq!(log.head().expect("a head"), Head::default());
    });
}

#[test]
fn dates_never_go_back_but_where_the_clock_is_put_right() {
    on_each(|log, _| {
        for (at, entry) in [(10, time()), (5, time()), (20, time()), (7, corrected(minute(20))), (3, time())]
        {
            log.append(&[entry], minute(at)).expect("appended");
        }
        let dates: Vec<String> = all(log).into_iter().map(|link| link.row.at).collect();
        assert_eq!(dates, [10, 10, 20, 7, 7].map(|at| minute(at).to_string()));
        proven(&all(log));
    });
}

#[test]
fn two_values_of_one_log_go_on_from_each_other() {
    on_each(|one, other| {
        for n in 0..3 {
            one.append(&[order(&format!("ONE-{n}"))], minute(n)).expect("appended");
            assert_eq!(one.head().expect("a head"), other.head().expect("a head"));
            other.append(&[order(&format!("OTHER-{n}")), time()], minute(n)).expect("appended");
        }
        let links = all(one);
        assert_eq!(seqs(&links), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(links, all(other));
        assert_eq!(proven(&links), one.head().expect("a head"));
    });
}

#[test]
fn it_is_read_from_anywhere_a_bounded_number_at_a_time() {
    on_each(|log, _| {
        log.append(&vec![time(); 10], minute(0)).expect("appended");
        for (after, at_most, expected) in [
            (0, 3, vec![1, 2, 3]),
            (3, 4, vec![4, 5, 6, 7]),
            (8, 9, vec![9, 10]),
            (10, 5, vec![]),
            (99, 5, vec![]),
        ] {
            assert_eq!(seqs(&log.read(Seq::new(after), at_most).expect("read")), expected);
        }
        assert_eq!(log.read(Seq::ZERO, 0).expect("read"), []);
    });
}

#[test]
fn a_payload_lies_under_the_number_of_its_entry_alone() {
    let key = seal_key();
    on_each(|log, _| {
        log.append(&[time(), called(&key, "Mt=1500"), called(&key, "Mt=1600")], minute(0)).expect("appended");
        let opened = |log: &mut dyn LogStore, seq: i64| {
            let link = log.read(Seq::new(seq - 1), 1).expect("read").remove(0);
            let sealed = log.payload(Seq::new(seq)).expect("read")?;
            Some(
                Envelope::open(&key, &link.row.payload_sha256.expect("a digest"), &sealed)
                    .expect("opened")
                    .body,
            )
        };
        assert_eq!(opened(log, 1), None);
        assert_eq!(opened(log, 2).as_deref(), Some(&b"Mt=1500"[..]));
        assert_eq!(opened(log, 3).as_deref(), Some(&b"Mt=1600"[..]));
    });
}

#[test]
fn signs_of_life_leave_the_chain_alone() {
    on_each(|log, other| {
        log.append(&[time()], minute(0)).expect("appended");
        let head = log.head().expect("a head");
        log.mark_alive(minute(5)).expect("marked");
        log.mark_alive(minute(4)).expect("marked");
        assert_eq!(other.last_alive().expect("read"), Some(minute(4)), "what the clock says now");
        assert_eq!(log.head().expect("a head"), head);
    });
}

#[test]
fn old_payloads_go_and_their_entries_stay() {
    let key = seal_key();
    on_each(|log, _| {
        for n in 0..4 {
            log.append(&[called(&key, &format!("n={n}"))], minute(n)).expect("appended");
        }
        let before = all(log);
        assert_eq!(log.purge(minute(2)).expect("purged"), 2);
        assert_eq!(log.purge(minute(2)).expect("purged"), 0);
        let kept: Vec<bool> =
            (1..=4).map(|seq| log.payload(Seq::new(seq)).expect("read").is_some()).collect();
        assert_eq!(kept, [false, false, true, true]);
        assert_eq!(all(log), before);
    });
}

#[test]
fn a_purge_takes_a_bounded_number_at_a_time() {
    let key = seal_key();
    on_each(|log, _| {
        log.append(&vec![called(&key, "x=1"); PURGED_AT_A_TIME + 10], minute(0)).expect("appended");
        assert_eq!(log.purge(minute(1)).expect("purged"), PURGED_AT_A_TIME);
        assert_eq!(log.purge(minute(1)).expect("purged"), 10);
        assert_eq!(log.purge(minute(1)).expect("purged"), 0);
    });
}

#[test]
fn payloads_that_a_wrong_clock_dated_ahead_keep_no_other_from_being_purged() {
    let key = seal_key();
    let ahead = Timestamp::parse("2099-01-01T00:00:00Z").expect("a time");
    on_each(|log, _| {
        log.append(&vec![called(&key, "ahead"); PURGED_AT_A_TIME + 1], ahead).expect("appended");
        log.append(&[corrected(ahead)], minute(10)).expect("appended");
        log.append(&[called(&key, "right")], minute(20)).expect("appended");
        assert_eq!(log.purge(minute(10)).expect("purged"), 0, "they came at minute 10 at the latest");
        assert_eq!(log.purge(minute(11)).expect("purged"), PURGED_AT_A_TIME);
        assert_eq!(log.purge(minute(21)).expect("purged"), 2);
    });
}

/// What may happen to a log, in minutes.
#[derive(Debug, Clone)]
enum Step {
    Append { at: i64, entries: u8 },
    Correct { at: i64 },
    Purge { older_than: i64 },
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..50_i64, 0..4_u8).prop_map(|(at, entries)| Step::Append { at, entries }),
        1 => (0..50_i64).prop_map(|at| Step::Correct { at }),
        2 => (0..60_i64).prop_map(|older_than| Step::Purge { older_than }),
    ]
}

/// The entries that are older than an instant: an entry came no later than any after it.
fn older_than(links: &[Link], instant: Timestamp) -> Vec<Seq> {
    let no_later_than =
        |place: usize| links[place..].iter().map(|link| link.row.date().expect("a date")).min();
    (0..links.len())
        .filter(|place| no_later_than(*place) < Some(instant))
        .map(|place| links[place].row.seq)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_and_memory_cannot_be_told_apart(steps in vec(steps(), 1..20)) {
        let key = seal_key();
        let (mut memory, mut file) = (in_memory().one, in_a_file());
        for (n, step) in steps.into_iter().enumerate() {
            match step {
                Step::Append { at, entries } => {
                    let group: Vec<Draft> = (0..entries).map(|m| called(&key, &format!("{n}.{m}"))).collect();
                    let stamps = memory.append(&group, minute(at)).expect("appended");
                    prop_assert_eq!(file.one.append(&group, minute(at)).expect("appended"), stamps);
                }
                Step::Correct { at } => {
                    let from = memory.head().expect("a head").at;
                    memory.append(&[corrected(from)], minute(at)).expect("appended");
                    file.one.append(&[corrected(from)], minute(at)).expect("appended");
                }
                Step::Purge { older_than: instant } => {
                    let links = all(&mut *memory);
                    let old = older_than(&links, minute(instant));
                    let (gone, still) = (memory.purge(minute(instant)), file.one.purge(minute(instant)));
                    prop_assert_eq!(gone.expect("purged"), still.expect("purged"));
                    for link in &links {
                        let is_kept = memory.payload(link.row.seq).expect("read").is_some();
                        prop_assert!(!(is_kept && old.contains(&link.row.seq)), "{:?} is old", link.row);
                    }
                }
            }
            prop_assert_eq!(memory.head().expect("a head"), file.other.head().expect("a head"));
        }
        let links = all(&mut *memory);
        prop_assert_eq!(&links, &all(&mut *file.other));
        prop_assert_eq!(proven(&links), memory.head().expect("a head"));
        for link in &links {
            let sealed = memory.payload(link.row.seq).expect("read");
            prop_assert_eq!(sealed, file.other.payload(link.row.seq).expect("read"));
        }
    }
}
