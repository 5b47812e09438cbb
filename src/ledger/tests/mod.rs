//! What the ledger promises, one file per promise: an append-only log, a fold that depends on nothing else,
//! a proof that finds every damage, e-mails owed once, and neighbours that do not hinder each other.

mod acknowledgements;
mod anchors;
mod cents;
mod damage;
mod fold;
mod log;
mod outbox;
mod payloads;
mod proof;
mod questions;
mod replay;
mod schema;
mod silence;
mod writer;

use std::path::{Path, PathBuf};

use cvco_domain::crypto::{SealKey, sha256};
use cvco_domain::{
    Authorisation, Brand, CallNumber, Cents, Contract, Currency, EndpointId, Event, Instrument, Mode,
    Operation, OrderRef, Psp, ReportedState, ShopId, StatusCode, StatusReading, TenderId, Timestamp,
};
use cvco_reconcile::{Policy, Rules};
use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior};
use tempfile::TempDir;

use super::fold::Fold;
use super::{
    Acknowledgement, Act, Anchor, Entry, Envelope, LedgerError, Notification, OrderRegistration, Origin,
    Proof, SignatureFailures, Taken, Verdict, Yardstick, rebuild, verify,
};

/// What the log decides, parents first; `progress` beside them says how far it was folded.
const FOLD_TABLES: [&str; 10] = [
    "orders",
    "order_versions",
    "events",
    "records",
    "tenders",
    "questions",
    "discrepancies",
    "acts",
    "endpoints",
    "heard_hours",
];

/// So many minutes after the first of March 2026, ten o'clock UTC.
fn minute(minutes: i64) -> Timestamp {
    let start = Timestamp::parse("2026-03-01T10:00:00Z").expect("a time");
    Timestamp::from_millis(start.millis() + minutes * 60_000)
}

fn shop(id: &str) -> ShopId {
    ShopId::new(id).expect("a shop")
}

fn endpoint(id: &str) -> EndpointId {
    EndpointId::new(id).expect("an endpoint")
}

/// A call by `GET`.
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

fn seal_key() -> SealKey {
    SealKey::parse(&SealKey::generate().expect("random numbers")).expect("a key")
}

/// A voucher of an order under the order's own call number, as Up2pay tells it.
fn voucher(reference: &str, cents: i64) -> Notification {
    part(reference, cents, (Instrument::Voucher, "CVCONNECT"))
}

/// The card part beside it.
fn card(reference: &str, cents: i64) -> Notification {
    part(reference, cents, (Instrument::Card, "LIMOCB"))
}

fn part(reference: &str, cents: i64, (instrument, brand): (Instrument, &str)) -> Notification {
    let event = Event {
        order_ref: OrderRef::new(reference).ok(),
        call_number: CallNumber::new(format!("call-{reference}")).expect("a call number"),
        tender_id: TenderId::new(format!("{reference}-{brand}")).ok(),
        instrument,
        brand: Brand::new(brand).expect("a brand"),
        operation: Operation::Debit,
        amount: Cents::new(cents),
        amount_from: cvco_domain::AmountFrom::Part,
        running_total: None,
        currency: Currency::EUR,
        state: ReportedState::Authorised,
        status: StatusCode { code: "00000".to_owned(), reading: StatusReading::Known },
        authorisation: Authorisation::NotStated,
        contract: None,
        mode: None,
        complement: instrument == Instrument::Card,
        order_total: None,
        itemised: false,
        parts_announced: None,
        occurred_at: None,
    };
    notification(vec![event])
}

/// Its bytes are taken to be a text of what it says.
fn notification(events: Vec<Event>) -> Notification {
    let payload_sha256 = sha256(&[format!("{events:?}").as_bytes()]).to_string();
    Notification {
        shop: shop("camping"),
        endpoint: endpoint("camping-up2pay"),
        psp: Psp::Up2pay,
        mode: Mode::Production,
        origin: Origin::Call,
        events,
        questions: Vec::new(),
        remark: None,
        payload_sha256,
    }
}

