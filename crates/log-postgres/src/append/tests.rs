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
            match runtime.block_on(writer.attempt(&[order("ALONE")], None, until)) {
                Err(Failed::Unknown(group, why)) => {
                    assert!(why.contains("synchronous replication"), "{why}");
                    group.mark()
                }
                Ok(_) => panic!("the warning was passed over"),
                Err(Failed::Again(error) | Failed::Refused(error)) => panic!("{error}"),
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
    assert!(log.settle(&mark).expect("looked"));
}
