//! What PostgreSQL does to a log, and what becomes of it.

#[path = "../../../tests/cluster/postgres.rs"]
#[expect(dead_code, unreachable_pub, reason = "the tests of the daemon use all of it")]
pub(crate) mod postgres;

use std::sync::Arc;

use cvco_domain::crypto::SealKey;
use cvco_domain::{Cents, Currency, OrderRef, Seq, ShopId};
use cvco_log::entry::OrderRegistration;
use cvco_log::row::Head;
use cvco_log::{Draft, Envelope, LogEntry, LogStore, SqliteLog};
use postgres::Postgres;

use super::*;

pub(crate) fn order(reference: &str) -> Draft {
    Draft::new(&LogEntry::Order(OrderRegistration {
        shop: ShopId::new("camping").expect("a shop"),
        reference: OrderRef::new(reference).expect("a reference"),
        total: Cents::new(10_000),
        currency: Currency::EUR,
        due: None,
        instalments: Vec::new(),
    }))
    .expect("a draft")
}

/// An entry with the call that it was read from.
pub(crate) fn called(body: &str) -> Draft {
    let key = SealKey::parse(&SealKey::generate().expect("random numbers")).expect("a key");
    let envelope = Envelope {
        method: "POST".to_owned(),
        query: Vec::new(),
        body: body.as_bytes().to_vec(),
        peer: "192.0.2.1".to_owned(),
        user_agent: "PSP/1".to_owned(),
        headers: Vec::new(),
    };
    let payload = envelope.seal(&key, body.as_bytes()).expect("sealed");
    Draft::with_payload(&LogEntry::Time, payload).expect("a draft")
}

pub(crate) fn endpoint() -> cvco_domain::EndpointRef {
    cvco_domain::EndpointRef {
        shop: ShopId::new("camping").expect("a shop"),
        endpoint: cvco_domain::EndpointId::new("up2pay").expect("an endpoint"),
        psp: cvco_domain::Psp::Up2pay,
        mode: cvco_domain::Mode::Production,
    }
}

/// A call of a PSP; the same bytes each time.
pub(crate) fn notified(what: &str) -> Draft {
    let unread = cvco_log::entry::Unread {
        endpoint: endpoint(),
        origin: cvco_log::entry::Origin::Call,
        what: what.to_owned(),
        what_fr: None,
    };
    let payload = cvco_log::SealedPayload { sha256: what.to_owned(), sealed: what.as_bytes().to_vec() };
    Draft::with_payload(&LogEntry::Unread(unread), payload).expect("a draft")
}

/// The settings of a machine.
pub(crate) fn settings(url: &str, name: &str) -> Settings {
    Settings::new(&url.to_owned().into(), name.to_owned(), 1, "1.0".to_owned()).expect("settings")
}

/// An empty log.
pub(crate) fn migrated(server: &Postgres) -> Identity {
    assert!(migrate::migrate(&settings(&server.url(), "owner")).expect("migrated"));
    Identity { log_id: server.rows("SELECT log_id FROM meta").remove(0), key_fingerprint: None }
}

pub(crate) fn machine(server: &Postgres, name: &str, identity: &Identity) -> PostgresLog {
    let settings = settings(&server.url(), name);
    PostgresLog::new(settings, identity.clone(), Head::default(), Arc::default()).expect("a log")
}

/// The rows as both kinds of log hold them.
const ROWS: &str = "SELECT seq, at, kind, content, payload_sha256, chain_hash FROM log ORDER BY seq";

#[test]
fn two_machines_write_one_chain_that_sqlite_would_have_written() {
    let Some(server) = Postgres::start("") else { return };
    let identity = migrated(&server);
    let (mut one, mut two) = (machine(&server, "one", &identity), machine(&server, "two", &identity));
    let mut seqs = Vec::new();
    for n in 0..5 {
        let group = [order(&format!("ONE-{n}")), called("Mt=1500")];
        seqs.extend(one.append(&group, None).expect("appended").into_iter().map(|stamp| stamp.seq.get()));
        let group = [order(&format!("É|\\{n}"))];
        seqs.extend(two.append(&group, None).expect("appended").into_iter().map(|stamp| stamp.seq.get()));
    }
    assert_eq!(seqs, (1..=15).collect::<Vec<_>>());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.sqlite");
    let mut replica = SqliteLog::open_or_create_replica(&path, &identity.log_id).expect("a replica");
    let text = server.rows(ROWS);
    let mut head = Head::default();
    for row in &text {
        let cells: Vec<&str> = row.splitn(4, '|').collect();
        let rest: Vec<&str> = cells[3].rsplitn(3, '|').collect();
        let digest = Some(rest[1].to_owned()).filter(|digest| !digest.is_empty());
        let row = cvco_log::Row {
            seq: Seq::new(cells[0].parse().expect("a number")),
            at: cells[1].to_owned(),
            kind: cells[2].to_owned(),
            content: rest[2].to_owned(),
            payload_sha256: digest,
        };
        let link = cvco_log::Link { chain_hash: rest[0].to_owned(), row };
        head = replica.take_over(&[cvco_log::sqlite::Copied { link, sealed: None }]).expect("it follows");
    }
    assert_eq!(head.seq, Seq::new(15));
    assert_eq!(replica.head().expect("a head"), head);
    assert_eq!(server.rows("SELECT seq || ' ' || hash FROM head"), [format!("15 {}", head.hash)]);
    assert_eq!(server.rows("SELECT seq FROM payloads ORDER BY 1"), ["2", "5", "8", "11", "14"]);
}

#[test]
fn neither_a_bug_nor_a_hand_changes_what_was_written() {
    let Some(server) = Postgres::start("") else { return };
    let identity = migrated(&server);
    machine(&server, "one", &identity).append(&[called("a"), order("B")], None).expect("appended");
    for wrong in [
        "UPDATE log SET kind = 'x'",
        "DELETE FROM log",
        "TRUNCATE log",
        "UPDATE payloads SET sealed = ''",
        "UPDATE head SET seq = 1",
        "UPDATE head SET seq = 3",
        "UPDATE head SET hash = repeat('0', 64)",
        "UPDATE head SET fold_version = -1",
        "DELETE FROM head",
        "TRUNCATE head",
        "INSERT INTO log VALUES (4, '', '', '', NULL, '')",
        "INSERT INTO log VALUES (2, '', '', '', NULL, '')",
    ] {
        let refused = format!(
            "DO $$ BEGIN BEGIN {wrong}; EXCEPTION WHEN OTHERS THEN RETURN; END; RAISE 'done: {}'; END $$",
            wrong.replace('\'', "")
        );
        server.rows(&refused);
    }
    assert!(!migrate::migrate(&settings(&server.url(), "owner")).expect("again"));
}
