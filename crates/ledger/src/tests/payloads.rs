//! The raw bytes behind the entries: what `verify` finds out about them, and which may be gone.

use cvco_log::Envelope;

use super::*;

pub(super) fn seal_key() -> SealKey {
    SealKey::parse(&SealKey::generate().expect("random numbers")).expect("a key")
}

fn envelope(query: &str) -> Envelope {
    Envelope {
        method: "GET".to_owned(),
        query: query.as_bytes().to_vec(),
        body: Vec::new(),
        peer: "192.0.2.1".to_owned(),
        user_agent: String::new(),
        headers: Vec::new(),
    }
}

impl Book {
    fn take_with_payload(&mut self, at: Timestamp, reference: &str) {
        self.take_call(at, voucher(reference, 100), &format!("ref={reference}"));
    }

    /// Appends what was read from a call with this query, and folds it. The key is made at the first.
    pub(super) fn take_call(&mut self, at: Timestamp, entry: impl Entry, query: &str) -> Seq {
        let key = self.key.get_or_insert_with(seal_key);
        let payload = envelope(query).seal(key, query.as_bytes()).expect("sealed");
        let draft = Draft::with_payload(&entry.entry(), payload).expect("a draft");
        let seq = self.log.append(&[draft], at).expect("appended").remove(0).seq;
        self.ledger.catch_up_all(&mut self.log).expect("folded");
        seq
    }
}

/// Two payloads, and the key that opens them.
fn with_payloads() -> Book {
    let mut book = Book::new();
    book.key = Some(seal_key());
    for reference in ["A", "B"] {
        book.take_with_payload(minute(0), reference);
    }
    book
}

#[test]
fn payloads_are_proven_with_their_key_alone() {
    let mut book = with_payloads();
    let proof = book.proof();
    assert_eq!((proof.payloads, proof.note, proof.flaws), (2, None, vec![]));
    let key = book.key.replace(seal_key());
    let flaw = book.first_flaw();
    assert_eq!(flaw.0, "log entry 1");
    assert!(flaw.1.contains("cannot be opened") && flaw.1.ends_with("; 1 more like it"), "{flaw:?}");
    book.key = key;
}

#[test]
fn a_purged_payload_is_no_flaw() {
    let mut book = with_payloads();
    assert_eq!(book.log.purge(minute(1)).expect("purged"), 2);
    let proof = book.proof();
    assert_eq!((proof.payloads, proof.purged, proof.flaws), (0, 2, vec![]));
}

#[test]
fn a_changed_or_misplaced_payload_is_found_at_its_entry() {
    for sql in [
        "UPDATE payloads SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || IIF(substr(sealed, -1) = x'00', x'01', x'00')
           AS BLOB) WHERE seq = 2",
        "UPDATE payloads SET sealed = x'' WHERE seq = 2",
        "UPDATE payloads SET sealed = (SELECT sealed FROM payloads WHERE seq = 1) WHERE seq = 2",
        "UPDATE payloads SET sealed = substr(sealed, 1, 40) WHERE seq = 2",
        "DELETE FROM payloads WHERE seq = 2",
    ] {
        let mut book = with_payloads();
        book.damage_log(sql);
        assert_eq!(book.first_flaw().0, "log entry 2", "{sql}");
    }
}

#[test]
fn a_payload_that_is_not_what_was_signed_for_is_found() {
    let mut book = with_payloads();
    // Sealed with the right key under the right digest, by whoever has the key.
    let key = book.key.as_ref().expect("a key");
    let digest = book.log.read(Seq::new(1), 1).expect("read").remove(0).row.payload_sha256.expect("a digest");
    let forged = b"\0\0\0\x03GET\0\0\0\x05ref=C\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let sealed = key.seal(digest.as_bytes(), forged).expect("sealed");
    book.damaged = true;
    let conn = Connection::open(book.log_path()).expect("a database");
    conn.execute("DELETE FROM payloads WHERE seq = 2", []).expect("removed");
    conn.execute("INSERT INTO payloads VALUES (2, ?1)", [&sealed]).expect("kept");
    assert_eq!(
        book.first_flaw(),
        ("log entry 2".to_owned(), "its payload does not fit payload_sha256".to_owned())
    );
}

#[test]
fn two_payloads_that_changed_places_are_found() {
    let mut book = with_payloads();
    book.damage_log(
        "UPDATE payloads SET seq = 9 WHERE seq = 1; UPDATE payloads SET seq = 1 WHERE seq = 2;
         UPDATE payloads SET seq = 2 WHERE seq = 9",
    );
    let (place, what) = book.first_flaw();
    assert_eq!(place, "log entry 1");
    assert!(what.ends_with("; 1 more like it"), "{what}");
}

#[test]
fn a_payload_that_went_before_its_time_is_found() {
    let mut book = with_payloads();
    book.log.purge(minute(1)).expect("purged");
    let flaws = book.proof_since(minute(0), &[]).flaws;
    assert_eq!(flaws[0].place, "log entry 1");
    assert!(flaws[0].what.contains("before its time"), "{flaws:?}");
    assert_eq!(book.proof_since(minute(1), &[]).flaws, []);
}

#[test]
fn a_payload_that_a_wrong_clock_dated_ahead_goes_by_its_corrected_date() {
    let ahead = Timestamp::parse("2099-03-01T10:00:00Z").expect("a time");
    let mut book = Book::new();
    book.key = Some(seal_key());
    book.take_with_payload(minute(0), "A");
    book.take_with_payload(ahead, "B");
    book.take(10, LogEntry::Clock(cvco_log::entry::ClockCorrection { from: ahead }));
    book.take_with_payload(minute(20), "C");
    assert_eq!(book.log.purge(minute(10)).expect("purged"), 1, "B came at minute 10 or before");
    assert_eq!(book.log.purge(minute(11)).expect("purged"), 1);
    let proof = book.proof_since(minute(11), &[]);
    assert_eq!((proof.payloads, proof.purged, proof.flaws), (1, 2, vec![]));
    let proof = book.proof_since(minute(10), &[]);
    assert_eq!(proof.flaws.len(), 1, "{proof:?}");
    assert_eq!(proof.flaws[0].place, "log entry 2");
}

#[test]
fn without_the_key_it_is_still_seen_that_a_payload_is_gone() {
    let mut book = with_payloads();
    book.damage_log("DELETE FROM payloads WHERE seq = 2");
    book.key = None;
    let proof = book.proof();
    assert!(proof.note.is_some_and(|note| note.english.contains("payloads were not opened")));
    assert_eq!(proof.flaws[0].place, "log entry 2");
}
