//! Any row of the log: what is read of one is written the same again, for the chain holds its bytes.
#![no_main]

use cvco_domain::Seq;
use cvco_log::Draft;
use cvco_log::row::{GENESIS, Row};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (kind, content) = text.split_once('\n').unwrap_or((text, "{}"));
    let row = Row {
        seq: Seq::ZERO.next(),
        at: "2026-03-01T12:00:00.000Z".to_owned(),
        kind: kind.trim().to_owned(),
        content: content.to_owned(),
        payload_sha256: None,
    };
    assert_eq!(row.chain_hash(GENESIS), row.chain_hash(GENESIS));
    let Ok(logged) = row.read() else { return };
    let draft = Draft::new(&logged.entry).expect("what was read can be written");
    let [kind, content] = draft.text();
    let row = Row { kind: kind.to_owned(), content: content.to_owned(), ..row };
    let again = row.read().expect("what was written can be read");
    assert_eq!(again.entry, logged.entry);
});
