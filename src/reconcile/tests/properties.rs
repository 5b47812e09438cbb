//! What holds for every history, however strange: both PSPs, several attempts, conflicting amounts, refusals,
//! cancellations, refunds, orders that change.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::{collection::vec, option};

use super::*;

fn currencies() -> impl Strategy<Value = Currency> {
    prop_oneof![9 => Just(Currency::EUR), 1 => Just(Currency::parse("USD").expect("a currency"))]
}

fn cents() -> impl Strategy<Value = Cents> {
    select(vec![1000, 2500, 4000, 6000, 10_000]).prop_map(Cents::new)
}

fn operations() -> impl Strategy<Value = Operation> {
    prop_oneof![
        5 => Just(Operation::Debit),
        1 => Just(Operation::Credit { of: None }),
        1 => select(vec!["V1", "C1", "C2"]).prop_map(|id| Operation::Credit { of: TenderId::new(id).ok() }),
    ]
}

fn states() -> impl Strategy<Value = ReportedState> {
    use ReportedState::{Abandoned, Authorised, Cancelled, Captured, Expired, Pending, Refused};
    select(vec![
        Authorised, Authorised, Authorised, Captured, Pending, Abandoned, Refused, Expired, Cancelled,
    ])
}

prop_compose! {
    fn events()(
        call in select(vec!["7001", "7002"]),
        id in select(vec![None, Some("V1"), Some("C1"), Some("C2"), Some("R1"), Some("R2")]),
        (instrument, brand) in select(vec![
            (Instrument::Voucher, "CVCONNECT"), (Instrument::Card, "LIMOCB"), (Instrument::Card, "VISA"),
        ]),
        operation in operations(),
        (amount, currency) in (cents(), currencies()),
        state in states(),
        reading in select(vec![StatusReading::Known, StatusReading::Known, StatusReading::Unknown]),
        code in select(vec!["00000", "00105", "ODD"]),
        number in select(vec![Authorisation::NotStated, Authorisation::Absent]),
        (complement, itemised) in any::<(bool, bool)>(),
        (mode, order_total) in (select(vec![None, None, Some(Mode::Production), Some(Mode::Test)]), option::of(cents())),
        parts_announced in option::of(1..3_u8),
        occurred in option::of(0..3_i64),
    ) -> Event {
        Event {
            order_ref: None,
            call_number: CallNumber::new(call).expect("a call number"),
            tender_id: id.and_then(|id| TenderId::new(id).ok()),
            instrument,
            brand: Brand::new(brand).expect("a brand"),
            operation,
            amount,
            amount_from: crate::domain::AmountFrom::Part,
            running_total: None,
            currency,
            state,
            status: StatusCode { code: code.to_owned(), reading },
            authorisation: number,
            contract: None,
            mode,
            complement,
            order_total,
            itemised,
            parts_announced,
            occurred_at: occurred.map(minute),
        }
    }
}

prop_compose! {
    fn facts()(
        event in events(),
        psp in select(Psp::ALL.to_vec()),
        endpoint in select(vec!["a", "b"]),
        endpoint_mode in select(vec![Mode::Production, Mode::Production, Mode::Test]),
        received in 0..40_i64,
    ) -> Fact {
        let endpoint = EndpointId::new(endpoint).expect("an endpoint");
        Fact { event, psp, source: crate::domain::Source::Notification, endpoint, endpoint_mode, received_at: minute(received) }
    }
}

prop_compose! {
    fn cases()(
        facts in vec(facts(), 0..12),
        versions in vec((cents(), currencies(), -10..30_i64), 0..3),
        shared in any::<bool>(),
        require_orders in any::<bool>(),
        now in 0..7000_i64,
    ) -> Case {
        let mut versions: Vec<_> = versions
            .into_iter()
            .map(|(total, currency, at)| OrderVersion { total, currency, due: None, registered_at: minute(at) })
            .collect();
        versions.sort_by_key(|version| version.registered_at);
        let shares_prefix_with = if shared { OrderRef::new("CMD10").ok() } else { None };
        Case {
            order: Order { versions, shares_prefix_with, ..Order::default() },
            facts,
            policy: Policy { require_orders, ..Policy::default() },
            now: minute(now),
        }
    }
}

