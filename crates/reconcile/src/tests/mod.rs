//! What reconciliation promises, one file per family of promises.
//!
//! [`catalogue`] is the table: every kind with a case that raises it alone, and the neighbouring case that
//! raises nothing. The other files hold what a table cannot show.

mod after_sale;
mod amounts;
mod captures;
mod catalogue;
mod chargebacks;
mod confirmations;
mod dates;
mod doubles;
mod graces;
mod joins;
mod operations;
mod orders;
mod parts;
mod payouts;
mod properties;
mod refunds;
mod silence;
mod states;
mod together;

use std::time::Duration;

use cvco_domain::{
    AmountFrom, Authorisation, AuthorisationNumber, Brand, CallNumber, Cents, Contract, Currency, Detail,
    EndpointId, Event, Finding, Instalment, Instrument, Issuer, Kind, LineId, Mode, Operation, Order,
    OrderRef, OrderVersion, Payout, PayoutTerms, Psp, Record, RecordState, ReportedState, Source,
    StatementLine, StatementNumber, StatusCode, StatusOf, StatusReading, Subject, Tender, TenderId,
    TenderState, Timestamp,
};

use cvco_domain::Policy;

use super::{Assessment, Fact, assess};

const DAY: i64 = 24 * 60;

/// So many minutes after the first of March 2026, ten o'clock UTC, when most cases begin.
fn minute(minutes: i64) -> Timestamp {
    let start = Timestamp::parse("2026-03-01T10:00:00Z").expect("a time");
    Timestamp::from_millis(start.millis() + minutes * 60_000)
}

/// A fact in the making, by default as Up2pay tells it.
#[derive(Debug, Clone)]
struct Told(Fact);

/// The voucher part: accepted, transaction `V1`, call number `7001`, told at minute 0.
fn voucher(cents: i64) -> Told {
    Told(Fact {
        event: Event {
            order_ref: OrderRef::new("CMD1").ok(),
            call_number: CallNumber::new("7001").expect("a call number"),
            tender_id: TenderId::new("V1").ok(),
            instrument: Instrument::Voucher,
            brand: Brand::new("CVCONNECT").expect("a brand"),
            operation: Operation::Debit,
            amount: Cents::new(cents),
            amount_from: AmountFrom::Part,
            running_total: None,
            currency: Currency::EUR,
            state: ReportedState::Authorised,
            status: StatusCode { code: "00000".to_owned(), reading: StatusReading::Known },
            authorisation: Authorisation::Absent,
            contract: None,
            mode: None,
            complement: false,
            order_total: None,
            itemised: false,
            parts_announced: None,
            occurred_at: None,
            accepted_at: None,
            revised: false,
        },
        psp: Psp::Up2pay,
        source: Source::Notification,
        endpoint: EndpointId::new("camping").expect("an endpoint"),
        endpoint_mode: Mode::Production,
        received_at: minute(0),
    })
}

/// The card complement: accepted, transaction `C1`, under the same call number.
fn card(cents: i64) -> Told {
    let mut told = voucher(cents).id("C1").authorisation("123456");
    told.0.event.instrument = Instrument::Card;
    told.0.event.brand = Brand::new("LIMOCB").expect("a brand");
    told.0.event.complement = true;
    told
}

/// A card payment that stands alone.
fn plain_card(cents: i64) -> Told {
    let mut told = card(cents).brand("VISA");
    told.0.event.complement = false;
    told
}

