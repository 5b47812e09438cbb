//! A ledger with a past: payments of earlier months, and the configuration of who keeps its books.

use std::path::PathBuf;
use std::process::Output;

use cvco_domain::crypto::SealKey;
use cvco_domain::{
    AmountFrom, Authorisation, AuthorisationNumber, BookAt, Brand, CallNumber, Cents, Contract, Currency,
    EndpointId, EndpointRef, Event, Instrument, Issuer, Mode, Operation, OrderRef, PayoutTerms, Policy, Psp,
    ReportedState, ShopId, StatusCode, StatusReading, TenderId, Timestamp,
};
use cvco_ledger::Ledger;
use cvco_log::entry::{Notification, OrderRegistration, Origin};
use cvco_log::{Draft, Envelope, LogEntry, LogStore, SqliteLog, key_file};
use tempfile::TempDir;

use super::command;

/// Sections of the configuration for the accountant.
pub const BOOKS: &str = r#"
[accounting]
siren = "732829320"

[[statement]]
id = "ancv"
issuer = "ancv"
since = "2026-01-01"
encoding = "windows-1252"
skip_lines = 2
columns = { reference = "Référence interne commerçant", transaction = "N° transaction", amount = "Montant", commission = "Commission", net = "Net", date = "Date de transaction", statement = "N° relevé", paid_on = "Date de valeur" }

[[statement]]
id = "bank"
issuer = "bank"
since = "2026-01-01"
delimiter = ","
decimal = "."
date = "%Y-%m-%d"
columns = { reference = "reference", authorisation = "autorisation", contract = "contrat", amount = "montant_brut", net = "montant_net", date = "date_operation", paid_on = "date_remise" }
"#;

/// One part of a payment as its PSP told it.
#[derive(Clone, Copy)]
pub struct Told<'t> {
    pub at: &'t str,
    pub order: &'t str,
    pub call: &'t str,
    pub cents: i64,
    pub card: bool,
    pub refund: bool,
    pub state: ReportedState,
}

pub struct Past {
    folder: TempDir,
    files: Option<Files>,
    /// The brand of the vouchers from here on.
    pub voucher: &'static str,
}

/// Log and ledger, while a past is being laid.
struct Files {
    log: SqliteLog,
    ledger: Ledger,
    key: SealKey,
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

impl Past {
    /// With lists in English: their headings are names for programs.
    pub fn new(sections: &str) -> Self {
        Self::in_language("en", sections)
    }

    pub fn in_language(language: &str, sections: &str) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let config = format!(
            "[ledger]\npath = \"ledger.sqlite\"\n{sections}\n[alerts]\nlanguage = \"{language}\"\nfrom = \"cvco@camping.example\"\n\
             to = [\"compta@camping.example\"]\nsmtp = \"smtp://127.0.0.1:25\"\n[[shop]]\nid = \"camping\"\nname = \"Camping des Pins\"\n"
        );
        std::fs::write(folder.path().join("config.toml"), config).expect("configuration");
        let mut past = Self { folder, files: None, voucher: "CVCONNECT" };
        past.reopen();
        let days = |days: u64| std::time::Duration::from_hours(24 * days);
        let terms = |delay| PayoutTerms { since: "2026-01-01".parse().expect("a day"), delay };
        let meal = "apetiz".parse().expect("an issuer");
        let issuers = [(Issuer::Ancv, 30), (meal, 30), (Issuer::Bank, 10)];
        let payouts = issuers.map(|(issuer, delay)| (issuer, terms(days(delay)))).into();
        let policy = Policy {
            book_at: BookAt::Capture,
            payouts: [(EndpointId::new("camping-up2pay").expect("an endpoint"), payouts)].into(),
            ..Policy::default()
        };
        past.append("2026-01-01T00:00:00Z", &Draft::new(&LogEntry::Policy(policy)).expect("a draft"));
        past
    }

