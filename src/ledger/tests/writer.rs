//! The writer: durable before it answers, and no job pays for its neighbour.

use std::future::Future;
use std::time::Duration;

use super::super::{Arrival, Ledger, Reader, RecordFilter, Rejected, Store, Writer};
use super::*;

fn arrival(notification: Notification, query: &str) -> Arrival {
    let payload_sha256 = sha256(&[query.as_bytes()]).to_string();
    Arrival { notification: Notification { payload_sha256, ..notification }, envelope: envelope(query) }
}

/// Runs a test against a writer, waits for its end, and proves the ledger that it leaves.
fn with_writer<F: Future<Output = ()>>(test: impl FnOnce(Ledger, PathBuf) -> F) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.sqlite");
    let key_file = folder.path().join("payload.key");
    let store = Store::open(&path, &key_file).expect("a ledger");
    let (writer, ledger) = Writer::start(store).expect("a thread");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(test(ledger, path.clone()));
    writer.join().expect("a clean stop");
    let proof = proof_of(&path, &key_file, &[]);
    assert_eq!(proof.flaws, []);
}

#[test]
fn what_is_answered_can_be_read() {
    with_writer(|ledger, path| async move {
        let taken = ledger.store(minute(0), arrival(voucher("A", 6000), "q")).await.expect("stored");
        assert!(matches!(taken, Taken::Written { seq: 1, verdict: Some(Verdict::Genuine), .. }));
        let reader = Reader::open(&path).expect("a reader");
        let records =
            reader.records(&RecordFilter { limit: 10, ..RecordFilter::default() }).expect("records");
        assert_eq!(records.len(), 1);
        assert_eq!((records[0].state.as_str(), records[0].paid_cents), ("pending", 6000));
    });
}

#[test]
fn a_storm_of_duplicates_is_one_record_and_one_payload() {
    with_writer(|ledger, path| async move {
        let calls: Vec<_> = (0..300)
            .map(|_| {
                let ledger = ledger.clone();
                async move { ledger.store(minute(0), arrival(voucher("A", 6000), "q")).await }
            })
            .collect();
        let mut genuine = 0;
        for taken in join_all(calls).await {
            let Ok(Taken::Written { verdict, .. }) = taken else { panic!("{taken:?}") };
            genuine += usize::from(verdict == Some(Verdict::Genuine));
        }
        assert_eq!(genuine, 1);
        let conn = super::super::schema::open_for_reading(&path).expect("a reader");
        let count = |table: &str| -> i64 {
            conn.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).expect("a count")
        };
        assert_eq!((count("log"), count("tenders"), count("payloads")), (300, 1, 1));
    });
}

/// Polls all of them at once, so that they reach the writer together.
async fn join_all<F: Future>(calls: Vec<F>) -> Vec<F::Output> {
    let mut calls: Vec<_> = calls.into_iter().map(Box::pin).collect();
    let mut answers: Vec<_> = calls.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (call, answer) in calls.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let std::task::Poll::Ready(output) = call.as_mut().poll(context)
            {
                *answer = Some(output);
            }
        }
        if answers.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    answers.into_iter().flatten().collect()
}

#[test]
fn one_failing_job_leaves_its_neighbours_stored() {
    with_writer(|ledger, path| async move {
        let entries =
            vec![registered("A", 10_000), acknowledged(99), voucher("A", 10_000).into(), acknowledged(98)];
        let calls = entries.into_iter().map(|entry| ledger.take(minute(0), entry)).collect();
        let answers = join_all(calls).await;
        assert!(answers[0].is_ok() && answers[2].is_ok(), "{answers:?}");
        assert!(matches!(answers[1], Err(LedgerError::NoDiscrepancy(99))), "{answers:?}");
        assert!(matches!(answers[3], Err(LedgerError::NoDiscrepancy(98))), "{answers:?}");
        let conn = super::super::schema::open_for_reading(&path).expect("a reader");
        let state: String =
            conn.query_row("SELECT state FROM orders", [], |row| row.get(0)).expect("an order");
        assert_eq!(state, "balanced");
    });
}

#[test]
fn a_failing_entry_undoes_what_its_own_sweep_applied_and_nothing_is_lost() {
    with_writer(|ledger, path| async move {
        ledger.take(minute(0), registered("A", 10_000)).await.expect("taken");
        ledger.take(minute(0), voucher("A", 6000).into()).await.expect("taken");
        ledger.take(minute(60), acknowledged(99)).await.expect_err("no such discrepancy");
        ledger.take(minute(60), acknowledged(1)).await.expect("opened at its due instant meanwhile");
        let row = Reader::open(&path).expect("a reader").discrepancy(1).expect("readable").expect("a row");
        assert_eq!(row.opened_at, minute(20));
    });
}

