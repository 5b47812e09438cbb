//! Plain counting agrees with `reconcile` wherever it decides, and bounds it elsewhere, whatever was told.

use cvco_domain::{
    AmountFrom, Authorisation, Brand, CallNumber, Cents, Currency, EndpointId, Event, Instrument, Mode,
    Operation, Order, OrderRef, Policy, Psp, ReportedState, Source, StatusCode, StatusReading, TenderId,
    Timestamp,
};
use cvco_reconcile::{Fact, assess};
use proptest::prelude::*;

use super::{Pot, REFUNDS, Sums, Told, count};

fn cents() -> impl Strategy<Value = Cents> {
    prop::sample::select(vec![1000, 1500, 2500]).prop_map(Cents::new)
}

fn states() -> Vec<ReportedState> {
    vec![
        ReportedState::Authorised,
        ReportedState::Authorised,
        ReportedState::Captured,
        ReportedState::Captured,
        ReportedState::Pending,
        ReportedState::Abandoned,
        ReportedState::Refused,
        ReportedState::Expired,
        ReportedState::Cancelled,
    ]
}

fn fact(psp: Psp) -> impl Strategy<Value = Fact> {
    let froms = match psp {
        Psp::Worldline | Psp::Monext => {
            vec![AmountFrom::Part, AmountFrom::RunningTotal, AmountFrom::OrderTotal, AmountFrom::Before]
        }
        Psp::Up2pay | Psp::Sogecommerce | Psp::Ancv => vec![AmountFrom::Part],
    };
    let operations = vec![
        Operation::Debit,
        Operation::Debit,
        Operation::Debit,
        Operation::Credit { of: None },
        Operation::Credit { of: TenderId::new("1_0").ok() },
    ];
    let what = (
        prop::sample::select(vec!["1", "2"]),
        prop::sample::select(vec![None, Some("0"), Some("1"), Some("2")]),
        prop::sample::select(vec![Instrument::Voucher, Instrument::Card]),
        prop::sample::select(operations),
        prop::sample::select(states()),
        any::<bool>(),
    );
    let figures = (
        cents(),
        prop::sample::select(froms),
        prop::option::of(cents()),
        prop::option::of(cents()),
        prop::sample::select(vec!["EUR", "EUR", "EUR", "USD"]),
    );
    let circumstances = (prop::bool::weighted(0.2), 0..5_i64, prop::option::of(0..5_i64));
    (what, figures, circumstances).prop_map(move |(what, figures, circumstances)| {
        let (call, tender, instrument, operation, state, odd) = what;
        let (amount, amount_from, running_total, order_total, currency) = figures;
        let (confirmed, received, occurred) = circumstances;
        let event = Event {
            order_ref: OrderRef::new("A").ok(),
            call_number: CallNumber::new(call).expect("a call number"),
            tender_id: tender.and_then(|tender| TenderId::new(format!("{call}_{tender}")).ok()),
            instrument,
            brand: Brand::new(if instrument == Instrument::Voucher { "CVCO" } else { "VISA" })
                .expect("a brand"),
            operation,
            amount,
            amount_from,
            running_total: running_total.filter(|_| psp == Psp::Worldline),
            currency: Currency::parse(currency).expect("a currency"),
            state,
            status: StatusCode {
                code: "0".to_owned(),
                reading: if odd { StatusReading::Attention } else { StatusReading::Known },
            },
            authorisation: Authorisation::NotStated,
            contract: None,
            mode: None,
            complement: false,
            order_total,
            itemised: false,
            parts_announced: None,
            occurred_at: occurred.map(|hours| Timestamp::from_millis(hours * 3_600_000)),
            accepted_at: None,
            revised: false,
        };
        Fact {
            event,
            psp,
            source: if confirmed { Source::Confirmation } else { Source::Notification },
            endpoint: EndpointId::new(format!("e-{psp}")).expect("an endpoint"),
            endpoint_mode: Mode::Production,
            received_at: Timestamp::from_millis((10 + received) * 3_600_000),
        }
    })
}

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let psps = vec![Psp::Up2pay, Psp::Sogecommerce, Psp::Worldline, Psp::Worldline, Psp::Monext, Psp::Ancv];
    let fact = prop::sample::select(psps).prop_flat_map(fact);
    prop::collection::vec(fact, 1..8)
}

