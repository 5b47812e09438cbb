//! The catalogue as a table: forevery kind a case that raises it and nothing else, and a case one step away
//! that raises nothing.

use super::*;

struct Promise {
    kind: Kind,
    broken: Case,
    kept: Case,
}

fn promise(kind: Kind, broken: Case, kept: Case) -> Promise {
    Promise { kind, broken, kept }
}

fn voucher_and_card(mut case: Case, vouchers: i64, cards: i64) -> Case {
    case = case.with(voucher(vouchers)).with(card(cards));
    case
}

fn of_amounts() -> Vec<Promise> {
    let cascade = |part: i64| {
        unregistered()
            .with(voucher(6000).sogecommerce().listed_in(10_000))
            .with(card(part).sogecommerce().listed_in(10_000))
    };
    vec![
        promise(
            Kind::AmountShort,
            voucher_and_card(order(10_000), 6000, 3999),
            voucher_and_card(order(10_000), 6000, 4000),
        ),
        promise(
            Kind::AmountOver,
            voucher_and_card(order(10_000), 6000, 4001),
            voucher_and_card(order(10_000), 6000, 4000),
        ),
        promise(
            Kind::ComplementMissing,
            order(10_000).with(voucher(6000)),
            order(10_000).with(voucher(10_000)),
        ),
        promise(
            Kind::ComplementOrphan,
            order(10_000).with(card(4000)),
            order(10_000).with(plain_card(10_000)),
        ),
        promise(
            Kind::VoucherOrphan,
            order(10_000).with(voucher(6000)).with(card(4000).state(ReportedState::Refused)),
            order(10_000)
                .with(voucher(6000))
                .with(voucher(6000).state(ReportedState::Cancelled))
                .with(card(4000).state(ReportedState::Refused)),
        ),
        promise(Kind::SequenceDisagrees, cascade(3900), cascade(4000)),
    ]
}

fn of_doubles() -> Vec<Promise> {
    let second = |state| order(10_000).with(voucher(10_000)).with(voucher(10_000).id("V2").state(state));
    let again =
        |state| order(10_000).with(voucher(10_000)).with(voucher(10_000).id("V2").call("7002").state(state));
    let repeated = |cents| voucher_and_card(order(10_000), 6000, 4000).with(voucher(cents).at(1));
    vec![
        promise(Kind::DuplicateTender, second(ReportedState::Authorised), second(ReportedState::Refused)),
        promise(Kind::DoublePayment, again(ReportedState::Authorised), again(ReportedState::Refused)),
        promise(Kind::ConflictingNotification, repeated(6100), repeated(6000)),
    ]
}

fn of_orders() -> Vec<Promise> {
    let paid = |case: Case| voucher_and_card(case, 6000, 4000);
    let told = unregistered()
        .with(voucher(6000).sogecommerce().total(10_000))
        .with(card(4000).sogecommerce().total(10_000));
    vec![
        promise(Kind::OrderUnknown, told.clone().require_orders(), paid(order(10_000).require_orders())),
        promise(Kind::TotalUnknown, paid(unregistered()), told),
        promise(
            Kind::TotalChanged,
            paid(order(10_000).registered(12_000, 30)),
            paid(order(12_000).registered(10_000, -30)),
        ),
        promise(
            Kind::ReferenceCollision,
            paid(order(10_000).sharing_its_prefix_with("CMD10")),
            paid(order(10_000)),
        ),
    ]
}

fn of_content() -> Vec<Promise> {
    let card_in = |currency: &str| order(10_000).with(voucher(6000)).with(card(4000).currency(currency));
    let whole = || voucher(10_000);
    let undecided =
        |reading| order(10_000).with(whole().state(ReportedState::Pending).status("NEW", reading));
    let beside = |proof, endpoint| order(10_000).with(whole().proves(proof).endpoint("camping", endpoint));
    vec![
        promise(Kind::CurrencyUnexpected, card_in("USD"), card_in("EUR")),
        promise(
            Kind::AuthorisationUnexpected,
            order(10_000).with(whole().authorisation("123456")),
            order(10_000).with(whole()),
        ),
        promise(
            Kind::TestInProduction,
            beside(Mode::Test, Mode::Production),
            beside(Mode::Production, Mode::Production),
        ),
        promise(Kind::ProductionInTest, beside(Mode::Production, Mode::Test), beside(Mode::Test, Mode::Test)),
        promise(Kind::UnknownStatus, undecided(StatusReading::Unknown), undecided(StatusReading::Known)),
    ]
}