#[test]
fn a_store_takes_all_or_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.sqlite");
    let key_file = folder.path().join("payload.key");
    let mut store = Store::open(&path, &key_file).expect("a ledger");
    let error = store.take_all(minute(0), &[registered("A", 1), acknowledged(9)]).expect_err("one fails");
    assert!(matches!(error, LedgerError::NoDiscrepancy(9)));
    assert_eq!(proof_of(&path, &key_file, &[]).entries, 0);
    assert_eq!(store.take_all(minute(0), &[registered("A", 1), registered("B", 1)]).expect("taken").len(), 2);
}

#[test]
fn a_sweep_tells_how_far_the_ledger_is_ahead_of_the_clock() {
    with_writer(|ledger, _| async move {
        ledger.take(minute(60), voucher("A", 6000).into()).await.expect("taken");
        assert_eq!(ledger.sweep(minute(45)).await.expect("swept").ahead, Duration::from_mins(15));
        assert_eq!(ledger.sweep(minute(61)).await.expect("swept").ahead, Duration::ZERO);
    });
}

#[test]
fn the_next_look_is_announced_with_the_commit() {
    with_writer(|ledger, _| async move {
        let next_look = ledger.next_look();
        assert_eq!(*next_look.borrow(), None);
        ledger.take(minute(0), voucher("A", 6000).into()).await.expect("taken");
        ledger.ping().await.expect("alive");
        assert_eq!(*next_look.borrow(), Some(minute(20)));
        assert!(ledger.sweep(minute(20)).await.expect("swept").came_due);
        ledger.ping().await.expect("alive");
        assert_eq!(*next_look.borrow(), None);
    });
}

#[test]
fn an_email_goes_through_the_writer() {
    with_writer(|ledger, path| async move {
        ledger.take(minute(0), wrong_signatures()).await.expect("taken");
        let claim = || ledger.claim_mail(minute(0), Duration::from_mins(15), "h".to_owned());
        let mail = claim().await.expect("claimed").expect("a mail");
        assert_eq!(claim().await.expect("claimed"), None);
        ledger.mail_failed(minute(0), mail.message_id.clone(), "refused".to_owned()).await.expect("noted");
        let waiting = || Reader::open(&path).expect("a reader").mails_waiting().expect("a count");
        assert_eq!(waiting(), (1, Some("refused".to_owned())));
        ledger.mail_sent(minute(1), mail.message_id).await.expect("noted");
        assert_eq!(waiting(), (0, None));
    });
}

#[test]
fn a_report_about_an_unknown_email_harms_nobody() {
    with_writer(|ledger, _| async move {
        ledger.mail_sent(minute(0), "nobody@h".to_owned()).await.expect("nothing to note");
        ledger
            .mail_failed(minute(0), "nobody@h".to_owned(), "refused".to_owned())
            .await
            .expect("nothing to note");
        ledger.ping().await.expect("alive");
    });
}

#[test]
fn refused_calls_are_a_bounded_sample() {
    with_writer(|ledger, path| async move {
        for _ in 0..3 {
            for _ in 0..400 {
                ledger.note_rejection(
                    minute(0),
                    Rejected {
                        endpoint: endpoint("camping-up2pay"),
                        psp: Psp::Up2pay,
                        reason: "wrong signature".to_owned(),
                        payload_sha256: String::new(),
                    },
                );
            }
            ledger.ping().await.expect("alive");
        }
        let conn = super::super::schema::open_for_reading(&path).expect("a reader");
        let kept: i64 =
            conn.query_row("SELECT COUNT(*) FROM rejections", [], |row| row.get(0)).expect("a count");
        assert_eq!(kept, 1000);
    });
}

#[test]
fn a_record_in_an_orders_story_counts_its_own_discrepancies() {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    book.take(0, voucher("A", 6000));
    let mut whole = voucher("A", 10_000);
    whole.events[0].call_number = CallNumber::new("second").expect("a call number");
    book.take(0, notification(whole.events));
    book.sweep(minute(60));
    let stories = Reader::open(&book.path()).expect("a reader").stories("A").expect("stories");
    let counts: Vec<_> = stories[0].records.iter().map(|record| record.open_discrepancies).collect();
    assert_eq!(counts, [1, 0], "as in acct_register");
}
