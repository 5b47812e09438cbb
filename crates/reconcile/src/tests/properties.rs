//! What holds forevery history, however strange: all PSPs, several attempts, conflicting amounts, amounts that
//! are no part's own, refusals, cancellations, refunds, answers of an API, orders that change.

use std::cmp::Reverse;
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
        1 => Just(Operation::Chargeback { of: None }),
        1 => select(vec!["V1", "C1", "C2"]).prop_map(|id| Operation::Credit { of: TenderId::new(id).ok() }),
    ]
}

fn states() -> impl Strategy<Value = ReportedState> {
    use ReportedState::{Abandoned, Authorised, Cancelled, Captured, Expired, Pending, Refused};
    select(vec![
        Authorised, Authorised, Authorised, Captured, Pending, Abandoned, Refused, Expired, Cancelled,
    ])
}

fn amounts_from() -> impl Strategy<Value = AmountFrom> {
    use AmountFrom::{OrderTotal, Part, RunningTotal};
    select(vec![Part, Part, Part, RunningTotal, OrderTotal])
}

prop_compose! {
    fn events()(
        call in select(vec!["7001", "7001", "7002", "V1"]),
        id in select(vec![None, Some("V1"), Some("C1"), Some("C2"), Some("R1"), Some("R2")]),
        (instrument, brand) in select(vec![
            (Instrument::Voucher, "CVCONNECT"), (Instrument::Card, "LIMOCB"), (Instrument::Card, "VISA"),
        ]),
        operation in operations(),
        (amount, currency) in (cents(), currencies()),
        (amount_from, running_total) in (amounts_from(), option::of(cents())),
        state in states(),
        reading in select(vec![StatusReading::Known, StatusReading::Known, StatusReading::Unknown]),
        code in select(vec!["00000", "00105", "ODD"]),
        number in select(vec![Authorisation::NotStated, Authorisation::Absent]),
        contract in select(vec![None, Some("CVCO1"), Some("CB1")]),
        (complement, itemised) in any::<(bool, bool)>(),
        (mode, order_total) in (select(vec![None, None, Some(Mode::Production), Some(Mode::Test)]), option::of(cents())),
        parts_announced in option::of(1..3_u8),
        (occurred, accepted, revised) in (option::of(0..3_i64), option::of(0..3_i64), select(vec![false, false, true])),
    ) -> Event {
        Event {
            order_ref: None,
            call_number: CallNumber::new(call).expect("a call number"),
            tender_id: id.and_then(|id| TenderId::new(id).ok()),
            instrument,
            brand: Brand::new(brand).expect("a brand"),
            operation,
            amount,
            amount_from,
            running_total,
            currency,
            state,
            status: StatusCode { code: code.to_owned(), reading },
            authorisation: number,
            contract: contract.and_then(|text| Contract::new(text).ok()),
            mode,
            complement,
            order_total,
            itemised,
            parts_announced,
            occurred_at: occurred.map(minute),
            accepted_at: accepted.map(minute),
            revised,
        }
    }
}

prop_compose! {
    fn facts(psps: Vec<Psp>)(
        event in events(),
        psp in select(psps),
        source in select(vec![Source::Notification, Source::Notification, Source::Confirmation]),
        endpoint in select(vec!["a", "b"]),
        endpoint_mode in select(vec![Mode::Production, Mode::Production, Mode::Production, Mode::Test]),
        received in 0..40_i64,
    ) -> Fact {
        let endpoint = EndpointId::new(endpoint).expect("an endpoint");
        Fact { event, psp, source, endpoint, endpoint_mode, received_at: minute(received) }
    }
}

prop_compose! {
    fn orders()(
        mut versions in vec((cents(), currencies(), -10..30_i64), 0..3),
        (shared, awaits_answer) in any::<(bool, bool)>(),
        unknown_to in vec((select(vec!["a", "b"]), select(vec!["7001", "V1"])), 0..3),
        settled in vec((select(vec!["a", "b"]), 0..10_000_i64), 0..2),
    ) -> Order {
        versions.sort_by_key(|(_, _, at)| *at);
        let version = |(total, currency, at)| OrderVersion {
            total, currency, due: None, instalments: Vec::new(), registered_at: minute(at),
        };
        Order {
            versions: versions.into_iter().map(version).collect(),
            shares_prefix_with: OrderRef::new("CMD10").ok().filter(|_| shared),
            awaits_answer,
            payouts: Vec::new(),
            settled: settled
                .into_iter()
                .map(|(endpoint, at)| (EndpointId::new(endpoint).expect("an endpoint"), minute(at)))
                .collect(),
            unknown_to: unknown_to
                .into_iter()
                .map(|(endpoint, id)| {
                    (EndpointId::new(endpoint).expect("an endpoint"), Subject::new(id).expect("a subject"))
                })
                .collect(),
            also_claimed: Vec::new(),
        }
    }
}

