use proptest::prelude::*;

use super::*;

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn shop() -> ShopId {
    ShopId::new("camping").expect("a shop")
}

fn part(brand: &str) -> Part {
    Part {
        order_ref: OrderRef::new("CMD1").ok(),
        psp: Psp::Up2pay,
        call_number: CallNumber::new("7001").expect("a call number"),
        tender: Some((TenderId::new("1").ok(), Brand::new(brand).expect("a brand"))),
        contract: Contract::new("C1").ok(),
    }
}

fn moved(issuer: Issuer, cents: i64) -> Moved {
    let brand = if issuer == Issuer::Ancv { "CVCONNECT" } else { "LIMOCB" };
    Moved { part: part(brand), issuer, amount: Cents::new(cents) }
}

/// An order of 180.00 in vouchers and 120.00 by card.
fn mixed(movement: Movement, missing: i64, books: &Books) -> Sheet {
    let reference = OrderRef::new("CMD1").expect("a reference");
    let parts = vec![moved(Issuer::Ancv, 18_000), moved(Issuer::Bank, 12_000)];
    let of = (&shop(), Some(&reference));
    Sheet::of_order(of, (day("2026-03-11"), movement), parts, Cents::new(missing), books)
}

fn lines(sheet: &Sheet) -> Vec<(&str, i64)> {
    sheet.postings.iter().map(|posting| (posting.account.number.as_str(), posting.amount.get())).collect()
}

#[test]
fn what_is_received_is_debited_and_what_is_given_back_is_credited() {
    let books = Books::default();
    let received = mixed(Movement::Receipt, 0, &books);
    assert_eq!(lines(&received), [("511600", 18_000), ("511500", 12_000), ("411000", -30_000)]);
    let back = mixed(Movement::Refund, 0, &books);
    assert_eq!(lines(&back), [("411000", 30_000), ("511600", -18_000), ("511500", -12_000)]);
}

#[test]
fn a_gap_is_booked_only_where_the_books_say_so() {
    let books = Books { suspense: true, ..Books::default() };
    let short = mixed(Movement::Receipt, 1000, &books);
    assert_eq!(
        lines(&short),
        [("511600", 18_000), ("511500", 12_000), ("471000", 1000), ("411000", -31_000)]
    );
    let over = mixed(Movement::Receipt, -1000, &books);
    assert_eq!(
        lines(&over),
        [("511600", 18_000), ("511500", 12_000), ("471000", -1000), ("411000", -29_000)]
    );
    assert_eq!(lines(&mixed(Movement::Receipt, 1000, &Books::default())).len(), 3);
}

#[test]
fn paired_books_have_an_entry_of_two_lines_for_each_part() {
    let books = Books { paired: true, ..Books::default() };
    let sheets = mixed(Movement::Receipt, 0, &books).entries(&books);
    let entries: Vec<_> = sheets.iter().map(lines).collect();
    assert_eq!(
        entries,
        [vec![("511600", 18_000), ("411000", -18_000)], vec![("511500", 12_000), ("411000", -12_000)]]
    );
    let label = |sheet: &Sheet| sheet.clone().entry(sheet.day, String::new(), None, None, &books).label;
    assert_eq!(sheets.iter().map(label).collect::<Vec<_>>(), ["CMD1 CVCo appel 7001", "CMD1 CB appel 7001"]);
}

#[test]
fn a_statement_pays_out_less_its_commission_and_the_tax_on_it() {
    let paid = |known: bool, cents: i64, kept: i64| PaidOut {
        part: known.then(|| part("CVCONNECT")),
        amount: Cents::new(cents),
        commission: Cents::new(kept),
    };
    let number = StatementNumber::new("R1").expect("a number");
    let sheet = |books: &Books| {
        let lines = vec![paid(true, 18_000, 450), paid(false, 1000, 25)];
        Sheet::of_statement(&shop(), (Issuer::Ancv, &number), day("2026-03-20"), lines, books)
    };
    let usual = Books::default();
    assert_eq!(lines(&sheet(&usual)), [("512000", 17_550), ("627800", 450), ("511600", -18_000)]);
    let taxed = Books { suspense: true, vat_on_commission: 2000, ..Books::default() };
    assert_eq!(
        lines(&sheet(&taxed)),
        [("512000", 18_525), ("627800", 396), ("445660", 79), ("511600", -18_000), ("471000", -1000)]
    );
}