fn of_answers() -> Vec<Promise> {
    let asked = |cents| order(10_000).with(voucher(10_000)).with(voucher(cents).answered().at(1));
    let part = |told: Told| told.psp(Psp::Worldline).total(10_000);
    let vague = || order(10_000).with(part(voucher(10_000).of_the_whole())).with(part(plain_card(4000)));
    vec![
        promise(Kind::ConfirmationDiffers, asked(9000), asked(10_000)),
        promise(Kind::Unconfirmed, vague(), vague().with(part(voucher(6000).answered()))),
    ]
}

fn of_after_sale() -> Vec<Promise> {
    let authorised = || order(6000).with(voucher(6000).psp(Psp::Worldline)).seen(4 * DAY);
    let captured = voucher(6000).psp(Psp::Worldline).state(ReportedState::Captured).at(DAY);
    let back = |psp, cents| voucher(cents).id("RV").refund().psp(psp).at(30).happened(30);
    let paid = |psp| order(6000).with(voucher(6000).psp(psp).state(ReportedState::Captured).happened(0));
    let split = || {
        let paid = |told: Told| told.psp(Psp::Worldline).state(ReportedState::Captured).happened(0);
        order(10_000).with(paid(voucher(6000))).with(paid(plain_card(4000)))
    };
    let card_back = || plain_card(4000).id("RC").refund().psp(Psp::Worldline).at(30).happened(29);
    let asked = |state| split().with(card_back().state(state));
    let late =
        |minutes| paid(Psp::Worldline).with(back(Psp::Worldline, 6000).happened(minutes).at(minutes + 1));
    let on_contract =
        |contract| paid(Psp::Monext).knowing("CVCO1").with(voucher(6000).psp(Psp::Monext).on(contract));
    vec![
        promise(Kind::CaptureOverdue, authorised(), authorised().with(captured)),
        promise(
            Kind::RefundNotAllowed,
            paid(Psp::Sogecommerce).with(back(Psp::Sogecommerce, 5999)),
            paid(Psp::Sogecommerce).with(back(Psp::Sogecommerce, 6000)),
        ),
        promise(Kind::RefundLate, late(4 * 60 + 1), late(4 * 60)),
        promise(
            Kind::RefundOrder,
            split().with(back(Psp::Worldline, 500)),
            split().with(back(Psp::Worldline, 500)).with(card_back()),
        ),
        promise(Kind::RefundPartial, asked(ReportedState::Pending), asked(ReportedState::Captured)),
        promise(
            Kind::Chargeback,
            order(4000).with(plain_card(4000)).with(plain_card(4000).id("X").charged_back()),
            order(4000)
                .with(plain_card(4000))
                .with(plain_card(4000).id("X").charged_back().state(ReportedState::Cancelled)),
        ),
        promise(Kind::ContractUnknown, on_contract("CVCO2"), on_contract("CVCO1")),
    ]
}

fn of_statements() -> Vec<Promise> {
    let paid = || voucher_and_card(order(10_000), 6000, 4000);
    let days = |days: i64| days * 24 * 60;
    vec![
        promise(
            Kind::SettlementMissing,
            paid().due_on_statements().paid_out(Issuer::Bank, 4000).seen(days(12)),
            paid()
                .due_on_statements()
                .paid_out(Issuer::Bank, 4000)
                .paid_out(Issuer::Ancv, 6000)
                .seen(days(12)),
        ),
        promise(
            Kind::SettlementMismatch,
            paid().paid_out(Issuer::Ancv, 5999),
            paid().paid_out(Issuer::Ancv, 6000),
        ),
        promise(
            Kind::CommissionMismatch,
            paid().paid_out_less(Issuer::Ancv, 6000, Some(152)),
            paid().paid_out_less(Issuer::Ancv, 6000, Some(151)),
        ),
    ]
}

