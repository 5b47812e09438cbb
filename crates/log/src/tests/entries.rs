//! Entries of every kind: laid out, chained and read back as they were; and a chain in which no change goes unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cvco_domain::{
    About, AmountFrom, Authorisation, Books, Brand, CallNumber, Day, DiscrepancyId, EndpointId, EndpointRef,
    Event, Identity, Instalment, Instrument, Issuer, Kind, Mode, News, Operation, Period, Policy, Psp,
    Question, Refusal, RelayTarget, ReportedState, Seq, Standing, Statement, StatementLine, StatementNumber,
    StatusCode, StatusReading, Subject, TenderId, Topic, Way,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::entry::{
    Act, Answer, Close, Deed, Hint, ImportedStatement, Inquiry, MailAbout, MailItem, Notification, Origin,
    Pause, Reason, Refusals, RelayOutcome, Relayed, Replay, Replayed, Reread, Telling, Told, Unreached,
    Unread, Week, Witness,
};
use crate::row::{GENESIS, Head, Link};
use crate::{LogError, LogStore, MemoryLog, Row};

fn instants() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn instalments() -> impl Strategy<Value = Instalment> {
    (cents(), option::of(instants())).prop_map(|(cents, due)| Instalment { cents, due })
}

fn periods() -> impl Strategy<Value = Period> {
    days().prop_map(Day::period)
}

fn days() -> impl Strategy<Value = Day> {
    (1900..=2099, 1..=12_u32, 1..=28_u32)
        .prop_filter_map("a day", |(year, month, day)| Day::new(year, month, day))
}

fn cents() -> impl Strategy<Value = Cents> {
    any::<i64>().prop_map(Cents::new)
}

fn shops() -> impl Strategy<Value = ShopId> {
    "[A-Za-z0-9._-]{1,64}".prop_map(|text| ShopId::new(text).expect("a shop"))
}

/// An identifier of a PSP or a shop: any printable text.
fn ids<T: std::fmt::Debug>(new: fn(String) -> Result<T, cvco_domain::IdError>) -> impl Strategy<Value = T> {
    "\\PC{1,20}".prop_filter_map("an identifier", move |text| new(text).ok())
}

fn references() -> impl Strategy<Value = OrderRef> {
    ids(OrderRef::new)
}

fn endpoints() -> impl Strategy<Value = EndpointRef> {
    let psps = select(vec![Psp::Up2pay, Psp::Sogecommerce, Psp::Worldline, Psp::Monext, Psp::Ancv]);
    let names = "[a-z0-9-]{1,64}".prop_map(|text| EndpointId::new(text).expect("an endpoint"));
    (shops(), names, psps, select(vec![Mode::Production, Mode::Test]))
        .prop_map(|(shop, endpoint, psp, mode)| EndpointRef { shop, endpoint, psp, mode })
}

fn origins() -> impl Strategy<Value = Origin> {
    select(vec![Origin::Call, Origin::Mail, Origin::Shop])
}

fn questions() -> impl Strategy<Value = Question> {
    use cvco_domain::Asking::{Again, Once, Sparingly};
    let topics =
        select(vec![Topic::Session, Topic::Transaction, Topic::Payment, Topic::Order, Topic::Window]);
    (topics, ids(Subject::new), select(vec![Again, Once, Sparingly]))
        .prop_map(|(topic, subject, asking)| Question { topic, subject, asking })
}