prop_compose! {
    /// A history of one PSP, of the pair that ANCV and a card make, or of all.
    fn cases()(psps in select(Psp::ALL.map(|psp| vec![psp]).into_iter().chain([
        vec![Psp::Ancv, Psp::Sogecommerce],
        Psp::ALL.to_vec(),
    ]).collect::<Vec<_>>()))(
        facts in vec(facts(psps), 0..12),
        order in orders(),
        require_orders in any::<bool>(),
        now in 0..7000_i64,
    ) -> Case {
        let contracts = [Contract::new("CVCO1").expect("a contract")];
        let endpoints = [(EndpointId::new("a").expect("an endpoint"), contracts.into())].into();
        Case { order, facts, policy: Policy { require_orders, endpoints, ..Policy::default() }, now: minute(now) }
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

/// Cards at Up2pay with which no voucher has to do.
fn is_card_sale(case: &Case) -> bool {
    let is_plain_card = |fact: &Fact| {
        fact.psp == Psp::Up2pay && fact.event.instrument == Instrument::Card && !fact.event.complement
    };
    case.order.versions.is_empty() && case.facts.iter().all(is_plain_card)
}

/// What was given back by each refund, by its transaction where it has one: what the last answer says, or else what it was first
/// said to be.
fn given_back(facts: &[Fact]) -> Cents {
    let mut refunds: BTreeMap<_, Vec<&Fact>> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.event.operation != Operation::Debit) {
        let event = &fact.event;
        let instrument = (!fact.psp.terms().transaction_names_tender || event.tender_id.is_none())
            .then_some((event.instrument, &event.brand));
        let anonymous = event.tender_id.is_none().then_some((&event.call_number, event.amount));
        let by_bank = matches!(event.operation, Operation::Chargeback { .. });
        refunds.entry((fact.psp, &event.tender_id, instrument, anonymous, by_bank)).or_default().push(fact);
    }
    refunds.values().filter_map(|told| given_back_by(told)).sum()
}

/// The PSP's API says that it failed, and nothing accepted it since; or the PSP says so, later by its own clock than whatever
/// accepted this amount and no other.
fn is_taken_back(told: &[&Fact]) -> bool {
    let accepted = || {
        let accepting = [ReportedState::Authorised, ReportedState::Captured];
        told.iter().filter(move |fact| accepting.contains(&fact.event.state))
    };
    let failed = |fact: &Fact| matches!(fact.event.state, ReportedState::Refused | ReportedState::Abandoned);
    let answers =
        told.iter().filter(|f| f.source == Source::Confirmation && f.event.state != ReportedState::Pending);
    let last = answers.max_by_key(|fact| (fact.received_at, fact.event.state));
    if last.is_some_and(|last| failed(last) && accepted().all(|fact| fact.received_at <= last.received_at)) {
        return true;
    }
    let Some(amount) = accepted().next().map(|fact| fact.event.amount) else { return false };
    let is_later = |refused: &Fact| {
        accepted()
            .all(|fact| fact.occurred_at().zip(refused.occurred_at()).is_some_and(|(made, at)| made < at))
    };
    accepted().all(|fact| fact.event.amount == amount)
        && told
            .iter()
            .any(|fact| failed(fact) && [Cents::ZERO, amount].contains(&fact.event.amount) && is_later(fact))
}

fn given_back_by(told: &[&Fact]) -> Option<Cents> {
    let accepted = |state| matches!(state, ReportedState::Authorised | ReportedState::Captured);
    told.iter().map(|fact| fact.event.state).max().filter(|last| accepted(*last) && !is_taken_back(told))?;
    let made = || told.iter().filter(|fact| accepted(fact.event.state));
    let answers =
        made().filter(|fact| fact.source == Source::Confirmation && fact.event.amount_from.is_part());
    let last_answer = answers.max_by_key(|fact| (fact.received_at, Reverse(fact.event.amount)));
    let accepted: Vec<&Event> = made().map(|fact| &fact.event).collect();
    let first = |events: &mut dyn Iterator<Item = &Event>| {
        let at = |event: &&Event| {
            let dated = event.accepted_at.or(event.occurred_at);
            (event.amount_from, dated.is_none(), dated, event.amount)
        };
        events.min_by_key(at).map(|event| event.amount)
    };
    let totals = || accepted.iter().filter_map(|event| event.running_total);
    match (totals().min(), totals().max()) {
        (Some(least), Some(most)) if least < most => {
            let turn = &mut accepted.iter().copied().filter(|event| event.running_total == Some(least));
            first(turn).map(|turn| turn.plus(most.minus(least)))
        }
        _ => last_answer
            .map(|fact| fact.event.amount)
            .filter(|amount| amount.is_positive())
            .or_else(|| first(&mut accepted.iter().copied())),
    }
}

/// A Worldline payment, the voucher before the card, in some of the ways in which it can be told.
fn split_payments() -> impl Strategy<Value = (i64, i64, Case)> {
    let ways = |count| prop::sample::subsequence((0..count).collect::<Vec<usize>>(), 1..=count);
    (1..9_i64, 1..9_i64, ways(3), ways(2), any::<bool>()).prop_map(
        |(vouchers, cards, of_voucher, of_card, answered)| {
            let total = vouchers + cards;
            let voucher_ways = [
                voucher(vouchers).so_far(),
                voucher(vouchers).running(vouchers),
                voucher(total).of_the_whole().running(total),
            ];
            let card_ways = [plain_card(cards).running(total), plain_card(total).so_far()];
            let told = of_voucher
                .iter()
                .map(|way| &voucher_ways[*way])
                .chain(of_card.iter().map(|way| &card_ways[*way]));
            let answers = [voucher(vouchers).answered(), plain_card(cards).answered()];
            let all: Vec<_> = told.chain(answers.iter().filter(|_| answered)).cloned().collect();
            let case = all
                .into_iter()
                .map(|told| told.psp(Psp::Worldline).total(total))
                .fold(unregistered(), Case::with);
            (vouchers, cards, case)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn neither_order_nor_repetition_matters((told, retold) in retold()) {
        prop_assert_eq!(told.assess(), retold.assess());
    }

    #[test]
    fn no_cent_is_lost_or_counted_twice(case in cases()) {
        if is_card_sale(&case) { return Ok(()) }
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
        // What banks take back of a Worldline payment may be told by several names, and is bounded by its card.
        let is_bounded = |fact: &Fact| {
            fact.psp == Psp::Worldline && matches!(fact.event.operation, Operation::Chargeback { .. })
        };
        if !case.facts.iter().any(is_bounded) {
            prop_assert_eq!(refunded, given_back(&case.facts));
        }
    }

    #[test]
    fn every_debit_is_found_in_a_record(case in cases()) {
        if is_card_sale(&case) { return Ok(()) }
        let records = case.assess().records;
        for fact in case.facts.iter().filter(|fact| fact.event.operation == Operation::Debit) {
            // An authorisation at Worldline may be found as its capture.
            let event = &fact.event;
            let found = |tender: &Tender| {
                tender.id == event.tender_id || (fact.psp == Psp::Worldline && tender.first_seen_at <= fact.received_at)
            };
            prop_assert!(records.iter().flat_map(|record| &record.tenders).any(found));
        }
        let mut keys: Vec<_> = records.iter().map(|record| (record.psp, &record.call_number)).collect();
        keys.dedup();
        prop_assert_eq!(keys.len(), records.len());
    }

    #[test]
    fn where_a_transaction_names_its_tender_it_is_one_tender(facts in vec(facts(vec![Psp::Monext]), 0..12)) {
        let facts: Vec<_> = facts.into_iter().filter(|fact| fact.event.operation == Operation::Debit).collect();
        let records = Case { facts, ..unregistered() }.assess().records;
        let mut ids: Vec<_> = records.iter().flat_map(|record| &record.tenders).filter_map(|t| t.id.clone()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), all);
    }

    #[test]
    fn parts_that_are_worked_out_are_right_or_in_doubt((vouchers, cards, case) in split_payments()) {
        let record = case.clone().seen(0).record();
        prop_assert_eq!(record.paid().get(), vouchers + cards);
        if record.state == RecordState::Pending {
            prop_assert_eq!(case.kinds(), [Kind::Unconfirmed]);
        } else {
            prop_assert_eq!(record.state, RecordState::Balanced);
            prop_assert_eq!(record.paid_by(Instrument::Voucher).get(), vouchers);
            prop_assert_eq!(record.paid_by(Instrument::Card).get(), cards);
        }
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
