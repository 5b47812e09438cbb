//! Files of statements as issuers and banks write them.

use proptest::prelude::*;

use super::*;
use cvco_domain::{Cents, DatePattern, ShopId, Statement};

fn pattern(text: &str) -> DatePattern {
    DatePattern::new(text).expect("a pattern")
}

fn unnamed() -> Columns {
    Columns {
        amount: AmountColumns::Signed(String::new()),
        reference: None,
        transaction: None,
        authorisation: None,
        contract: None,
        date: None,
        commission: None,
        net: None,
        statement: None,
        paid_on: None,
        statement_commission: None,
    }
}

fn ancv() -> Profile {
    let column = |name: &str| Some(name.to_owned());
    Profile {
        id: "ancv".to_owned(),
        issuer: Issuer::Ancv,
        shop: None,
        encoding: encoding_rs::WINDOWS_1252,
        delimiter: b';',
        decimal: ',',
        quotes: true,
        dates: vec![pattern("%d/%m/%Y")],
        skip_lines: 2,
        columns: Columns {
            amount: AmountColumns::Signed("Montant".to_owned()),
            reference: column("Reference interne commercant"),
            transaction: column("N° transaction"),
            date: column("Date de transaction"),
            commission: column("Commission"),
            net: column("Net"),
            statement: column("N° relevé"),
            paid_on: column("Date de valeur"),
            ..unnamed()
        },
    }
}

fn given() -> Given {
    Given { shop: ShopId::new("camping").expect("a shop"), number: None, file_name: None, paid_on: None }
}

const HEAD: &str = "Relevé de remboursement\r\n\r\nN° relevé;Date de valeur;Date de transaction;N° transaction;\
                    Référence interne Commerçant;Montant;Commission;Net\r\n";

fn bytes(rows: &str) -> Vec<u8> {
    let text = format!("{HEAD}{rows}");
    encoding_rs::WINDOWS_1252.encode(&text).0.into_owned()
}

fn statements(file: StatementFile) -> Vec<Statement> {
    file.statements.into_iter().map(|located| located.statement).collect()
}

fn problems(rows: &str) -> String {
    read(&bytes(rows), &ancv(), &given()).expect_err("problems").to_string()
}

#[test]
fn a_statement_is_read_by_its_column_map() {
    let file =
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/statements/ancv-000123.csv"));
    let statements = statements(read(file, &ancv(), &given()).expect("a statement"));
    let [statement] = statements.as_slice() else { panic!("one: {statements:?}") };
    assert_eq!(
        (statement.number.as_str(), statement.paid_on.to_string().as_str()),
        ("ANCV-RLV-000123", "2026-03-20")
    );
    let lines: Vec<_> = statement
        .lines
        .iter()
        .map(|line| {
            let reference = line.reference.as_ref().map(ToString::to_string).unwrap_or_default();
            (reference, line.amount.get(), line.commission.map(Cents::get))
        })
        .collect();
    assert_eq!(
        lines,
        [("CMD9542125".to_owned(), 4525, Some(113)), ("CMD9542124-01A5G".to_owned(), 18_000, Some(450))]
    );
}

#[test]
fn every_line_that_is_wrong_is_told_with_what_would_be_right() {
    let told = problems(
        "R1;20/03/2026;10/03/2026;T1;CMD1;45.25;;\r\nR1;2026-03-20;;T2;CMD2;10,00;;\r\n;20/03/2026;;T3;CMD3;1,00;;\r\n\
         R1;20/03/2026;;T4;CMD4;100,00;2,50;97,00\r\nR1;21/03/2026;;T5;CMD5;1,00;;\r\nR1;20/03/2026;;T6;CMD6;;;\r\n",
    );
    let wanted = [
        "line 4: \"45.25\" is not an amount with the decimal sign ','",
        "line 4: no amount in column \"Montant\"",
        "line 5: \"2026-03-20\" is not a date of the form \"%d/%m/%Y\"",
        "line 5: no date on which it was paid: name its column (paid_on), or give --paid-on",
        "line 7: a commission of 2.50, but the net amount leaves 3.00",
        "line 8: its statement was paid on 2026-03-20 by the lines above, and on 2026-03-21 by this one; where one number goes \
         on over several value dates, leave the column of its number out of the layout, and give no --number: each date is \
         then a statement of its own",
        "line 9: no amount in column \"Montant\"",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), wanted);
}

