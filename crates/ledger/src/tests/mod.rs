//! What the ledger promises, one file for each promise: a fold that depends on the log and on nothing else, time included;
//! a proof that finds every damage; e-mails that are owed once.

mod acts;
mod anchors;
mod awaited;
mod claims;
mod clock;
mod close;
mod damage;
mod entries;
mod fold;
mod following;
mod lists;
mod owed;
mod payloads;
pub(crate) mod poison;
mod proof;
mod questions;
mod relays;
mod reports;
mod scans;
mod search;
mod set_aside;
mod silence;
mod stories;
mod suspense;
mod time;
mod weeks;

use std::path::PathBuf;

use cvco_domain::crypto::SealKey;
use cvco_domain::{
    AmountFrom, Authorisation, Brand, CallNumber, Cents, Contract, Currency, DiscrepancyId, EndpointId,
    EndpointRef, Event, Instalment, Instrument, Mode, Operation, OrderRef, Policy, Psp, Refusal,
    ReportedState, Seq, ShopId, StatusCode, StatusReading, TenderId, Timestamp,
};
use cvco_log::entry::{Notification, OrderRegistration, Origin, Pause, Refusals};
use cvco_log::{Draft, LogEntry, LogStore, SqliteLog};
use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;

use crate::{Anchor, Ledger, LedgerError, Proof, Reader, Yardstick, rebuild, verify};

/// So many minutes after the first of March 2026, ten o'clock UTC.
fn minute(minutes: i64) -> Timestamp {
    let start = Timestamp::parse("2026-03-01T10:00:00Z").expect("a time");
    Timestamp::from_millis(start.millis() + minutes * 60_000)
}

const DAY: i64 = 24 * 60;

fn shop(id: &str) -> ShopId {
    ShopId::new(id).expect("a shop")
}

fn endpoint(id: &str) -> EndpointId {
    EndpointId::new(id).expect("an endpoint")
}

fn reference(text: &str) -> OrderRef {
    OrderRef::new(text).expect("a reference")
}

/// The endpoint that everything comes in at, unless a test says otherwise.
fn up2pay() -> EndpointRef {
    EndpointRef {
        shop: shop("camping"),
        endpoint: endpoint("camping-up2pay"),
        psp: Psp::Up2pay,
        mode: Mode::Production,
    }
}

/// A voucher of an order under the order's own call number, as Up2pay tells it.
fn voucher(reference: &str, cents: i64) -> Notification {
    notification(vec![part(reference, cents, Instrument::Voucher)])
}

/// The card part beside it.
fn card(reference: &str, cents: i64) -> Notification {
    notification(vec![part(reference, cents, Instrument::Card)])
}

/// What was given back of the card part.
fn refund(reference: &str, cents: i64) -> Notification {
    let event = Event {
        operation: Operation::Credit { of: None },
        tender_id: TenderId::new(format!("{reference}-refund")).ok(),
        ..part(reference, cents, Instrument::Card)
    };
    notification(vec![event])
}

fn part(reference: &str, cents: i64, instrument: Instrument) -> Event {
    let brand = match instrument {
        Instrument::Voucher => "CVCONNECT",
        Instrument::Card => "LIMOCB",
    };
    Event {
        order_ref: OrderRef::new(reference).ok(),
        call_number: CallNumber::new(format!("call-{reference}")).expect("a call number"),
        tender_id: TenderId::new(format!("{reference}-{brand}")).ok(),
        instrument,
        brand: Brand::new(brand).expect("a brand"),
        operation: Operation::Debit,
        amount: Cents::new(cents),
        amount_from: AmountFrom::Part,
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
        accepted_at: None,
        revised: false,
    }
}

fn notification(events: Vec<Event>) -> Notification {
    Notification { endpoint: up2pay(), origin: Origin::Call, events, questions: Vec::new(), remark: None }
}

/// The same, said otherwise.
trait Told: Sized {
    fn of_shop(self, id: &str) -> Self;
    fn at_endpoint(self, id: &str) -> Self;
    fn in_mode(self, mode: Mode) -> Self;
    fn saying(self, state: ReportedState) -> Self;
}

impl Told for Notification {
    fn of_shop(mut self, id: &str) -> Self {
        self.endpoint.shop = shop(id);
        self
    }

    fn at_endpoint(mut self, id: &str) -> Self {
        self.endpoint.endpoint = endpoint(id);
        self
    }

    fn in_mode(mut self, mode: Mode) -> Self {
        self.endpoint.mode = mode;
        self
    }

    fn saying(mut self, state: ReportedState) -> Self {
        self.events[0].state = state;
        self
    }
}

/// What can be taken into a book.
trait Entry {
    fn entry(self) -> LogEntry;
}

