//! The two traps: a commit whose answer is lost, and a standby that was not waited for.

use std::thread;

use super::*;
use crate::tests::postgres::Postgres;
use crate::tests::{machine, migrated, order};

/// Appends one entry, and loses the connection while the server commits.
fn cut_off_in_the_commit(log: &mut PostgresLog, draft: &Draft) -> Mark {
    let PostgresLog { runtime, writer } = log;
    runtime.block_on(async {
        let ready = writer.ready().await.expect("a session");
        let begun = ready.begin(None, PROMPT).await.unwrap_or_else(|trouble| panic!("{trouble}"));
        let group = [draft.clone()];
        let columns = Columns::of(&group, &begun.end).expect("columns");
        let ended = ready.finish(&columns, &begun.end.head, Duration::from_millis(20)).await;
        assert!(matches!(ended, Err(Unfinished::Unknown(_))), "the commit takes longer");
        Mark { seq: columns.end.seq, hash: columns.end.hash }
    })
}

/// How often a look was right about ten commits whose answer was lost.
fn right_looks(server: &Postgres, log: &mut PostgresLog, look: Look) -> usize {
    let is_right = |n: &usize| {
        let reference = format!("{look:?}-{n}");
        let mark = cut_off_in_the_commit(log, &order(&reference));
        let found = log.runtime.block_on(log.writer.settle(&mark, look)).expect("looked");
        // Whoever has had the lock after the old connection sees what that did.
        let truth = server.rows(&format!(
            "BEGIN; UPDATE lease SET epoch = epoch; SELECT 1 FROM head FOR UPDATE; COMMIT;
             SELECT count(*) FROM log WHERE content LIKE '%{reference}\"%'"
        ));
        found == (truth.last().map(String::as_str) == Some("1"))
    };
    (0..10).filter(is_right).count()
}

#[test]
fn an_unknown_commit_is_looked_into_after_the_old_connection_and_not_before() {
    // Each commit takes its time, so that the connection can be cut in the middle of it.
    let Some(server) = Postgres::start("commit_delay = 100000\ncommit_siblings = 0") else { return };
    let identity = migrated(&server);
    let mut log = machine(&server, "one", &identity);
    log.append(&[order("WARM")], None).expect("appended");
    assert_eq!(right_looks(&server, &mut log, Look::UnderTheLock), 10);
    // The mutation: to look at once is wrong, which proves that this test can tell.
    assert!(right_looks(&server, &mut log, Look::AtOnce) < 5);
}

#[test]
fn a_standby_that_was_not_waited_for_is_no_success() {
    let Some(server) = Postgres::start("") else { return };
    let identity = migrated(&server);
    let mut log = machine(&server, "one", &identity);
    log.append(&[order("WARM")], None).expect("appended");
    server.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    server.reload();
    let mark = thread::scope(|scope| {
        let appending = scope.spawn(|| {
            let PostgresLog { runtime, writer } = &mut log;
            let until = Instant::now() + Duration::from_secs(8);
            loop {
                match runtime.block_on(writer.attempt(&[order("ALONE")], None, until)) {
                    Err(Failed::Unknown(group, why)) => {
                        assert!(why.contains("synchronous replication"), "{why}");
                        return group.mark();
                    }
                    // The server has not read its new setting yet: only then a commit waits for nobody.
                    Ok(_) => assert!(Instant::now() < until, "the warning was passed over"),
                    Err(Failed::Again(error) | Failed::Refused(error)) => panic!("{error}"),
                }
            }
        });
        let waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        while server.rows(waiting).is_empty() {
            assert!(!appending.is_finished());
        }
        server.rows("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        appending.join().expect("appended")
    });
    server.sql("postgres", "ALTER SYSTEM RESET synchronous_standby_names");
    server.reload();
    assert!(log.runtime.block_on(log.writer.settle(&mark, Look::UnderTheLock)).expect("looked"));
}

#[test]
fn a_machine_that_stands_still_with_the_end_of_the_log_in_its_hands_is_let_go_of_in_time() {
    let Some(server) = Postgres::start("") else { return };
    let identity = migrated(&server);
    let (mut stopped, mut other) = (machine(&server, "one", &identity), machine(&server, "two", &identity));
    let PostgresLog { runtime, writer } = &mut stopped;
    runtime.block_on(async {
        let ready = writer.ready().await.expect("a session");
        ready.begin(None, PROMPT).await.unwrap_or_else(|trouble| panic!("{trouble}"));
    });
    // Within the time that a call is held for.
    other.append(&[order("MEANWHILE")], None).expect("appended");
    // When it goes on, nothing of what it was about is in the way, and it begins again.
    stopped.append(&[order("LATER")], None).expect("appended");
    assert_eq!(server.rows("SELECT count(*) FROM log"), ["2"]);
}

#[test]
fn only_a_leader_whose_lead_lasts_says_what_leaders_say() {
    let Some(server) = Postgres::start("") else { return };
    let identity = migrated(&server);
    let mut log = machine(&server, "one", &identity);
    let holder = log.writer.settings.holder.clone();
    let lead = |holder: &str, epoch: i64, expires: &str| {
        server.rows(&format!("UPDATE lease SET holder = '{holder}', epoch = {epoch}, expires = {expires}"));
    };
    let mut say = |epoch| log.append(&[order("SAID")], Some(Epoch::new(epoch)));
    lead(&holder, 7, "now() + interval '1 hour'");
    say(7).expect("it leads");
    for (whose, epoch, expires) in [
        (holder.as_str(), 8, "now() + interval '1 hour'"),
        ("two/x", 7, "now() + interval '1 hour'"),
        (holder.as_str(), 7, "now() - interval '1 second'"),
    ] {
        lead(whose, epoch, expires);
        assert!(
            matches!(say(7), Err(Unstored { error: LogError::NotLeading, open: None })),
            "{whose} {epoch}"
        );
    }
    assert_eq!(server.rows("SELECT count(*) FROM log"), ["1"]);
    log.append(&[order("ANYBODY")], None).expect("whoever leads");
}

#[test]
fn a_log_that_lacks_what_this_machine_knows_is_not_written_to() {
    let Some(server) = Postgres::start("") else { return };
    let identity = migrated(&server);
    let mut log = machine(&server, "one", &identity);
    log.append(&[order("A"), order("B")], None).expect("appended");
    let known = log.writer.known.clone();
    let with = |known: Head| {
        let settings = crate::tests::settings(&server.url(), "two");
        PostgresLog::new(settings, identity.clone(), known, Arc::default()).expect("a log")
    };
    for lacking in
        [Head { seq: Seq::new(3), ..known.clone() }, Head { hash: "0".repeat(64), ..known.clone() }]
    {
        let refused = with(lacking).append(&[order("C")], None);
        assert!(
            matches!(refused, Err(Unstored { error: LogError::Disagrees(_), open: None })),
            "{refused:?}"
        );
    }
    with(known).append(&[order("C")], None).expect("it knows all of it");
    let other = Identity { log_id: "another".to_owned(), ..identity.clone() };
    let settings = crate::tests::settings(&server.url(), "two");
    let mut stranger = PostgresLog::new(settings, other, Head::default(), Arc::default()).expect("a log");
    let refused = stranger.append(&[order("D")], None);
    assert!(matches!(refused, Err(Unstored { error: LogError::CannotJoin(_), .. })), "{refused:?}");
}