fn told(facts: &[Fact]) -> Vec<Told> {
    facts.iter().map(|fact| Told::new(fact.psp, fact.source, &fact.event, fact.received_at)).collect()
}

fn assessed(facts: &[Fact]) -> Sums<Cents> {
    let records =
        assess(&Order::default(), facts, &Policy::default(), Timestamp::from_millis(100 * 3_600_000)).records;
    let mut sums = Sums::new();
    for tender in records.iter().flat_map(|record| &record.tenders) {
        if tender.state.is_accepted() {
            let sum: &mut Cents = sums.entry((tender.currency, Pot::of(tender.instrument))).or_default();
            *sum = sum.plus(tender.amount);
        }
        let sum = sums.entry(REFUNDS).or_default();
        *sum = sum.plus(tender.refunded);
    }
    sums
}

/// Up2pay tells of every card sale of the shop. Without a voucher or a registered order it is none of our business.
fn is_of_a_card_sale(fact: &Fact) -> bool {
    fact.psp == Psp::Up2pay && fact.event.instrument == Instrument::Card
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn what_reconcile_makes_of_messages_lies_within_what_was_counted(facts in facts()) {
        let (bounds, sums) = (count(&told(&facts)), assessed(&facts));
        if facts.iter().all(is_of_a_card_sale) {
            prop_assert!(sums.is_empty(), "a card sale that no shop registered is in the books: {sums:?}");
            return Ok(());
        }
        for key in bounds.keys().chain(sums.keys()) {
            let (bounds, sum) = (bounds.get(key).copied().unwrap_or_default(), sums.get(key).copied().unwrap_or_default());
            prop_assert!(bounds.hold(sum), "{key:?}: {sum} in {bounds:?}");
        }
    }

    #[test]
    fn counting_decides_where_messages_state_own_amounts_and_agree(amounts in prop::collection::vec(cents(), 1..4)) {
        let all: Vec<Fact> = amounts
            .iter()
            .enumerate()
            .flat_map(|(n, amount)| {
                [ReportedState::Authorised, ReportedState::Captured].map(|state| (n, *amount, state))
            })
            .map(|(n, amount, state)| {
                let mut fact = plain();
                fact.event.tender_id = TenderId::new(format!("t{n}")).ok();
                (fact.event.amount, fact.event.state) = (amount, state);
                fact
            })
            .collect();
        let bounds = count(&told(&all));
        let voucher = bounds.get(&(Currency::EUR, Pot::Voucher)).copied().unwrap_or_default();
        prop_assert!(voucher.decide());
        prop_assert_eq!(voucher.least, amounts.into_iter().sum());
    }
}

/// An accepted voucher at Sogecommerce.
fn plain() -> Fact {
    Fact {
        event: Event {
            order_ref: OrderRef::new("A").ok(),
            call_number: CallNumber::new("1").expect("a call number"),
            tender_id: None,
            instrument: Instrument::Voucher,
            brand: Brand::new("CVCO").expect("a brand"),
            operation: Operation::Debit,
            amount: Cents::ZERO,
            amount_from: AmountFrom::Part,
            running_total: None,
            currency: Currency::EUR,
            state: ReportedState::Authorised,
            status: StatusCode { code: "0".to_owned(), reading: StatusReading::Known },
            authorisation: Authorisation::NotStated,
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
        psp: Psp::Sogecommerce,
        source: Source::Notification,
        endpoint: EndpointId::new("e").expect("an endpoint"),
        endpoint_mode: Mode::Production,
        received_at: Timestamp::from_millis(0),
    }
}