#[test]
fn a_total_must_be_that_of_the_lines_above() {
    let rows = "R1;20/03/2026;;T1;CMD1;1,00;;\r\nR1;20/03/2026;;T2;CMD2;2,00;;\r\n;;;;Total;3,00;;\r\n";
    for total in ["Total", "TOTAL :", "Total général", ""] {
        let rows = rows.replace("Total", total);
        assert_eq!(read(&bytes(&rows), &ancv(), &given()).expect("right").lines(), 2, "{total}");
    }
    for order in ["TOTAL1", "Pizza total"] {
        assert!(problems(&rows.replace("Total", order)).contains("no number"), "a reference: {order}");
    }
    assert_eq!(
        problems(&rows.replace("3,00", "3,01")),
        "line 6: 3.01 without a reference, and not the total of the lines above, which is 3.00"
    );
}

#[test]
fn a_missing_column_is_named_with_those_that_there_are() {
    let mut profile = ancv();
    profile.columns.amount = AmountColumns::Signed("Brut".to_owned());
    let told = read(&bytes(""), &profile, &given()).expect_err("a problem").to_string();
    assert!(
        told.contains("no column \"Brut\"; there are: n° releve") || told.contains("no column \"Brut\""),
        "{told}"
    );
}

#[test]
fn one_file_may_hold_several_statements() {
    let rows =
        "R1;20/03/2026;;T1;CMD1;1,00;;\r\nR2;27/03/2026;;T2;CMD2;2,00;;\r\nR1;20/03/2026;;T3;CMD3;3,00;;\r\n";
    let statements = statements(read(&bytes(rows), &ancv(), &given()).expect("statements"));
    let lines: Vec<_> = statements.iter().map(|s| (s.number.as_str(), s.lines.len())).collect();
    assert_eq!(lines, [("R1", 2), ("R2", 1)]);
}

#[test]
fn what_is_kept_of_the_whole_stands_on_every_line() {
    let mut profile = ancv();
    profile.columns.commission = None;
    profile.columns.net = None;
    profile.columns.statement_commission = Some("Commission".to_owned());
    let rows = |second: &str| {
        bytes(&format!("R1;20/03/2026;;T1;CMD1;45,25;-5,63;\r\nR1;20/03/2026;;T2;CMD2;180,00;{second};\r\n"))
    };
    let statements = statements(read(&rows("-5,63"), &profile, &given()).expect("a statement"));
    assert_eq!(statements[0].commission, Some(Cents::new(563)));
    assert!(statements[0].lines.iter().all(|line| line.commission.is_none()));
    let told = read(&rows("-5,64"), &profile, &given()).expect_err("a problem").to_string();
    assert!(told.starts_with("line 5: says otherwise"), "{told}");
}

#[test]
fn another_encoding_than_the_configured_one_is_told() {
    let profile = Profile { encoding: encoding_rs::UTF_8, ..ancv() };
    let told = read(&bytes(""), &profile, &given()).expect_err("a problem").to_string();
    assert_eq!(
        told,
        "not utf-8; it looks like windows-1252 or iso-8859-15: correct `encoding` of [[statement]]"
    );
}

/// The files of shared trouble: what people ran into with other importers.
fn bank() -> Profile {
    let column = |name: &str| Some(name.to_owned());
    Profile {
        encoding: encoding_rs::UTF_8,
        skip_lines: 0,
        columns: Columns {
            amount: AmountColumns::Signed("Montant".to_owned()),
            reference: column("Reference"),
            transaction: column("Transaction"),
            paid_on: column("Valeur"),
            ..unnamed()
        },
        ..ancv()
    }
}

const BANK: &str = "Valeur;Transaction;Reference;Montant;Libelle\n";

fn lines(text: &str, profile: &Profile) -> Vec<(String, i64)> {
    let file = read(text.as_bytes(), profile, &given()).unwrap_or_else(|error| panic!("{error}"));
    let found = file.statements.iter().flat_map(|located| &located.statement.lines);
    found.map(|line| (line.reference.as_ref().expect("a reference").to_string(), line.amount.get())).collect()
}

fn refusal(text: &str, profile: &Profile) -> String {
    read(text.as_bytes(), profile, &given()).expect_err("refused").to_string()
}