impl Notification {
    fn of_shop(mut self, id: &str) -> Self {
        self.shop = shop(id);
        self
    }
    fn saying(mut self, state: ReportedState) -> Self {
        self.events[0].state = state;
        notification(self.events)
    }
}

impl From<Notification> for Entry {
    fn from(notification: Notification) -> Self {
        Self::Notification(notification)
    }
}

fn registered(reference: &str, cents: i64) -> Entry {
    Entry::Order(OrderRegistration {
        shop: shop("camping"),
        reference: OrderRef::new(reference).expect("a reference"),
        total: Cents::new(cents),
        currency: Currency::EUR,
        due: None,
    })
}

fn wrong_signatures() -> Entry {
    Entry::SignatureFailures(SignatureFailures {
        shop: shop("camping"),
        endpoint: endpoint("camping-up2pay"),
        psp: Psp::Up2pay,
        refusal: super::Refusal::Signature,
        failures: 5,
        explanation: "no variant matches".to_owned(),
    })
}

/// As version 0.2 wrote it, by number alone.
fn acknowledged(discrepancy: i64) -> Entry {
    Entry::Acknowledgement(Acknowledgement {
        discrepancy,
        note: Some("called the customer".to_owned()),
        by: "compta".to_owned(),
        act: Act::Acknowledged,
        of: None,
    })
}

fn policy_with_grace(minutes: u64) -> Entry {
    Entry::Policy(Policy { complement_grace: std::time::Duration::from_mins(minutes), ..Policy::default() })
}

/// The endpoint of the calls is configured.
fn watching() -> Entry {
    let endpoints = [(endpoint("camping-up2pay"), std::collections::BTreeSet::new())].into();
    Entry::Policy(Policy { endpoints, ..Policy::default() })
}

/// A ledger in a folder of its own. Unless a test damages it on purpose, it is proven whole when it is closed.
struct Book {
    folder: TempDir,
    conn: Connection,
    damaged: bool,
}

type Rows = Vec<Vec<Value>>;

impl Book {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let conn = super::schema::open_for_writing(&folder.path().join("ledger.sqlite")).expect("a ledger");
        Self { folder, conn, damaged: false }
    }

    /// Where the payload key is; there is none until a test makes it.
    fn key_file(&self) -> PathBuf {
        self.folder.path().join("payload.key")
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.sqlite")
    }

    /// One transaction.
    fn within<T>(
        &mut self,
        work: impl FnOnce(&Connection, &mut Fold<'_>) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut fold = Fold::resume(&tx)?;
        let result = work(&tx, &mut fold)?;
        fold.finish()?;
        tx.commit()?;
        Ok(result)
    }

    /// Takes an entry in a transaction of its own.
    fn take(&mut self, minutes: i64, entry: impl Into<Entry>) -> Taken {
        let entry = entry.into();
        self.within(|_, fold| fold.take(minute(minutes), &entry)).expect("taken")
    }

    fn sweep(&mut self, at: Timestamp) -> bool {
        self.within(|_, fold| fold.sweep(at)).expect("swept")
    }

    fn rows(&self, query: &str) -> Rows {
        let mut statement = self.conn.prepare(query).expect("a query");
        let columns = statement.column_count();
        let rows = statement
            .query_map([], |row| (0..columns).map(|column| row.get(column)).collect())
            .expect("rows");
        rows.collect::<Result<_, _>>().expect("rows")
    }

    /// One column as text.
    fn texts(&self, query: &str) -> Vec<String> {
        let text = |row: &Vec<Value>| match &row[0] {
            Value::Text(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            other @ (Value::Null | Value::Real(_) | Value::Blob(_)) => format!("{other:?}"),
        };
        self.rows(query).iter().map(text).collect()
    }

    fn count(&self, table: &str) -> i64 {
        self.conn.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).expect("a count")
    }

    /// Every table that the log decides, and the log.
    fn everything(&self) -> Vec<(&'static str, Rows)> {
        let tables = FOLD_TABLES.into_iter().chain(["log", "progress"]);
        tables.map(|table| (table, self.rows(&format!("SELECT * FROM {table}")))).collect()
    }

    /// Kinds with the minutes at which they opened and closed, in the order of opening.
    fn discrepancies(&self) -> Vec<(String, i64, Option<i64>)> {
        let minutes = |value: &Value| match value {
            Value::Text(text) => {
                let at = Timestamp::parse(text).expect("a time");
                Some((at.millis() - minute(0).millis()) / 60_000)
            }
            Value::Null | Value::Integer(_) | Value::Real(_) | Value::Blob(_) => None,
        };
        self.rows("SELECT kind, opened_at, closed_at FROM discrepancies ORDER BY id")
            .into_iter()
            .map(|row| {
                let Value::Text(kind) = &row[0] else { panic!("a kind") };
                (kind.clone(), minutes(&row[1]).expect("a time"), minutes(&row[2]))
            })
            .collect()
    }

    fn proof(&self) -> Proof {
        self.proof_with(&[])
    }

    /// The proof that goes by these anchors too.
    fn proof_with(&self, anchors: &[Anchor]) -> Proof {
        proof_of(&self.path(), &self.key_file(), anchors)
    }

    /// Does what nobody should be able to.
    fn damage(&mut self, sql: &str) {
        self.damaged = true;
        // Whoever does so puts the triggers back.
        let of_triggers =
            |column| self.texts(&format!("SELECT {column} FROM sqlite_schema WHERE type = 'trigger'"));
        let (drop, restore) = (of_triggers("'DROP TRIGGER ' || name"), of_triggers("sql"));
        let script = format!(
            "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
             {}; {sql}; {};
             PRAGMA foreign_keys = ON; PRAGMA ignore_check_constraints = OFF;",
            drop.join("; "),
            restore.join("; ")
        );
        self.conn.execute_batch(&script).expect("damaged");
    }
}