impl Told {
    fn change(mut self, change: impl FnOnce(&mut Event)) -> Self {
        change(&mut self.0.event);
        self
    }
    fn state(self, state: ReportedState) -> Self {
        self.change(|event| event.state = state)
    }
    fn id(self, id: &str) -> Self {
        self.change(|event| event.tender_id = TenderId::new(id).ok())
    }
    fn without_id(self) -> Self {
        self.change(|event| event.tender_id = None)
    }
    fn brand(self, brand: &str) -> Self {
        self.change(|event| event.brand = Brand::new(brand).expect("a brand"))
    }
    fn call(self, call: &str) -> Self {
        self.change(|event| event.call_number = CallNumber::new(call).expect("a call number"))
    }
    fn currency(self, code: &str) -> Self {
        self.change(|event| event.currency = Currency::parse(code).expect("a currency"))
    }
    fn status(self, code: &str, reading: StatusReading) -> Self {
        self.change(|event| event.status = StatusCode { code: code.to_owned(), reading })
    }
    fn authorisation(self, number: &str) -> Self {
        let number = AuthorisationNumber::new(number).expect("a number");
        self.change(|event| event.authorisation = Authorisation::Number(number))
    }
    fn authorisation_is(self, authorisation: Authorisation) -> Self {
        self.change(|event| event.authorisation = authorisation)
    }
    /// A message that proves from which platform it comes.
    fn proves(self, mode: Mode) -> Self {
        self.change(|event| event.mode = Some(mode))
    }
    /// A message that states the order's total without its parts.
    fn total(self, cents: i64) -> Self {
        self.change(|event| event.order_total = Some(Cents::new(cents)))
    }
    /// A part from a message that lists all parts of a total.
    fn listed_in(self, total: i64) -> Self {
        self.total(total).change(|event| event.itemised = true)
    }
    fn parts(self, parts: u8) -> Self {
        self.change(|event| event.parts_announced = Some(parts))
    }
    /// When it happened, by the PSP's clock; it is heard of then at the earliest.
    fn happened(mut self, minutes: i64) -> Self {
        self.0.received_at = self.0.received_at.max(minute(minutes));
        self.change(|event| event.occurred_at = Some(minute(minutes)))
    }
    /// The bank takes the money back.
    fn charged_back(self) -> Self {
        self.change(|event| event.operation = Operation::Chargeback { of: None })
    }
    /// The same, told by an operation that may be what it takes back.
    fn charged_back_by(self, id: &str) -> Self {
        self.change(|event| event.operation = Operation::Chargeback { of: TenderId::new(id).ok() })
    }
    /// The merchant changed the amount.
    fn revised(self) -> Self {
        self.change(|event| event.revised = true)
    }
    /// Money that goes back.
    fn refund(self) -> Self {
        self.change(|event| event.operation = Operation::Credit { of: None })
    }
    fn refund_of(self, id: &str) -> Self {
        self.change(|event| event.operation = Operation::Credit { of: TenderId::new(id).ok() })
    }
    fn psp(mut self, psp: Psp) -> Self {
        self.0.psp = psp;
        self
    }
    /// The amount is what was paid of the order so far: a Worldline event without an operation's amount.
    fn so_far(self) -> Self {
        self.change(|event| {
            event.running_total = Some(event.amount);
            event.amount_from = AmountFrom::RunningTotal;
        })
    }
    /// The amount is that of the whole order.
    fn of_the_whole(self) -> Self {
        self.change(|event| event.amount_from = AmountFrom::OrderTotal)
    }
    /// So much of the order, or of the refund's tender, was reached with it.
    fn running(self, cents: i64) -> Self {
        self.change(|event| event.running_total = Some(Cents::new(cents)))
    }
    /// Settled on a contract.
    fn on(self, contract: &str) -> Self {
        self.change(|event| event.contract = Contract::new(contract).ok())
    }
    /// Not notified: the PSP's API answers so.
    fn answered(mut self) -> Self {
        self.0.source = Source::Confirmation;
        self
    }
    fn sogecommerce(self) -> Self {
        self.psp(Psp::Sogecommerce)
    }
    fn endpoint(mut self, id: &str, mode: Mode) -> Self {
        self.0.endpoint = EndpointId::new(id).expect("an endpoint");
        self.0.endpoint_mode = mode;
        self
    }
    /// When the daemon heard of it.
    fn at(mut self, minutes: i64) -> Self {
        self.0.received_at = minute(minutes);
        self
    }
}

/// One order with all that is known of it, looked at when every grace of a fresh payment is over.
#[derive(Debug, Clone)]
struct Case {
    order: Order,
    facts: Vec<Fact>,
    policy: Policy,
    now: Timestamp,
}

/// An order that its shop registered an hour before anything else happens.
fn order(cents: i64) -> Case {
    unregistered().registered(cents, -60)
}

/// Payments without a registered order.
fn unregistered() -> Case {
    Case { order: Order::default(), facts: Vec::new(), policy: Policy::default(), now: minute(60) }
}