#[test]
fn a_correction_names_what_it_puts_right_and_stays_on_the_account_that_was_booked() {
    let books = Books::default();
    let booked = mixed(Movement::Receipt, 0, &books).postings;
    let moved_since = Books {
        chart: super::super::Chart {
            accounts: [(Role::Voucher, Account::new("467100", "ANCV").expect("an account"))].into(),
            ..super::super::Chart::default()
        },
        ..Books::default()
    };
    assert!(mixed(Movement::Receipt, 0, &moved_since).less(&booked).is_empty(), "nothing else is due");
    let reference = OrderRef::new("CMD1").expect("a reference");
    let now = Sheet::of_order(
        (&shop(), Some(&reference)),
        (day("2026-03-11"), Movement::Receipt),
        vec![moved(Issuer::Ancv, 17_000)],
        Cents::ZERO,
        &moved_since,
    );
    let late = now.less(&booked);
    assert_eq!(lines(&late), [("411000", 13_000), ("511600", -1000), ("511500", -12_000)]);
    let entry =
        late.entry(day("2026-04-01"), "OD2026-000001".to_owned(), None, Some("CV2026-000002"), &moved_since);
    assert_eq!(
        (entry.journal.code.as_str(), entry.label.as_str()),
        ("OD", "CMD1 CVCo+CB appel 7001 correction de CV2026-000002 du 2026-03-11")
    );
    assert_eq!((entry.date, entry.piece_date), (day("2026-04-01"), day("2026-03-11")));
}

/// Worldline authorises under one operation and captures under the next.
#[test]
fn what_was_accepted_stays_on_its_account_under_the_number_of_its_capture() {
    let books = Books::default();
    let booked = mixed(Movement::Receipt, 0, &books).postings;
    let accounts = [(Role::Card, Account::new("511502", "Cartes").expect("an account"))].into();
    let since = Books {
        chart: super::super::Chart { accounts, ..super::super::Chart::default() },
        ..Books::default()
    };
    let mut captured = mixed(Movement::Receipt, 0, &since);
    for part in captured.postings.iter_mut().filter_map(|posting| posting.part.as_mut()) {
        part.tender = part.tender.take().map(|(_, brand)| (TenderId::new("2").ok(), brand));
    }
    let captured = captured.on_accounts_of(&booked);
    assert_eq!(lines(&captured), [("511600", 18_000), ("511500", 12_000), ("411000", -30_000)]);
}

proptest! {
    #[test]
    fn every_entry_balances_and_what_was_booked_and_is_due_come_to_what_is_right(
        before in prop::collection::vec(1_i64..100_000, 0..4),
        now in prop::collection::vec(1_i64..100_000, 0..4),
        (paired, suspense, missing) in (any::<bool>(), any::<bool>(), prop::option::weighted(0.7, -500_i64..500)),
    ) {
        let books = Books { paired, suspense, ..Books::default() };
        let reference = OrderRef::new("CMD1").expect("a reference");
        let sheet = |amounts: &[i64]| {
            // All of it may be too much.
            let missing = missing.unwrap_or_else(|| -amounts.iter().sum::<i64>());
            let parts = amounts.iter().zip([Issuer::Ancv, Issuer::Bank].into_iter().cycle()).enumerate();
            let parts = parts.map(|(n, (cents, issuer))| Moved {
                part: Part { call_number: CallNumber::new(format!("{n}")).expect("a number"), ..part("X") },
                issuer,
                amount: Cents::new(*cents),
            });
            let of = (&shop(), Some(&reference));
            Sheet::of_order(of, (day("2026-03-11"), Movement::Receipt), parts.collect(), Cents::new(missing), &books)
        };
        let booked = sheet(&before);
        let due = sheet(&now).less(&booked.postings);
        for entry in due.clone().entries(&books) {
            prop_assert_eq!(entry.postings.iter().map(|posting| posting.amount).sum::<Cents>(), Cents::ZERO);
        }
        for entry in [&booked, &due].into_iter().flat_map(|sheet| sheet.clone().entries(&books)) {
            prop_assert!(entry.postings.iter().all(|posting| posting.amount != Cents::ZERO), "a line of nothing");
        }
        let sum = |sheets: &[&Sheet]| {
            let mut sums: BTreeMap<String, i64> = BTreeMap::new();
            for posting in sheets.iter().flat_map(|sheet| &sheet.postings) {
                *sums.entry(posting.account.number.as_str().to_owned()).or_default() += posting.amount.get();
            }
            sums.retain(|_, sum| *sum != 0);
            sums
        };
        prop_assert_eq!(sum(&[&booked, &due]), sum(&[&sheet(&now)]));
    }
}