/// Tests take most notifications without a payload: any may have been purged.
fn proof_of(path: &Path, key_file: &Path, anchors: &[Anchor]) -> Proof {
    let kept_since = Timestamp::from_millis(i64::MAX);
    verify(path, &Yardstick { key_file, kept_since, anchors }, &mut |_| {}).expect("readable")
}

impl Book {
    /// Computes the chain anew from an entry on, as whoever can write to the file can; the ledger itself is left to
    /// remember the old head, or not.
    fn forge_chain(&mut self, from: i64, progress_too: bool) {
        use super::log_row::LogRow;
        let query = format!("SELECT {} FROM log ORDER BY seq", LogRow::COLUMNS);
        let rows: Vec<(LogRow, String)> = {
            let mut statement = self.conn.prepare(&query).expect("a query");
            let rows = statement.query_map([], LogRow::from_row).expect("rows");
            rows.collect::<Result<_, _>>().expect("rows")
        };
        let mut head = super::fold::GENESIS.to_owned();
        let mut script = Vec::new();
        for (row, chain_hash) in rows {
            let seq = row.seq;
            head = if seq < from { chain_hash } else { row.chain_hash(&head) };
            script.push(format!("UPDATE log SET chain_hash = '{head}' WHERE seq = {seq}"));
        }
        if progress_too {
            script.push(format!("UPDATE progress SET head_hash = '{head}'"));
        }
        self.damage(&script.join("; "));
    }
}

impl Drop for Book {
    fn drop(&mut self) {
        if !self.damaged && !std::thread::panicking() {
            assert_eq!(self.rows("PRAGMA foreign_key_check"), Rows::new());
            assert_eq!(self.proof().flaws, []);
        }
    }
}

/// Two orders: one balanced, one short of its card part since minute 22.
fn lived_in() -> Book {
    lived_in_under(watching())
}

fn lived_in_under(policy: Entry) -> Book {
    let mut book = Book::new();
    book.take(0, policy);
    book.take(1, registered("A", 10_000));
    book.take(1, registered("B", 8000));
    book.take(2, voucher("A", 6000));
    book.take(2, voucher("B", 5000));
    book.take(3, card("A", 4000));
    book.take(4, voucher("A", 6000));
    book.sweep(minute(30));
    book.take(40, acknowledged(1));
    book
}

fn opened(path: &Path) -> Result<Connection, LedgerError> {
    super::schema::open_for_writing(path)
}