impl Case {
    fn registered(self, cents: i64, minutes: i64) -> Self {
        self.registered_in(cents, "EUR", minutes)
    }
    fn registered_in(mut self, cents: i64, currency: &str, minutes: i64) -> Self {
        self.order.versions.push(OrderVersion {
            total: Cents::new(cents),
            currency: Currency::parse(currency).expect("a currency"),
            due: None,
            instalments: Vec::new(),
            registered_at: minute(minutes),
        });
        self
    }
    /// The shop wants its money by then.
    fn due(mut self, minutes: i64) -> Self {
        let version = self.order.versions.last_mut().expect("registered");
        version.due = Some(minute(minutes));
        self
    }
    /// The shop has a plan: so much by then.
    fn planned(mut self, parts: &[(i64, i64)]) -> Self {
        let version = self.order.versions.last_mut().expect("registered");
        let part =
            |&(cents, due): &(i64, i64)| Instalment { cents: Cents::new(cents), due: Some(minute(due)) };
        version.instalments = parts.iter().map(part).collect();
        self
    }
    fn sharing_its_prefix_with(mut self, reference: &str) -> Self {
        self.order.shares_prefix_with = OrderRef::new(reference).ok();
        self
    }
    fn require_orders(mut self) -> Self {
        self.policy.require_orders = true;
        self
    }
    /// The PSP's API knows nothing of what it was asked about.
    fn unknown_to(mut self, endpoint: &str, subject: &str) -> Self {
        let endpoint = EndpointId::new(endpoint).expect("an endpoint");
        self.order.unknown_to.push((endpoint, Subject::new(subject).expect("a subject")));
        self
    }
    /// The PSP's API answered about it then.
    fn answered_at(mut self, endpoint: &str, minutes: i64) -> Self {
        let endpoint = EndpointId::new(endpoint).expect("an endpoint");
        self.order.settled.push((endpoint, minute(minutes)));
        self
    }
    /// The endpoint names its one contract.
    fn knowing(mut self, contract: &str) -> Self {
        let contract = Contract::new(contract).expect("a contract");
        let endpoint = EndpointId::new("camping").expect("an endpoint");
        self.policy.endpoints.insert(endpoint, [contract].into());
        self
    }
    /// Payments of its endpoint must be on a statement within ten days.
    fn due_on_statements(mut self) -> Self {
        let terms =
            PayoutTerms { since: "2020-01-01".parse().expect("a day"), delay: Duration::from_hours(240) };
        let endpoint = EndpointId::new("camping").expect("an endpoint");
        self.policy.payouts.insert(endpoint, Issuer::USUAL.map(|issuer| (issuer, terms)).into());
        self
    }
    /// A line of a statement is about it.
    fn paid_out(self, issuer: Issuer, cents: i64) -> Self {
        self.paid_out_less(issuer, cents, None)
    }
    fn paid_out_less(mut self, issuer: Issuer, cents: i64, commission: Option<i64>) -> Self {
        let position = u32::try_from(self.order.payouts.len()).expect("few") + 1;
        let statement = StatementNumber::new("R1").expect("a number");
        self.order.payouts.push(Payout {
            id: LineId { issuer, statement, position },
            paid_on: minute(4 * 24 * 60).paris_day(),
            line: StatementLine {
                transaction: None,
                reference: None,
                authorisation: None,
                contract: None,
                amount: Cents::new(cents),
                commission: commission.map(Cents::new),
                dated: None,
            },
        });
        self
    }
    /// The last line of a statement pays then.
    fn on_day(mut self, day: i64) -> Self {
        let line = self.order.payouts.last_mut().expect("a line");
        line.paid_on = minute(day * DAY).paris_day();
        self
    }
    fn awaiting_an_answer(mut self) -> Self {
        self.order.awaits_answer = true;
        self
    }
    fn with(mut self, told: Told) -> Self {
        self.facts.push(told.0);
        self
    }
    /// Looked at so many minutes in.
    fn seen(mut self, minutes: i64) -> Self {
        self.now = minute(minutes);
        self
    }
    /// Looked at an instant before that.
    fn seen_just_before(mut self, minutes: i64) -> Self {
        self.now = Timestamp::from_millis(minute(minutes).millis() - 1);
        self
    }

    fn assess(&self) -> Assessment {
        assess(&self.order, &self.facts, &self.policy, self.now)
    }
    fn kinds(&self) -> Vec<Kind> {
        self.assess().findings.into_iter().map(|finding| finding.kind).collect()
    }
    /// The rules that it breaks, all of them.
    #[track_caller]
    fn raises(&self, kinds: &[Kind]) {
        assert_eq!(self.kinds(), kinds, "{self:#?}");
    }
    /// The one rule that it breaks.
    #[track_caller]
    fn finding(&self, kind: Kind) -> Finding {
        let mut findings = self.assess().findings;
        assert_eq!(findings.len(), 1, "{findings:#?}");
        let finding = findings.remove(0);
        assert_eq!(finding.kind, kind);
        finding
    }
    /// Its one record's parts, as transaction and amount.
    #[track_caller]
    fn parts(&self) -> Vec<(String, i64)> {
        let name = |tender: &Tender| tender.id.clone().map(String::from).unwrap_or_default();
        self.record().tenders.iter().map(|tender| (name(tender), tender.amount.get())).collect()
    }
    /// Its one record.
    #[track_caller]
    fn record(&self) -> Record {
        let mut records = self.assess().records;
        assert_eq!(records.len(), 1, "{records:#?}");
        records.remove(0)
    }
    #[track_caller]
    fn is(&self, state: RecordState) {
        assert_eq!(self.record().state, state, "{self:#?}");
    }
    /// The one tender of its one record.
    #[track_caller]
    fn tender(&self) -> Tender {
        let mut tenders = self.record().tenders;
        assert_eq!(tenders.len(), 1, "{tenders:#?}");
        tenders.remove(0)
    }
    /// Minutes from now until time alone may change the answer.
    fn looks_again_in(&self) -> Option<Duration> {
        self.assess().look_again_at.map(|at| at.since(self.now))
    }
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}

fn figures(finding: &Finding) -> (Option<i64>, Option<i64>) {
    (finding.expected.map(Cents::get), finding.actual.map(Cents::get))
}