impl Entry for LogEntry {
    fn entry(self) -> LogEntry {
        self
    }
}

impl Entry for Notification {
    fn entry(self) -> LogEntry {
        LogEntry::Notification(self)
    }
}

impl Entry for OrderRegistration {
    fn entry(self) -> LogEntry {
        LogEntry::Order(self)
    }
}

impl Entry for Refusals {
    fn entry(self) -> LogEntry {
        LogEntry::Refusals(self)
    }
}

impl Entry for Policy {
    fn entry(self) -> LogEntry {
        LogEntry::Policy(self)
    }
}

fn registered(text: &str, cents: i64) -> OrderRegistration {
    OrderRegistration {
        shop: shop("camping"),
        reference: reference(text),
        total: Cents::new(cents),
        currency: Currency::EUR,
        due: None,
        instalments: Vec::new(),
    }
}

fn wrong_signatures() -> Refusals {
    Refusals {
        endpoint: up2pay(),
        refusal: Refusal::Signature,
        calls: 5,
        taken: 0,
        signed: false,
        caller: None,
        explanation: "no variant matches".to_owned(),
        explanation_fr: None,
    }
}

fn policy_with_grace(minutes: u64) -> Policy {
    Policy { complement_grace: std::time::Duration::from_mins(minutes), ..Policy::default() }
}

/// The endpoint of the calls is configured.
fn watching() -> Policy {
    let endpoints = [(endpoint("camping-up2pay"), std::collections::BTreeSet::new())].into();
    Policy { endpoints, ..Policy::default() }
}

fn pause(since: Timestamp) -> LogEntry {
    LogEntry::Pause(Pause { since })
}

/// A discrepancy, with the minutes at which it opened and closed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    kind: String,
    opened: i64,
    closed: Option<i64>,
}

fn seen(kind: &str, opened: i64, closed: Option<i64>) -> Seen {
    Seen { kind: kind.to_owned(), opened, closed }
}

type Rows = Vec<Vec<Value>>;

/// The content of a table.
#[derive(Debug, Clone, PartialEq)]
struct Table {
    name: String,
    rows: Rows,
}

/// A log and its ledger in a folder of their own. Unless a test damages them on purpose, they are proven whole when they
/// are closed.
struct Book {
    folder: TempDir,
    log: SqliteLog,
    ledger: Ledger,
    /// Opens the payloads, where a test keeps any.
    key: Option<SealKey>,
    damaged: bool,
}