#[test]
fn a_quotation_mark_that_is_left_open_is_refused_by_its_line() {
    let row = |n: usize, label: &str| format!("28/11/2026;10{n}2;CMD{n};20,00;{label}\n");
    let file = |second: &str, fourth: &str| {
        [BANK, &row(1, "REMISE"), &row(2, second), &row(3, "REMISE"), &row(4, fourth), &row(5, "REMISE")]
            .concat()
    };
    for (second, fourth) in [
        ("\"LES PINS REMISE", "REMISE"),
        ("\"A REMISE", "B\" REMISE"),
        ("\"A REMISE", "B\""),
        ("\"A REMISE", "\""),
    ] {
        let told = refusal(&file(second, fourth), &bank());
        assert!(told.starts_with("line 3: a quotation mark opens a cell that"), "{second} {fourth}: {told}");
        let profile = Profile { quotes: false, ..bank() };
        assert_eq!(lines(&file(second, fourth), &profile).len(), 5, "an issuer that never quotes");
    }
    // On the last line, with and without its end; on the first; and as the first cell.
    let last = file("REMISE", "REMISE") + "28/11/2026;1062;CMD6;20,00;\"REMISE";
    assert!(refusal(&last, &bank()).starts_with("line 7: "), "{}", refusal(&last, &bank()));
    assert!(refusal(&format!("{last}\r\n"), &bank()).starts_with("line 7: "));
    let head = file("REMISE", "REMISE").replacen("Libelle", "\"Libelle", 1);
    assert!(refusal(&head, &bank()).starts_with("line 1: "));
    let first = "Libelle;Valeur;Transaction;Reference;Montant\n\"A;28/11/2026;1012;CMD1;20,00\nB;28/11/2026;1022;CMD2;20,00\n";
    assert!(refusal(first, &bank()).starts_with("line 2: "));
    // Within one line.
    let merged = format!("{BANK}28/11/2026;\"1012;CMD1\";20,00;REMISE\n");
    assert!(refusal(&merged, &bank()).starts_with("line 2: "), "{}", refusal(&merged, &bank()));
}

#[test]
fn a_label_may_hold_line_ends_delimiters_and_quotation_marks() {
    let file = format!(
        "{BANK}28/11/2026;1012;CMD1;20,00;\"REMISE\nLES PINS\"\n28/11/2026;1022;CMD2;20,00;\"A; B \"\"C\"\"\"\n\
         28/11/2026;1032;CMD3;20,00;5\" X\n28/11/2026;1042;CMD4;x;\n"
    );
    assert_eq!(
        refusal(&file, &bank()),
        "line 6: \"x\" is not an amount with the decimal sign ','\nline 6: no amount in column \"Montant\""
    );
    assert_eq!(lines(&file.replace(";x;", ";1,00;"), &bank()).len(), 4);
}

#[test]
fn debit_and_credit_may_stand_in_columns_of_their_own() {
    let amount = AmountColumns::Two { debit: "Débit".to_owned(), credit: "Crédit".to_owned() };
    let profile = Profile { columns: Columns { amount, ..bank().columns }, ..bank() };
    let file = |rows: &str| {
        format!("Valeur;Transaction;Reference;Débit;Crédit\n28/11/2026;1012;CMD1;;20,00\n{rows}")
    };
    let wanted = |cents| [("CMD1".to_owned(), 2000), ("CMD2".to_owned(), cents)];
    for (row, cents) in [("-20,00;0,00", -2000), ("20,00;", -2000), ("0,00;20,00", 2000), (";-20,00", -2000)]
    {
        assert_eq!(lines(&file(&format!("28/11/2026;1022;CMD2;{row}\n")), &profile), wanted(cents), "{row}");
    }
    let told = refusal(&file("28/11/2026;1022;CMD2;5,00;20,00\n28/11/2026;1032;CMD3;;\n"), &profile);
    assert!(told.contains("line 3: both a debit of 5.00 and a credit of 20.00"), "{told}");
    assert!(told.contains("line 4: no amount in column \"Débit\" or \"Crédit\""), "{told}");
    // One of the two alone would read a refund as nothing.
    let amount = AmountColumns::Signed("Crédit".to_owned());
    let one = Profile { columns: Columns { amount, ..bank().columns }, ..bank() };
    let told = refusal(&file("28/11/2026;1022;CMD2;-20,00;0,00\n"), &one);
    assert!(told.contains("line 3: 0.00 pays nothing out") && told.contains("debit and credit"), "{told}");
}

#[test]
fn a_column_may_say_debit_or_credit() {
    let amount = AmountColumns::WithDirection { amount: "Montant".to_owned(), direction: "Sens".to_owned() };
    let profile = Profile { columns: Columns { amount, ..bank().columns }, ..bank() };
    let file = |sign: &str| {
        format!("Valeur;Transaction;Reference;Montant;Sens\n28/11/2026;1012;CMD1;20,00;{sign}\n")
    };
    for (sign, cents) in [("C", 2000), ("Crédit", 2000), ("+", 2000), ("d", -2000), ("DÉBIT", -2000)] {
        assert_eq!(lines(&file(sign), &profile), [("CMD1".to_owned(), cents)], "{sign}");
    }
    assert!(refusal(&file("X"), &profile).contains("line 2: \"X\" is neither debit nor credit"));
    assert!(refusal(&file(""), &profile).contains("line 2: neither debit nor credit"));
}

