//! The five entries of fixtures/accounting, for tests.

use cvco_domain::{CallNumber, Cents, Contract, Day, OrderRef, Psp, ShopId};

use super::EntryFile;
use crate::accounting::{Account, Journal, JournalEntry, Leg, Letter, Line, Role, Source};

pub(super) fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

/// What a file of these entries is.
pub(super) fn written(
    begin: impl for<'o> FnOnce(&'o mut Vec<u8>) -> Box<dyn EntryFile + 'o>,
    entries: &[JournalEntry],
) -> String {
    let mut bytes = Vec::new();
    let mut file = begin(&mut bytes);
    for entry in entries {
        file.entry(entry).expect("written");
    }
    file.end().expect("ended");
    drop(file);
    String::from_utf8(bytes).expect("text")
}

fn line(role: Role, cents: i64, letter: Option<(&str, &str)>, source: Option<(&str, &str)>) -> Line {
    let (number, label) = role.usual();
    let (leg, contract) = match role {
        Role::Voucher => (Leg::Voucher, Some("1234567-01")),
        Role::Card => (Leg::Card, Some("1234567-02")),
        Role::Bank => (Leg::Bank, None),
        Role::CommissionAncv => (Leg::Commission, None),
        Role::OtherVoucher
        | Role::CommissionOther
        | Role::Customer
        | Role::CommissionCard
        | Role::Vat
        | Role::Suspense => (Leg::Customer, None),
    };
    Line {
        account: Account::new(number, label).expect("an account"),
        amount: Cents::new(cents),
        letter: letter.map(|(letter, on)| Letter { letter: letter.to_owned(), on: day(on) }),
        leg,
        source: source.map(|(reference, call)| Source {
            psp: Psp::Up2pay,
            order_ref: OrderRef::new(reference).ok(),
            call_number: CallNumber::new(call).expect("a call number"),
            contract: contract.and_then(|contract| Contract::new(contract).ok()),
        }),
    }
}

fn entry(
    journal: (&str, &str),
    number: &str,
    on: &str,
    piece: &str,
    label: &str,
    lines: Vec<Line>,
) -> JournalEntry {
    JournalEntry {
        shop: ShopId::new("camping").expect("a shop"),
        journal: Journal { code: journal.0.to_owned(), label: journal.1.to_owned() },
        number: number.to_owned(),
        date: day(on),
        piece: piece.to_owned(),
        piece_date: day(on),
        label: label.to_owned(),
        validated_on: Some(day("2026-03-31")),
        lines,
    }
}

pub(super) fn entries() -> Vec<JournalEntry> {
    const CV: (&str, &str) = ("CV", "Encaissements CV Connect");
    const BQ: (&str, &str) = ("BQ", "Banque");
    let (one, two) = (Some(("CMD9542125", "2310166")), Some(("CMD9542124-01A5G", "2310165")));
    let (a, b) = (Some(("A", "2026-03-13")), Some(("B", "2026-03-20")));
    vec![
        entry(
            CV,
            "CV2026-000001",
            "2026-03-10",
            "CMD9542125",
            "CMD9542125 CVCo appel 2310166",
            vec![line(Role::Voucher, 4525, b, one), line(Role::Customer, -4525, None, one)],
        ),
        entry(
            CV,
            "CV2026-000002",
            "2026-03-11",
            "CMD9542124-01A5G",
            "CMD9542124-01A5G CVCo+CB appel 2310165",
            vec![
                line(Role::Voucher, 18_000, b, two),
                line(Role::Card, 12_000, a, two),
                line(Role::Customer, -30_000, None, two),
            ],
        ),
        entry(
            BQ,
            "BQ2026-000001",
            "2026-03-13",
            "REM-CB-20260313",
            "Remise CB complement 20260313",
            vec![line(Role::Bank, 12_000, None, None), line(Role::Card, -12_000, a, two)],
        ),
        entry(
            BQ,
            "BQ2026-000002",
            "2026-03-20",
            "ANCV-RLV-000123",
            "Remboursement ANCV releve 000123",
            vec![
                line(Role::Bank, 21_962, None, None),
                line(Role::CommissionAncv, 563, None, None),
                line(Role::Voucher, -4525, b, one),
                line(Role::Voucher, -18_000, b, two),
            ],
        ),
        entry(
            CV,
            "CV2026-000003",
            "2026-03-30",
            "CMD9542124-01A5G",
            "CMD9542124-01A5G remboursement CB appel 2310165",
            vec![line(Role::Customer, 12_000, None, two), line(Role::Card, -12_000, None, two)],
        ),
    ]
}
