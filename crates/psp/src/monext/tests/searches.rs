//! Which transactions there were.

use cvco_domain::OrderRef;

use super::*;

fn once(topic: Topic, subject: &str) -> Question {
    Question { asking: Asking::Once, ..question(topic, subject) }
}

const TWO_HOURS: &str = "2026-03-01T10:00/2026-03-01T12:00/ANCV_TEST";

fn searched(subject: &str, code: answers::ResultCode) -> Step {
    let body = answers::found(code, &[], now(), Prefixes::MessagesOnly);
    step(&monext(), &question(Topic::Window, subject), &[], &[ok(&body)])
}

#[test]
fn a_span_of_time_is_one_search_per_voucher_contract() {
    let (from, until) = (at("2026-03-01T10:00:20Z"), at("2026-03-01T11:59:40Z"));
    assert_eq!(monext().window(from, until), [once(Topic::Window, TWO_HOURS)]);
    let any = Monext::new(Settings { voucher_contracts: vec![], ..settings() });
    assert_eq!(any.window(from, until), [once(Topic::Window, "2026-03-01T10:00/2026-03-01T12:00")]);
    assert_eq!(monext().window(until, from), []);
}

#[test]
fn the_search_is_sent_with_all_its_elements() {
    let request = called(step(&monext(), &question(Topic::Window, TWO_HOURS), &[], &[]));
    assert_eq!(request.url, "https://homologation.payline.com/V4/services/ExtendedAPI");
    let body = String::from_utf8(request.body.clone()).expect("UTF-8");
    let names: Vec<_> = body
        .lines()
        .filter_map(|line| line.trim().strip_prefix("<impl:"))
        .map(|line| line.split([' ', '>', '/']).next().unwrap_or_default())
        .skip(1)
        .collect();
    assert_eq!(
        names.join(" "),
        "version transactionId orderRef startDate endDate contractNumber authorizationNumber returnCode \
         paymentMean transactionType name firstName email cardNumber currency minAmount maxAmount walletId \
         sequenceNumber token pointOfSellId cardNetwork threeDSecured customerMediaId"
    );
    assert!(body.contains("<impl:startDate>01/03/2026 11:00</impl:startDate>"), "{body}");
    assert!(body.contains("<impl:endDate>01/03/2026 13:00</impl:endDate>"), "{body}");
    let asked = answers::asked(&request.body);
    assert_eq!(asked, Some(answers::Asked::Search { order: None, contract: Some("ANCV_TEST".to_owned()) }));
}

#[test]
fn what_is_found_becomes_questions() {
    let found = body(fixture!("g-transactions-search"));
    let answer = answered(step(&monext(), &question(Topic::Window, TWO_HOURS), &[], &[ok(found)]));
    let expected = [CARD, "PV40712888923932479707"].map(|id| once(Topic::Transaction, id));
    assert_eq!((answer.standing, answer.questions), (Standing::Settled, expected.to_vec()));
    assert_eq!(answer.events, []);
}

#[test]
fn nothing_found_is_an_answer() {
    let answer = answered(searched(TWO_HOURS, ("02310", "ERROR")));
    assert_eq!((answer.standing, answer.questions), (Standing::Settled, vec![]));
}

#[test]
fn too_much_is_asked_for_in_halves_down_to_a_minute() {
    let halves = [
        once(Topic::Window, "2026-03-01T10:00/2026-03-01T11:00/ANCV_TEST"),
        once(Topic::Window, "2026-03-01T11:00/2026-03-01T12:00/ANCV_TEST"),
    ];
    for code in ["02311", "02320"] {
        assert_eq!(answered(searched(TWO_HOURS, (code, "ERROR"))).questions, halves, "{code}");
    }
    let large = CallFailure::TooLarge { host: "h".to_owned(), limit: 4 << 20 };
    let answer = answered(step(&monext(), &question(Topic::Window, TWO_HOURS), &[], &[Err(large)]));
    assert_eq!(answer.questions, halves);
    let minute = "2026-03-01T10:00/2026-03-01T10:01";
    assert!(matches!(searched(minute, ("02311", "ERROR")), Step::Failed(NoAnswer::Trouble(_))));
}

#[test]
fn a_search_that_fails_says_why() {
    assert!(matches!(searched(TWO_HOURS, ("02312", "ERROR")), Step::Failed(NoAnswer::Trouble(_))));
    assert!(matches!(searched(TWO_HOURS, ("09101", "ERROR")), Step::Failed(NoAnswer::Setting(_))));
    let NoAnswer::Setting(text) = failed(searched(TWO_HOURS, ("02303", "ERROR"))) else {
        panic!("a setting")
    };
    assert!(text.english.contains("voucher_contracts"), "{text}");
}

#[test]
fn an_order_is_looked_for_in_shorter_and_shorter_spans() {
    let order = monext().order(&OrderRef::new("CMD-1001").expect("a reference")).expect("a question");
    assert_eq!(order, question(Topic::Order, "CMD-1001"));
    let too_long = ok(&answers::found(("02320", "ERROR"), &[], now(), Prefixes::Both));
    let dates = |calls: usize| {
        let request = called(step(&monext(), &order, &[], &vec![too_long.clone(); calls]));
        let body = String::from_utf8(request.body).expect("UTF-8");
        let value = |name: &str| {
            let (_, rest) = body.split_once(&format!("<impl:{name}>")).expect(name);
            rest.split('<').next().unwrap_or_default().to_owned()
        };
        assert_eq!(value("orderRef"), "CMD-1001");
        (value("startDate"), value("endDate"))
    };
    let end = "31/03/2026 14:01".to_owned();
    assert_eq!(dates(0), ("01/03/2026 13:00".to_owned(), end.clone()));
    assert_eq!(dates(1), ("24/03/2026 13:00".to_owned(), end.clone()));
    assert_eq!(dates(2), ("30/03/2026 14:00".to_owned(), end));
    assert!(matches!(step(&monext(), &order, &[], &vec![too_long; 3]), Step::Failed(NoAnswer::Trouble(_))));

    let found = ok(body(fixture!("g-transactions-search")));
    assert_eq!(answered(step(&monext(), &order, &[], &[found])).questions.len(), 2);
    let none = ok(&answers::found(("02310", "ERROR"), &[], now(), Prefixes::Both));
    assert_eq!(answered(step(&monext(), &order, &[], &[none])).standing, Standing::Unknown);
}