fn table() -> Vec<Promise> {
    [of_amounts(), of_doubles(), of_orders(), of_answers(), of_after_sale(), of_content(), of_statements()]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn each_kind_is_raised_alone_and_its_neighbour_is_clean() {
    for Promise { kind, broken, kept } in table() {
        assert_eq!(broken.kinds(), [kind], "{kind} should be raised alone by {broken:#?}");
        assert_eq!(kept.kinds(), [], "nothing should be raised beside {kind} by {kept:#?}");
    }
}

#[test]
fn the_table_holds_every_kind_that_facts_can_raise() {
    let mut held: Vec<Kind> = table().iter().map(|promise| promise.kind).collect();
    held.sort_unstable();
    // Those of an endpoint, a statement or the daemon itself: no fact about an order raises them.
    let of_no_order = [
        Kind::SignatureFailures,
        Kind::CallsRefused,
        Kind::RelayFailing,
        Kind::RelayRefused,
        Kind::EndpointSilent,
        Kind::StatementLineUnknown,
        Kind::SetAside,
        Kind::ClockStepped,
    ];
    let wanted: Vec<Kind> = Kind::ALL.iter().copied().filter(|kind| !of_no_order.contains(kind)).collect();
    assert_eq!(held, wanted);
}

#[test]
fn an_authorisation_number_is_missed_only_where_the_message_would_have_stated_it() {
    let told = |authorisation| order(10_000).with(plain_card(10_000).authorisation_is(authorisation));
    told(Authorisation::Absent).raises(&[Kind::AuthorisationUnexpected]);
    told(Authorisation::NotStated).raises(&[]);
    let refused = plain_card(10_000).authorisation_is(Authorisation::Absent).state(ReportedState::Refused);
    order(10_000).with(refused).raises(&[]);
}

#[test]
fn a_trial_among_real_payments_says_nothing_else() {
    let trial = voucher(3000).proves(Mode::Test).authorisation("XXXXXX").currency("USD");
    order(10_000).with(trial).raises(&[Kind::TestInProduction]);
}

#[test]
fn real_money_at_a_trial_endpoint_is_still_reconciled() {
    let real = |cents| {
        order(10_000)
            .with(voucher(6000).proves(Mode::Production).endpoint("trial", Mode::Test))
            .with(card(cents).proves(Mode::Production).endpoint("trial", Mode::Test))
    };
    real(3999).raises(&[Kind::ProductionInTest, Kind::AmountShort]);
    real(4000).raises(&[Kind::ProductionInTest]);
}

#[test]
fn a_payment_in_another_currency_than_the_orders_is_one_discrepancy() {
    let whole = order(10_000).with(voucher(10_000).currency("USD"));
    let finding = whole.finding(Kind::CurrencyUnexpected);
    assert_eq!(finding.detail.to_string(), "USD ≠ EUR");
    assert_eq!(whole.record().paid(), Cents::ZERO, "dollars are not counted as euros");
    let in_dollars = unregistered().registered_in(10_000, "USD", -60).with(voucher(10_000));
    assert_eq!(in_dollars.finding(Kind::CurrencyUnexpected).detail.to_string(), "EUR ≠ USD");
    let record = in_dollars.record();
    assert_eq!((record.currency, record.paid()), (Currency::EUR, Cents::new(10_000)), "as it is booked");
    assert_eq!((record.expected, record.state), (None, RecordState::Unbalanced), "dollars are no euros");
}

#[test]
fn a_refused_part_may_be_in_any_currency() {
    let refused = card(4000).currency("USD").state(ReportedState::Refused).id("C0");
    voucher_and_card(order(10_000), 6000, 4000).with(refused).raises(&[]);
}

#[test]
fn only_the_status_that_decides_is_judged() {
    let odd = voucher(10_000).state(ReportedState::Pending).status("SUSPENDED", StatusReading::Attention);
    let case = order(10_000).with(odd);
    assert_eq!(case.finding(Kind::UnknownStatus).detail.to_string(), "V1/CVCONNECT: SUSPENDED");
    case.with(voucher(10_000)).raises(&[]);
}