    /// Appends an entry at an instant, and folds it.
    fn append(&mut self, when: &str, draft: &Draft) {
        let Files { log, ledger, .. } = self.files.as_mut().expect("still being laid");
        log.append(std::slice::from_ref(draft), at(when)).expect("appended");
        ledger.catch_up_all(log).expect("folded");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An order that is registered.
    pub fn expects(&mut self, when: &str, reference: &str, cents: i64) {
        self.registers("camping", when, reference, cents);
    }

    fn registers(&mut self, shop: &str, when: &str, reference: &str, cents: i64) {
        let entry = LogEntry::Order(OrderRegistration {
            shop: ShopId::new(shop).expect("a shop"),
            reference: OrderRef::new(reference).expect("a reference"),
            total: Cents::new(cents),
            currency: Currency::EUR,
            due: None,
            instalments: Vec::new(),
        });
        self.append(when, &Draft::new(&entry).expect("a draft"));
    }

    pub fn tells(&mut self, told: &Told<'_>) {
        self.tells_at("camping", told);
    }

    fn tells_at(&mut self, shop: &str, told: &Told<'_>) {
        let event = Event {
            order_ref: OrderRef::new(told.order).ok(),
            call_number: CallNumber::new(told.call).expect("a call number"),
            tender_id: TenderId::new(format!(
                "{}{}{}",
                told.call,
                if told.card { "C" } else { "V" },
                if told.refund { "R" } else { "" }
            ))
            .ok(),
            instrument: if told.card { Instrument::Card } else { Instrument::Voucher },
            brand: Brand::new(if told.card { "LIMOCB" } else { self.voucher }).expect("a brand"),
            operation: if told.refund { Operation::Credit { of: None } } else { Operation::Debit },
            amount: Cents::new(told.cents),
            amount_from: AmountFrom::Part,
            running_total: None,
            currency: Currency::EUR,
            state: told.state,
            status: StatusCode { code: "00000".to_owned(), reading: StatusReading::Known },
            authorisation: if told.card {
                Authorisation::Number(AuthorisationNumber::new("168753").expect("a number"))
            } else {
                Authorisation::NotStated
            },
            contract: Contract::new(if told.card { "1234567-02" } else { "1234567-01" }).ok(),
            mode: None,
            complement: told.card && !told.refund,
            order_total: None,
            itemised: false,
            parts_announced: None,
            occurred_at: Some(at(told.at)),
            accepted_at: None,
            revised: false,
        };
        let body = format!("{event:?}").into_bytes();
        let notification = LogEntry::Notification(Notification {
            endpoint: EndpointRef {
                shop: ShopId::new(shop).expect("a shop"),
                endpoint: EndpointId::new(format!("{shop}-up2pay")).expect("an endpoint"),
                psp: Psp::Up2pay,
                mode: Mode::Production,
            },
            origin: Origin::Call,
            events: vec![event],
            questions: Vec::new(),
            remark: None,
        });
        let envelope = Envelope {
            method: "GET".to_owned(),
            query: body.clone(),
            body: Vec::new(),
            peer: "192.0.2.1".to_owned(),
            user_agent: String::new(),
            headers: Vec::new(),
        };
        let key = &self.files.as_ref().expect("still being laid").key;
        let payload = envelope.seal(key, &body).expect("sealed");
        self.append(told.at, &Draft::with_payload(&notification, payload).expect("a draft"));
    }

    /// A payment of two parts, or of one where the other is nothing.
    pub fn pays(&mut self, when: &str, order: &str, call: &str, parts: (i64, i64)) {
        self.pays_at("camping", when, order, call, parts);
    }

    /// The same at another shop.
    pub fn pays_at(&mut self, shop: &str, when: &str, order: &str, call: &str, (voucher, card): (i64, i64)) {
        self.registers(shop, when, order, voucher + card);
        let state = ReportedState::Authorised;
        let told = Told { at: when, order, call, cents: voucher, card: false, refund: false, state };
        self.tells_at(shop, &told);
        if card > 0 {
            self.tells_at(shop, &Told { cents: card, card: true, ..told });
        }
    }

    /// A voucher part is cancelled.
    pub fn cancels(&mut self, when: &str, order: &str, call: &str, cents: i64) {
        let state = ReportedState::Cancelled;
        self.tells(&Told { at: when, order, call, cents, card: false, refund: false, state });
    }

    /// What only time brings comes, up to now.
    pub fn time_passes(&mut self) {
        let now = cvco_reconciled::clock::Clock::system().now().to_string();
        self.append(&now, &Draft::new(&LogEntry::Time).expect("a draft"));
    }

    /// Runs the program on it.
    pub fn run(&mut self, arguments: &[&str]) -> Output {
        // The commands open log and ledger for themselves.
        self.files = None;
        command()
            .arg("--config")
            .arg(self.path("config.toml"))
            .args(["--log", "error"])
            .args(arguments)
            .output()
            .expect("the program runs")
    }

    /// Runs the program, which must end well, and returns what it says.
    #[track_caller]
    pub fn out(&mut self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Goes on laying.
    pub fn reopen(&mut self) {
        self.files = None;
        let key_path = self.path("payload.key");
        let log = SqliteLog::open_or_create(&self.path("log.sqlite"), &[]).expect("a log");
        let key = match key_file::read(&key_path).expect("a key") {
            Some(key) => key,
            None => key_file::make(&key_path).expect("a key"),
        };
        log.adopt_key(&key, &key_path).expect("the log's own key");
        let ledger = Ledger::open(&self.path("ledger.sqlite"), &log.id().expect("an id")).expect("a ledger");
        self.files = Some(Files { log, ledger, key });
    }

    /// How many entries the log has.
    pub fn entries(&self) -> Vec<String> {
        super::ledger_rows(&self.path("log.sqlite"), "SELECT COUNT(*) FROM log")
    }

    /// The first column of a query's rows.
    pub fn rows(&self, sql: &str) -> Vec<String> {
        super::ledger_rows(&self.path("ledger.sqlite"), sql)
    }
}