#[test]
fn dates_may_have_times_and_a_value_date_makes_a_statement() {
    let profile = Profile {
        dates: vec![pattern("%d/%m/%Y %H:%M:%S"), pattern("%d/%m/%Y")],
        columns: Columns { date: Some("Date".to_owned()), ..bank().columns },
        ..bank()
    };
    let file = "Date;Valeur;Transaction;Reference;Montant\n28/11/2026 10:15:27;28/11/2026 00:00:00;1012;CMD1;20,00\n\
                29/11/2026;30/11/2026;1022;CMD2;30,00\n";
    let named = |given: &Given| {
        let found = read(file.as_bytes(), &profile, given)?;
        let name =
            |located: &Located| (located.statement.number.to_string(), located.statement.paid_on.to_string());
        Ok::<_, FileError>(found.statements.iter().map(name).collect::<Vec<_>>())
    };
    let both = |text: &str| (text.to_owned(), text.to_owned());
    let by_file = Given { file_name: "export-novembre".parse().ok(), ..given() };
    for given in [given(), by_file] {
        assert_eq!(named(&given), Ok(vec![both("2026-11-28"), both("2026-11-30")]));
    }
    let told = named(&Given { number: "R1".parse().ok(), ..given() }).expect_err("two dates").to_string();
    assert!(told.starts_with("line 3: its statement was paid on 2026-11-28"), "{told}");
    assert!(told.contains("value dates, give no --number: each date"), "{told}");
}

#[test]
fn lines_that_say_nothing_are_named() {
    let file =
        format!("{BANK};;;;\n\n28/11/2026;1012;CMD1;20,00;REMISE\n;;;;Solde au 28/11\n;;;20,00;Total\n");
    let found = read(file.as_bytes(), &bank(), &given()).expect("a statement");
    assert_eq!((found.lines(), found.total(), found.passed_over), (1, Cents::new(2000), vec![5]));
    assert_eq!(found.statements[0].lines, [4]);
}

#[test]
fn a_layout_is_tried_before_it_is_used() {
    let shop = given().shop;
    for fine in [ancv(), bank(), Profile { quotes: false, ..bank() }] {
        assert_eq!(fine.exercise(&shop), Ok(()));
    }
    // An unquoted decimal comma parts cells where it is the delimiter as well.
    let comma = Profile { delimiter: b',', quotes: false, ..bank() };
    assert!(comma.exercise(&shop).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(noise in prop::collection::vec(any::<u8>(), 0..400), at in 0..600_usize) {
        let mut file = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/statements/ancv-000123.csv")).to_vec();
        let at = at.min(file.len());
        file.splice(at..(at + noise.len()).min(file.len()), noise.iter().copied());
        drop(read(&file, &ancv(), &given()));
        drop(read(&noise, &ancv(), &given()));
    }
}

#[test]
fn what_is_wrong_is_said_in_french_too() {
    let french = |rows: &str| {
        let error = read(&bytes(rows), &ancv(), &given()).expect_err("problems");
        error.in_french().replace('\u{a0}', " ")
    };
    assert_eq!(
        french(
            "R1;31/03/2026;01/03/2026;T1;CMD-1;douze;0,10;1,90\r\nR1;31/03/2026;32/03/2026;T2;CMD-2;2,00;0,10;1,00\r\n"
        ),
        "ligne 4 : « douze » n’est pas un montant dont le signe décimal est « , »\n\
         ligne 4 : il manque un montant dans la colonne « Montant »\n\
         ligne 5 : une commission de 0,10, mais le montant net en laisse 1,00\n\
         ligne 5 : « 32/03/2026 » n’est pas une date de la forme « %d/%m/%Y »"
    );
    assert_eq!(french(""), "aucune ligne ne parle d’un paiement : corrigez les colonnes de [[statement]]");
    let utf_8 = read("Référence".as_bytes(), &ancv(), &given()).expect_err("another encoding");
    assert_eq!(
        utf_8.in_french().replace('\u{a0}', " "),
        "le fichier n’est pas en windows-1252, mais semble être en utf-8 : corrigez `encoding` de [[statement]]"
    );
}
