//! The ledger goes on where it stands, and notices when ledger or log were moved under it.

use cvco_log::row::{Head, Link};
use cvco_log::{LogError, Stamp};

use super::*;

/// A log during whose next read something happens.
struct Interrupted<'l> {
    log: &'l mut SqliteLog,
    meanwhile: Option<Box<dyn FnOnce() + Send>>,
}

impl LogStore for Interrupted<'_> {
    fn head(&mut self) -> Result<Head, LogError> {
        self.log.head()
    }

    fn append(&mut self, group: &[Draft], now: Timestamp) -> Result<Vec<Stamp>, LogError> {
        self.log.append(group, now)
    }

    fn read(&mut self, after: Seq, at_most: usize) -> Result<Vec<Link>, LogError> {
        let links = self.log.read(after, at_most);
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile();
        }
        links
    }

    fn payload(&mut self, seq: Seq) -> Result<Option<Vec<u8>>, LogError> {
        self.log.payload(seq)
    }

    fn purge(&mut self, older_than: Timestamp) -> Result<usize, LogError> {
        self.log.purge(older_than)
    }

    fn mark_alive(&mut self, now: Timestamp) -> Result<(), LogError> {
        self.log.mark_alive(now)
    }

    fn last_alive(&mut self) -> Result<Option<Timestamp>, LogError> {
        self.log.last_alive()
    }

    fn flaws(&mut self) -> Vec<String> {
        self.log.flaws()
    }

    fn tend(&mut self) -> Result<(), LogError> {
        self.log.tend()
    }
}

#[test]
fn a_ledger_that_another_process_makes_again_meanwhile_goes_on_where_it_stands_then() {
    let mut book = lived_in();
    book.append(minute(50), card("B", 3000));
    book.append(minute(51), registered("C", 1000));
    let (path, log_path, id) = (book.path(), book.log_path(), book.log.id().expect("an id"));
    let rebuilds = move || {
        let mut log = SqliteLog::open(&log_path).expect("a log");
        let mut ledger = Ledger::open(&path, &id).expect("a ledger");
        rebuild(&mut log, &mut ledger, &mut |_| {}).expect("rebuilt");
    };
    let Book { log, ledger, .. } = &mut book;
    let mut log = Interrupted { log, meanwhile: Some(Box::new(rebuilds)) };
    assert_eq!(ledger.catch_up(&mut log).expect("caught up"), 0, "the other has folded everything");
    assert_eq!(ledger.position().seq, Seq::new(11));
    book.take(52, voucher("C", 1000));
    assert_eq!(book.count("set_aside"), 0);
}

/// Copies the log's file, as a backup does.
fn backed_up(book: &Book) -> PathBuf {
    let backup = book.folder.path().join("backup.sqlite");
    let conn = Connection::open(book.log_path()).expect("a database");
    conn.execute("VACUUM INTO ?1", [backup.to_str().expect("a path")]).expect("copied");
    backup
}

#[test]
fn a_log_that_is_older_than_its_ledger_is_refused_until_the_ledger_is_made_again() {
    let mut book = lived_in();
    let backup = backed_up(&book);
    book.take(50, card("B", 3000));
    book.log = SqliteLog::open(&backup).expect("an older log");
    let error = book.ledger.must_follow_from(&mut book.log).expect_err("refused").to_string();
    assert!(error.contains("forgets entries 10 to 10"), "{error}");
    assert_eq!(book.ledger.catch_up_all(&mut book.log).expect_err("refused").to_string(), error);
    rebuild(&mut book.log, &mut book.ledger, &mut |_| {}).expect("rebuilt");
    assert_eq!(book.ledger.catch_up_all(&mut book.log).expect("folded").seq, Seq::new(9));
    book.take(51, card("B", 3000));
    assert_eq!(book.proof().flaws, []);
}

#[test]
fn a_log_that_went_another_way_since_is_refused_although_its_numbers_fit() {
    let mut book = lived_in();
    let backup = backed_up(&book);
    book.take(50, card("B", 3000));
    book.log = SqliteLog::open(&backup).expect("an older log");
    for n in 0..2 {
        book.append(minute(60), registered(&format!("OTHER-{n}"), 1000));
    }
    let error = book.ledger.must_follow_from(&mut book.log).expect_err("refused");
    assert!(matches!(error, LedgerError::LogMoved { seq } if seq == Seq::new(10)), "{error}");
    let error = book.ledger.catch_up_all(&mut book.log).expect_err("refused");
    assert!(matches!(error, LedgerError::LogMoved { seq } if seq == Seq::new(11)), "{error}");
    book.rebuild();
    assert_eq!(book.proof().flaws, []);
}