prop_compose! {
    fn events()(
        (order_ref, call_number) in (option::of(references()), ids(CallNumber::new)),
        (tender_id, of) in (option::of(ids(TenderId::new)), option::of(ids(TenderId::new))),
        (is_voucher, is_credit, complement, itemised) in any::<(bool, bool, bool, bool)>(),
        (brand, code) in (ids(Brand::new), any::<String>()),
        (amount, running_total, order_total) in (cents(), option::of(cents()), option::of(cents())),
        (parts_announced, occurred_at) in (option::of(any::<u8>()), option::of(instants())),
        (accepted_at, revised, by_bank) in (option::of(instants()), any::<bool>(), any::<bool>()),
        state in select(vec![ReportedState::Pending, ReportedState::Authorised, ReportedState::Cancelled]),
        amount_from in select(vec![AmountFrom::Part, AmountFrom::RunningTotal, AmountFrom::Before]),
        reading in select(vec![StatusReading::Known, StatusReading::Attention, StatusReading::Unknown]),
        authorisation in select(vec![Authorisation::NotStated, Authorisation::Absent]),
        mode in select(vec![None, Some(Mode::Production), Some(Mode::Test)]),
    ) -> Event {
        Event {
            order_ref, call_number, tender_id, brand, amount, amount_from, running_total, order_total, state,
            authorisation, mode, complement, itemised, parts_announced, occurred_at,
            accepted_at, revised,
            instrument: if is_voucher { Instrument::Voucher } else { Instrument::Card },
            operation: match (is_credit, by_bank) {
                (true, true) => Operation::Chargeback { of },
                (true, false) => Operation::Credit { of },
                (false, _) => Operation::Debit,
            },
            currency: Currency::EUR,
            status: StatusCode { code, reading },
            contract: None,
        }
    }
}

fn identities() -> impl Strategy<Value = Identity> {
    let abouts = prop_oneof![
        references().prop_map(About::Order),
        ids(CallNumber::new).prop_map(|call| About::Payment(Psp::Monext, call)),
        Just(About::Statement),
        Just(About::Daemon),
    ];
    let records = option::of(ids(CallNumber::new).prop_map(|call| (Psp::Up2pay, call)));
    (select(Kind::ALL.to_vec()), option::of(shops()), abouts, records, any::<String>(), instants()).prop_map(
        |(kind, shop, about, record, subject, opened_at)| Identity {
            kind,
            shop,
            about,
            record,
            subject,
            opened_at,
        },
    )
}

prop_compose! {
    fn refusals()(
        endpoint in endpoints(),
        refusal in select(vec![Refusal::Signature, Refusal::Account, Refusal::Address, Refusal::Http]),
        (calls, taken, signed) in any::<(u32, u32, bool)>(),
        (caller, explanation) in (option::of(any::<String>()), any::<String>()),
        explanation_fr in option::of(any::<String>()),
    ) -> Refusals {
        Refusals { endpoint, refusal, calls, taken, signed, caller, explanation, explanation_fr }
    }
}

fn deeds() -> impl Strategy<Value = Deed> {
    prop_oneof![
        Just(Deed::Acknowledged),
        Just(Deed::Noted),
        Just(Deed::Withdrawn),
        instants().prop_map(|until| Deed::Snoozed { until }),
    ]
}

fn lines() -> impl Strategy<Value = StatementLine> {
    (option::of(ids(TenderId::new)), option::of(references()), cents(), option::of(cents())).prop_map(
        |(transaction, reference, amount, commission)| StatementLine {
            transaction,
            reference,
            authorisation: None,
            contract: None,
            amount,
            commission,
            dated: None,
        },
    )
}

fn statements() -> impl Strategy<Value = ImportedStatement> {
    let other = "edenred".parse().expect("a name");
    let issuers = select(vec![Issuer::Ancv, Issuer::Bank, other]);
    (shops(), issuers, ids(StatementNumber::new), days(), vec(lines(), 0..4)).prop_map(
        |(shop, issuer, number, paid_on, lines)| {
            let statement = Statement { shop, issuer, number, paid_on, commission: None, lines };
            ImportedStatement { statement, file_sha256: "5".repeat(64), by: "marie".to_owned() }
        },
    )
}