/// A history, and the same told in another order with repetitions.
fn retold() -> impl Strategy<Value = (Case, Case)> {
    (cases(), vec(any::<prop::sample::Index>(), 0..6)).prop_flat_map(|(case, repeated)| {
        let mut facts = case.facts.clone();
        if !facts.is_empty() {
            facts.extend(repeated.iter().map(|index| index.get(&case.facts).clone()));
        }
        (Just(case.clone()), Just(facts).prop_shuffle())
            .prop_map(|(case, facts)| (case.clone(), Case { facts, ..case }))
    })
}

/// What was given back by each refund, by its transaction where it has one: what it was first said to be.
fn given_back(facts: &[Fact]) -> Cents {
    let mut refunds: BTreeMap<_, Vec<&Fact>> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.event.operation != Operation::Debit) {
        let event = &fact.event;
        let instrument = (!fact.psp.transaction_names_tender() || event.tender_id.is_none())
            .then_some((event.instrument, &event.brand));
        let anonymous = event.tender_id.is_none().then_some((&event.call_number, event.amount));
        refunds.entry((fact.psp, &event.tender_id, instrument, anonymous)).or_default().push(fact);
    }
    let amount = |told: &Vec<&Fact>| {
        let last = told.iter().map(|fact| fact.event.state).max();
        let stands = matches!(last, Some(ReportedState::Authorised | ReportedState::Captured));
        let accepted = told
            .iter()
            .filter(|fact| matches!(fact.event.state, ReportedState::Authorised | ReportedState::Captured));
        let at =
            |fact: &&&Fact| (fact.event.occurred_at.is_none(), fact.event.occurred_at, fact.event.amount);
        accepted.min_by_key(at).filter(|_| stands).map(|fact| fact.event.amount)
    };
    refunds.values().filter_map(amount).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn neither_order_nor_repetition_matters((told, retold) in retold()) {
        prop_assert_eq!(told.assess(), retold.assess());
    }

    #[test]
    fn no_cent_is_lost_or_counted_twice(case in cases()) {
        let records = case.assess().records;
        for record in &records {
            let accepted: Cents = record
                .tenders
                .iter()
                .filter(|tender| tender.state.is_accepted() && tender.currency == record.currency)
                .map(|tender| tender.amount)
                .sum();
            prop_assert_eq!(accepted, record.paid());
            let parts = record.paid_by(Instrument::Voucher).plus(record.paid_by(Instrument::Card));
            prop_assert_eq!(parts, record.paid());
            for tender in &record.tenders {
                prop_assert!(tender.refunded >= Cents::ZERO);
                prop_assert!(tender.state.is_accepted() || tender.refunded == Cents::ZERO);
            }
        }
        let refunded: Cents = records.iter().map(Record::refunded).sum();
        prop_assert_eq!(refunded, given_back(&case.facts));
    }

    #[test]
    fn every_debit_is_found_in_its_record(case in cases()) {
        let records = case.assess().records;
        for fact in case.facts.iter().filter(|fact| fact.event.operation == Operation::Debit) {
            let homes = records
                .iter()
                .filter(|record| record.psp == fact.psp && record.call_number == fact.event.call_number);
            let tenders: Vec<_> = homes.flat_map(|record| &record.tenders).filter(|tender| tender.id == fact.event.tender_id).collect();
            prop_assert!(!tenders.is_empty());
        }
        let mut keys: Vec<_> = records.iter().map(|record| (record.psp, &record.call_number)).collect();
        keys.dedup();
        prop_assert_eq!(keys.len(), records.len());
    }

    #[test]
    fn nothing_changes_before_the_announced_instant(case in cases()) {
        let now = case.assess();
        let later = match now.look_again_at {
            Some(at) => Timestamp::from_millis(at.millis() - 1),
            None => minute(1_000_000),
        };
        prop_assert_eq!(Case { now: later, ..case }.assess(), now);
    }

    #[test]
    fn the_announced_instant_lies_ahead(case in cases()) {
        prop_assert!(case.assess().look_again_at.is_none_or(|at| at > case.now));
    }

    #[test]
    fn no_discrepancy_is_found_twice(case in cases()) {
        let findings = case.assess().findings;
        for (place, finding) in findings.iter().enumerate() {
            let same = |other: &Finding| {
                (other.kind, &other.record, &other.subject) == (finding.kind, &finding.record, &finding.subject)
            };
            prop_assert!(!findings[..place].iter().any(same), "{:?}", findings);
        }
    }
}
