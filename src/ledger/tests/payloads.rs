//! The raw bytes behind the entries: what `verify` finds out about them, and which may be gone.

use super::*;

/// A ledger with two payloads, and the key that opens them.
fn with_payloads() -> (Book, SealKey) {
    let mut book = Book::new();
    let key = super::super::key_file::read_or_make(&book.key_file(), true).expect("a key");
    for reference in ["A", "B"] {
        let query = format!("ref={reference}");
        let mut told = voucher(reference, 100);
        told.payload_sha256 = sha256(&[query.as_bytes()]).to_string();
        let envelope = envelope(&query);
        book.within(|conn, fold| {
            fold.take(minute(0), &told.into())?;
            super::super::payload::keep(conn, &key, (fold.head().seq, minute(0)), &envelope)
        })
        .expect("stored");
    }
    (book, key)
}

#[test]
fn payloads_are_proven_with_the_key_alone() {
    let (book, _) = with_payloads();
    let proof = book.proof();
    assert_eq!((proof.payloads, proof.flaws), (2, vec![]));
    let key = std::fs::read(book.key_file()).expect("the key");
    std::fs::write(book.key_file(), SealKey::generate().expect("random numbers")).expect("written");
    let other = book.proof();
    assert_eq!(other.flaws[0].place, "log entry 1");
    std::fs::write(book.key_file(), key).expect("written");
}

#[test]
fn a_purged_payload_is_no_flaw() {
    let (book, _) = with_payloads();
    assert_eq!(super::super::payload::purge(&book.conn, minute(1)).expect("purged"), 2);
    let proof = book.proof();
    assert_eq!((proof.payloads, proof.purged, proof.flaws), (0, 2, vec![]));
}

#[test]
fn a_changed_or_misplaced_payload_is_found_at_its_entry() {
    for sql in [
        "UPDATE payloads SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || x'00' AS BLOB) WHERE seq = 2",
        "UPDATE payloads SET sealed = x'' WHERE seq = 2",
        "UPDATE payloads SET sealed = (SELECT sealed FROM payloads WHERE seq = 1) WHERE seq = 2",
        "UPDATE payloads SET sealed = substr(sealed, 1, 40) WHERE seq = 2",
        "UPDATE payloads SET at = '2020-03-01T10:00:00.000Z' WHERE seq = 2",
        "UPDATE payloads SET at = CAST(x'ff' AS TEXT) WHERE seq = 2",
        "DELETE FROM payloads WHERE seq = 2",
    ] {
        let (mut book, _) = with_payloads();
        book.damage(sql);
        let proof = book.proof();
        assert_eq!(proof.flaws[0].place, "log entry 2", "{sql}");
    }
}

#[test]
fn a_payload_that_is_not_what_was_signed_for_is_found() {
    let (mut book, key) = with_payloads();
    let forged = envelope("ref=C");
    book.damage("DELETE FROM payloads WHERE seq = 2");
    super::super::payload::keep(&book.conn, &key, (2, minute(0)), &forged).expect("kept");
    let proof = book.proof();
    assert_eq!(proof.flaws[0].what, "its payload does not fit payload_sha256");
}

#[test]
fn two_payloads_that_changed_places_are_found() {
    let (mut book, _) = with_payloads();
    book.damage(
        "UPDATE payloads SET seq = 9 WHERE seq = 1; UPDATE payloads SET seq = 1 WHERE seq = 2;
         UPDATE payloads SET seq = 2 WHERE seq = 9",
    );
    let flaws = book.proof().flaws;
    assert_eq!(flaws[0].place, "log entry 1");
    assert!(flaws[0].what.ends_with("; 1 more like it"), "{flaws:?}");
}

#[test]
fn a_payload_that_went_before_its_time_is_found() {
    let (mut book, _) = with_payloads();
    book.damage("DELETE FROM payloads");
    let kept = |since| {
        let yardstick = Yardstick { key_file: &book.key_file(), kept_since: since, anchors: &[] };
        verify(&book.path(), &yardstick, &mut |_| {}).expect("readable")
    };
    let flaws = kept(minute(0)).flaws;
    assert_eq!(flaws[0].place, "log entry 1");
    assert!(flaws[0].what.contains("before its time"), "{flaws:?}");
    assert_eq!(kept(minute(1)).flaws, []);
}

#[test]
fn without_the_key_it_is_still_seen_that_a_payload_is_gone() {
    let (mut book, _) = with_payloads();
    book.damage("DELETE FROM payloads WHERE seq = 2");
    std::fs::remove_file(book.key_file()).expect("removed");
    let proof = book.proof();
    assert!(proof.note.is_some_and(|note| note.contains("payloads were not opened")));
    assert_eq!(proof.flaws[0].place, "log entry 2");
}