fn mails() -> impl Strategy<Value = MailAbout> {
    let items = (select(vec![News::Opened, News::Escalated, News::Closed]), any::<i64>(), identities())
        .prop_map(|(news, id, of)| MailItem { news, discrepancy: DiscrepancyId::new(id), of });
    prop_oneof![
        vec(items, 0..4).prop_map(MailAbout::Discrepancies),
        any::<i64>().prop_map(|seq| MailAbout::Anchor(Seq::new(seq))),
        (instants(), vec(shops(), 0..3)).prop_map(|(until, shops)| MailAbout::Week(Week { until, shops })),
    ]
}

fn relayed() -> impl Strategy<Value = Relayed> {
    let outcomes = prop_oneof![
        any::<u16>().prop_map(|status| RelayOutcome::Delivered { status }),
        (any::<u16>(), any::<String>(), option::of(any::<String>()))
            .prop_map(|(status, why, why_fr)| RelayOutcome::Refused { status, why, why_fr }),
        any::<String>().prop_map(|why| RelayOutcome::Parked { why }),
        (any::<String>(), option::of(any::<String>()))
            .prop_map(|(by, note)| RelayOutcome::Dropped { by, note }),
    ];
    let targets = "[a-z0-9-]{1,64}".prop_map(|text| RelayTarget::new(text).expect("a target"));
    (any::<i64>(), targets, any::<u32>(), outcomes).prop_map(|(seq, target, attempts, outcome)| Relayed {
        notification: Seq::new(seq),
        target,
        attempts,
        outcome,
    })
}

fn unreached() -> impl Strategy<Value = Unreached> {
    let targets = "[a-z0-9-]{1,64}".prop_map(|text| RelayTarget::new(text).expect("a target"));
    (endpoints(), targets, any::<String>()).prop_map(|(endpoint, target, why)| Unreached {
        endpoint: endpoint.endpoint,
        target,
        why,
    })
}

fn replayed() -> impl Strategy<Value = Replayed> {
    let targets = "[a-z0-9-]{1,64}".prop_map(|text| RelayTarget::new(text).expect("a target"));
    prop_oneof![
        (any::<i64>(), option::of(targets))
            .prop_map(|(seq, target)| Replayed::One { notification: Seq::new(seq), target }),
        (instants(), instants(), any::<bool>(), option::of(endpoints())).prop_map(
            |(from, to, failed, endpoint)| {
                let endpoint = endpoint.map(|endpoint| endpoint.endpoint);
                Replayed::Between { from, to, failed, endpoint }
            }
        ),
    ]
}

fn policies() -> impl Strategy<Value = Policy> {
    (any::<u32>(), any::<bool>()).prop_map(|(seconds, require_orders)| Policy {
        complement_grace: Duration::from_secs(u64::from(seconds)),
        require_orders,
        ..Policy::default()
    })
}

fn answers() -> impl Strategy<Value = Answer> {
    use Standing::{GivenUp, Settled, Unknown, Unsettled, Withdrawn};
    let standings = select(vec![Settled, Unsettled, Unknown, GivenUp, Withdrawn]);
    let said = (vec(events(), 0..3), vec(questions(), 0..2), option::of(any::<String>()));
    (endpoints(), questions(), instants(), standings, said).prop_map(
        |(endpoint, question, asked_at, standing, (events, questions, remark))| Answer {
            endpoint,
            question,
            asked_at,
            standing,
            events,
            questions,
            remark,
        },
    )
}