impl Book {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = SqliteLog::open_or_create(&folder.path().join("log.sqlite"), &[]).expect("a log");
        let id = log.id().expect("an id");
        let ledger = Ledger::open(&folder.path().join("ledger.sqlite"), &id).expect("a ledger");
        Self { folder, log, ledger, key: None, damaged: false }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.sqlite")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log.sqlite")
    }

    /// Closes the ledger's file and opens it again.
    fn reopen(&mut self) -> Result<(), LedgerError> {
        // In its place, so that the file is closed before it is opened.
        self.ledger = Ledger::in_memory()?;
        self.ledger = Ledger::open(&self.path(), &self.log.id()?)?;
        Ok(())
    }

    /// Appends an entry, and folds what the log has.
    fn take(&mut self, minutes: i64, entry: impl Entry) -> Seq {
        self.take_at(minute(minutes), entry)
    }

    fn take_at(&mut self, at: Timestamp, entry: impl Entry) -> Seq {
        let seq = self.append(at, entry);
        self.ledger.catch_up_all(&mut self.log).expect("folded");
        seq
    }

    /// Appends an entry, and leaves the ledger behind.
    fn append(&mut self, at: Timestamp, entry: impl Entry) -> Seq {
        let draft = Draft::new(&entry.entry()).expect("a draft");
        self.log.append(&[draft], at).expect("appended").remove(0).seq
    }

    /// Goes by another policy from now on.
    fn adopt(&mut self, minutes: i64, change: impl FnOnce(&mut Policy)) {
        let mut policy = self.ledger.policy().expect("a policy");
        change(&mut policy);
        self.take(minutes, LogEntry::Policy(policy));
    }

    /// Time alone has gone by.
    fn wait_until(&mut self, minutes: i64) {
        self.take(minutes, LogEntry::Time);
    }

    /// Whether time alone changes the ledger at this instant or before.
    fn is_due(&self, at: Timestamp) -> bool {
        self.ledger.position().next_deadline.is_some_and(|due| due <= at)
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.path()).expect("a reader")
    }

    fn rows(&self, query: &str) -> Rows {
        rows(self.ledger.connection(), query)
    }

    /// One column as text.
    fn texts(&self, query: &str) -> Vec<String> {
        texts(self.ledger.connection(), query)
    }

    fn count(&self, table: &str) -> i64 {
        let query = format!("SELECT COUNT(*) FROM {table}");
        self.ledger.connection().query_row(&query, [], |row| row.get(0)).expect("a count")
    }

    /// Every table that the log decides.
    fn everything(&self) -> Vec<Table> {
        everything(self.ledger.connection())
    }

    /// The discrepancies in the order of their opening.
    fn discrepancies(&self) -> Vec<Seen> {
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
                seen(kind, minutes(&row[1]).expect("a time"), minutes(&row[2]))
            })
            .collect()
    }

    fn kinds(&self) -> Vec<String> {
        self.texts("SELECT kind FROM discrepancies ORDER BY id")
    }

    fn proof(&mut self) -> Proof {
        self.proof_with(&[])
    }

    /// The proof that goes by these anchors too. Any payload may have been purged.
    fn proof_with(&mut self, anchors: &[Anchor]) -> Proof {
        self.proof_since(Timestamp::from_millis(i64::MAX), anchors)
    }

    fn proof_since(&mut self, kept_since: Timestamp, anchors: &[Anchor]) -> Proof {
        let yardstick = Yardstick { key: self.key.as_ref(), kept_since, anchors };
        verify(&mut self.log, &self.folder.path().join("ledger.sqlite"), &yardstick, &mut |_| {})
            .expect("readable")
    }

    #[track_caller]
    fn first_flaw(&mut self) -> (String, String) {
        let proof = self.proof();
        let flaw = proof.flaws.first().unwrap_or_else(|| panic!("a flaw: {proof:?}"));
        (flaw.place.clone(), flaw.what.clone())
    }

    fn rebuild(&mut self) -> Vec<&'static str> {
        rebuild(&mut self.log, &mut self.ledger, &mut |_| {}).expect("rebuilt").replaced
    }

    /// Does to the ledger what nobody should.
    fn damage(&mut self, sql: &str) {
        self.damaged = true;
        damage(self.ledger.connection(), sql);
    }

    /// Does to the log what nobody should be able to; whoever does so puts the triggers back.
    fn damage_log(&mut self, sql: &str) {
        self.damaged = true;
        let conn = Connection::open(self.log_path()).expect("a database");
        let of_triggers =
            |column| texts(&conn, &format!("SELECT {column} FROM sqlite_schema WHERE type = 'trigger'"));
        let (drop, restore) = (of_triggers("'DROP TRIGGER ' || name"), of_triggers("sql"));
        damage(&conn, &format!("{}; {sql}; {}", drop.join("; "), restore.join("; ")));
    }
}

impl Drop for Book {
    fn drop(&mut self) {
        if !self.damaged && !std::thread::panicking() {
            assert_eq!(self.proof().flaws, []);
        }
    }
}

fn damage(conn: &Connection, sql: &str) {
    let script = format!(
        "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; {sql}; PRAGMA ignore_check_constraints = OFF"
    );
    conn.execute_batch(&script).expect(sql);
}

fn rows(conn: &Connection, query: &str) -> Rows {
    let mut statement = conn.prepare(query).expect("a query");
    let columns = statement.column_count();
    let rows =
        statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).expect("rows");
    rows.collect::<Result<_, _>>().expect("rows")
}

fn texts(conn: &Connection, query: &str) -> Vec<String> {
    let text = |row: &Vec<Value>| match &row[0] {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        other @ (Value::Null | Value::Real(_) | Value::Blob(_)) => format!("{other:?}"),
    };
    rows(conn, query).iter().map(text).collect()
}

/// The tables that are a fold over the log.
fn fold_tables(conn: &Connection) -> Vec<String> {
    texts(
        conn,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'
           AND name NOT IN ('attempts', 'rejections') ORDER BY rowid",
    )
}

fn everything(conn: &Connection) -> Vec<Table> {
    let content = |name: String| Table { rows: rows(conn, &format!("SELECT * FROM {name}")), name };
    fold_tables(conn).into_iter().map(content).collect()
}

fn id(number: i64) -> DiscrepancyId {
    DiscrepancyId::new(number)
}

fn contract(name: &str) -> Contract {
    Contract::new(name).expect("a contract")
}

/// Two orders: one balanced, one short of its card part since minute 22, which a person has seen.
fn lived_in() -> Book {
    let mut book = Book::new();
    book.take(0, watching());
    book.take(1, registered("A", 10_000));
    book.take(1, registered("B", 8000));
    book.take(2, voucher("A", 6000));
    book.take(2, voucher("B", 5000));
    book.take(3, card("A", 4000));
    book.take(4, voucher("A", 6000));
    book.wait_until(30);
    book.acknowledge(40, 1, "called the customer");
    book
}