/// Entries of each kind.
fn entries() -> BoxedStrategy<LogEntry> {
    let texts = any::<String>;
    let asked = || vec(questions(), 0..3);
    prop_oneof![
        (endpoints(), origins(), vec(events(), 0..3), asked(), option::of(texts())).prop_map(
            |(endpoint, origin, events, questions, remark)| LogEntry::Notification(Notification {
                endpoint,
                origin,
                events,
                questions,
                remark
            })
        ),
        (endpoints(), origins(), texts(), option::of(texts())).prop_map(
            |(endpoint, origin, what, what_fr)| LogEntry::Unread(Unread { endpoint, origin, what, what_fr })
        ),
        (any::<i64>(), endpoints(), origins(), vec(events(), 0..3)).prop_map(
            |(of, endpoint, origin, events)| LogEntry::Reread(Reread {
                of: Seq::new(of),
                notification: Notification { endpoint, origin, events, questions: Vec::new(), remark: None },
            })
        ),
        (endpoints(), origins(), asked(), option::of(texts())).prop_map(
            |(endpoint, origin, questions, remark)| {
                LogEntry::Hint(Hint { endpoint, origin, questions, remark })
            }
        ),
        answers().prop_map(LogEntry::Answer),
        (endpoints(), select(vec![Reason::Sweep, Reason::CatchUp]), asked()).prop_map(
            |(endpoint, reason, questions)| LogEntry::Inquiry(Inquiry { endpoint, reason, questions })
        ),
        (shops(), references(), cents(), option::of(instants()), vec(instalments(), 0..3)).prop_map(
            |(shop, reference, total, due, instalments)| {
                let currency = Currency::EUR;
                LogEntry::Order(OrderRegistration { shop, reference, total, currency, due, instalments })
            }
        ),
        policies().prop_map(LogEntry::Policy),
        (any::<i64>(), identities(), texts(), option::of(texts()), deeds()).prop_map(
            |(id, of, by, note, deed)| {
                LogEntry::Act(Act { discrepancy: DiscrepancyId::new(id), of, by, note, deed })
            }
        ),
        refusals().prop_map(LogEntry::Refusals),
        statements().prop_map(LogEntry::Statement),
        periods().prop_map(|period| LogEntry::Close(Close {
            period,
            books: Books::default(),
            by: "marie".to_owned()
        })),
        (periods(), btree_map("[a-z]{1,8}", "[0-9a-f]{64}", 0..4))
            .prop_map(|(period, exports)| LogEntry::Witness(Witness { period, exports })),
        Just(LogEntry::Time),
        instants().prop_map(|since| LogEntry::Pause(Pause { since })),
        instants().prop_map(|from| LogEntry::Clock(ClockCorrection { from })),
        (texts(), ids(Way::new), mails()).prop_map(|(message_id, way, about)| LogEntry::Telling(Telling {
            message_id,
            way,
            about
        })),
        texts().prop_map(|message_id| LogEntry::Told(Told { message_id })),
        relayed().prop_map(LogEntry::Relayed),
        unreached().prop_map(LogEntry::Unreached),
        (replayed(), texts()).prop_map(|(which, by)| LogEntry::Replay(Replay { which, by })),
    ]
    .boxed()
}

/// A new kind of entry does not compile until it is drawn above.
const fn is_drawn(entry: &LogEntry) -> bool {
    match entry {
        LogEntry::Notification(_)
        | LogEntry::Unread(_)
        | LogEntry::Reread(_)
        | LogEntry::Hint(_)
        | LogEntry::Answer(_)
        | LogEntry::Inquiry(_)
        | LogEntry::Order(_)
        | LogEntry::Policy(_)
        | LogEntry::Act(_)
        | LogEntry::Refusals(_)
        | LogEntry::Statement(_)
        | LogEntry::Close(_)
        | LogEntry::Witness(_)
        | LogEntry::Time
        | LogEntry::Pause(_)
        | LogEntry::Clock(_)
        | LogEntry::Telling(_)
        | LogEntry::Told(_)
        | LogEntry::Relayed(_)
        | LogEntry::Unreached(_)
        | LogEntry::Replay(_) => true,
    }
}

/// A chain of entries at any dates.
fn chained(drawn: &[(LogEntry, Timestamp)]) -> Vec<Link> {
    let mut log = MemoryLog::default();
    for (entry, at) in drawn {
        log.append(&[draft(entry)], *at).expect("appended");
    }
    log.read(Seq::ZERO, usize::MAX).expect("read")
}

/// The first entry that does not follow from those before it, counted from one.
fn first_break(links: &[Link]) -> Option<usize> {
    let mut head = Head::default();
    for (place, link) in links.iter().enumerate() {
        match link.row.follow(&head, &link.chain_hash) {
            Ok(next) => head = next,
            Err(_) => return Some(place),
        }
    }
    None
}

proptest! {
    #[test]
    fn an_entry_of_any_kind_is_read_back_as_it_was(entry in entries(), at in instants()) {
        prop_assert!(is_drawn(&entry));
        let row = draft(&entry).row_after(&Head::default(), at);
        let logged = row.read().expect("read");
        prop_assert_eq!((logged.seq, logged.at, logged.payload_sha256), (Seq::new(1), at, None));
        prop_assert_eq!(&row.kind, entry.kind());
        prop_assert_eq!(logged.entry, entry);
    }

    #[test]
    fn no_change_of_any_entry_goes_unseen(
        drawn in vec((entries(), instants()), 2..8),
        place in any::<prop::sample::Index>(),
        column in 0..6_usize,
    ) {
        let links = chained(&drawn);
        prop_assert_eq!(first_break(&links), None);
        let place = place.index(links.len());
        let mut changed = links.clone();
        let Link { row, chain_hash } = &mut changed[place];
        match column {
            0 => row.seq = row.seq.next(),
            1 => row.at = Timestamp::from_millis(row.date().expect("a date").millis() ^ 1).to_string(),
            2 => row.kind.push('x'),
            3 => row.content.push(' '),
            4 => row.payload_sha256 = Some(String::new()),
            _ => *chain_hash = GENESIS.to_owned(),
        }
        prop_assert_eq!(first_break(&changed), Some(place));
    }

    #[test]
    fn no_entry_goes_comes_or_moves_unseen(drawn in vec((entries(), instants()), 3..8), place in 0..2_usize) {
        let links = chained(&drawn);
        let mut gone = links.clone();
        gone.remove(place);
        prop_assert_eq!(first_break(&gone), Some(place));
        let mut twice = links.clone();
        twice.insert(place, links[place].clone());
        prop_assert_eq!(first_break(&twice), Some(place + 1));
        let mut moved = links.clone();
        moved.swap(place, place + 1);
        prop_assert_eq!(first_break(&moved), Some(place));
    }
}

#[test]
fn each_kind_has_a_name_of_its_own() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut kinds: BTreeMap<&str, std::mem::Discriminant<LogEntry>> = BTreeMap::new();
    for _ in 0..600 {
        let entry = entries().new_tree(&mut runner).expect("an entry").current();
        let kind = *kinds.entry(entry.kind()).or_insert(std::mem::discriminant(&entry));
        assert_eq!(kind, std::mem::discriminant(&entry), "{}", entry.kind());
    }
    assert_eq!(kinds.len(), 21, "{:?}", kinds.keys().collect::<BTreeSet<_>>());
}

#[test]
fn what_this_program_does_not_know_is_named_with_its_entry() {
    let row = |kind: &str, content: &str| Row {
        seq: Seq::new(7),
        at: minute(0).to_string(),
        kind: kind.to_owned(),
        content: content.to_owned(),
        payload_sha256: None,
    };
    let refused = |row: Row| match row.read() {
        Err(LogError::Corrupt { seq, what }) => (seq.get(), what),
        other => panic!("{other:?}"),
    };
    let (seq, what) = refused(row("tomorrow", "{}"));
    assert_eq!((seq, what.as_str()), (7, "this program does not know the kind \"tomorrow\""));
    assert!(refused(row("pause", "{}")).1.contains("missing field `since`"));
    assert!(refused(row("order", "no JSON")).1.starts_with("content: "));
    let undated = Row { at: "yesterday".to_owned(), ..row("time", "{}") };
    assert_eq!(refused(undated), (7, "at".to_owned()));
    let later = row("told", r#"{"message_id":"a@b","of_a_later_version":1}"#);
    assert_eq!(later.read().expect("read").entry, LogEntry::Told(Told { message_id: "a@b".to_owned() }));
}
