//! What the accountant takes away: entries, closes, exports and statements.

mod closes;

use std::fs;

use cvco_domain::ReportedState;

use crate::others;
use crate::support::{BOOKS, Past, Told};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/accounting");

fn statement(name: &str) -> String {
    format!("{}/fixtures/statements/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// March 2026 as the sample files tell it.
fn march() -> Past {
    let mut past = Past::new(BOOKS);
    past.pays("2026-03-10T10:00:00Z", "CMD9542125", "2310166", (4525, 0));
    past.pays("2026-03-11T10:00:00Z", "CMD9542124-01A5G", "2310165", (18_000, 12_000));
    past.tells(&Told {
        at: "2026-03-30T10:00:00Z",
        order: "CMD9542124-01A5G",
        call: "2310165",
        cents: 12_000,
        card: true,
        refund: true,
        state: ReportedState::Authorised,
    });
    let bank = statement("bank-20260313.csv");
    past.out(&["statement", "import", "--layout", "bank", "--number", "REM-CB-20260313", &bank]);
    past.out(&["statement", "import", "--layout", "ancv", &statement("ancv-000123.csv")]);
    past
}

/// The sample, but for what depends on the day of the close and on the words for a statement.
fn like_the_sample(fec: &str) -> String {
    let mut lines: Vec<Vec<&str>> = fec.lines().map(|line| line.split('\t').collect()).collect();
    for line in lines.iter_mut().skip(1) {
        line[15] = "20260331";
    }
    let lines: Vec<String> = lines.into_iter().map(|line| line.join("\t") + "\r\n").collect();
    lines
        .concat()
        .replace("releve ANCV-RLV-000123", "releve 000123")
        .replace("Remise CB REM-CB-20260313", "Remise CB complement 20260313")
}

#[test]
fn a_month_is_closed_into_the_entries_of_the_sample() {
    let mut past = march();
    let folder = past.path("mars");
    past.out(&["close", "--period", "2026-03", "-o", folder.to_str().expect("a path")]);
    let fec = fs::read_to_string(folder.join("732829320FEC20260331.txt")).expect("a FEC");
    let sample = fs::read_to_string(format!("{SAMPLES}/123456789FEC20261231.txt")).expect("the sample");
    assert_eq!(like_the_sample(&fec), sample);
}

#[test]
fn an_open_period_is_exported_as_a_draft_alone() {
    let mut past = march();
    let refused = past.run(&["export", "entries", "--period", "2026-03"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("2026-03 is not closed"));
    let draft = past.out(&["export", "fec", "--period", "2026-03", "--draft"]);
    assert!(draft.contains("\tDCV2026-000001\t"), "{draft}");
    assert!(draft.lines().skip(1).all(|line| line.split('\t').nth(15) == Some("")), "no date of validation");
    assert_eq!(past.out(&["export", "fec", "--period", "2026-03", "--draft"]), draft, "the same bytes");
}

/// The rows of a list, by the names of its columns.
fn rows(past: &mut Past, list: &str, month: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let text = past.out(&["export", list, "--period", month]);
    let mut reader =
        csv::ReaderBuilder::new().delimiter(b';').from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    reader.deserialize().collect::<Result<_, _>>().expect("rows")
}

#[test]
fn a_french_accountant_reads_lists_and_stories_in_french() {
    let mut past = Past::in_language("fr", BOOKS);
    past.expects("2026-03-10T10:00:00Z", "A", 5000);
    past.pays("2026-03-10T10:00:00Z", "A", "7", (4000, 1000));
    past.tells(&Told {
        at: "2026-03-12T10:00:00Z",
        order: "A",
        call: "7",
        cents: 1000,
        card: true,
        refund: true,
        state: ReportedState::Captured,
    });
    past.expects("2026-03-10T10:00:00Z", "B", 10_000);
    past.tells(&Told {
        at: "2026-03-10T10:00:00Z",
        order: "B",
        call: "8",
        cents: 6000,
        card: false,
        refund: false,
        state: ReportedState::Authorised,
    });
    past.reopen();
    let register = past.out(&["export", "register", "--period", "2026-03"]);
    assert!(
        register.starts_with("\u{feff}Boutique;Prestataire;Contrats;Commande;Numéro d’appel;"),
        "{register}"
    );
    assert!(register.contains(";remboursé en partie;"), "{register}");
    let gaps = past.out(&["export", "gaps", "--period", "2026-03"]);
    let row = gaps.lines().find(|line| line.contains(";B;8;100,00;60,00;-40,00;")).expect("what is missing");
    assert!(!row.contains("missing") && !row.contains("unbalanced"), "{row}");
    let records = past.out(&["records", "--format", "csv"]);
    let (head, rows) = records.split_once('\n').expect("rows");
    assert_eq!(
        head,
        "boutique;prestataire;commande;numéro d’appel;titres;cartes;payé;attendu;écart;remboursé;devise;état;\
         écarts ouverts"
    );
    assert!(rows.contains(";A;7;40,00;10,00;50,00;50,00;0,00;10,00;EUR;remboursé en partie;0"), "{rows}");
    let story = past.out(&["record", "A"]).replace('\u{a0}', " ");
    for said in [
        "Commande A, boutique camping : remboursé en partie",
        "commande enregistrée : 50,00 €",
        "paiement CVCONNECT : 40,00 €",
        " : -10,00 €, effectué ; statut",
    ] {
        assert!(story.contains(said), "{said} in\n{story}");
    }
    let refunds: Vec<&str> = story.lines().filter(|line| line.contains("remboursement")).collect();
    assert!(refunds.len() == 1 && refunds[0].contains("-10,00"), "{story}");
}

#[test]
fn what_is_a_gap_in_one_list_of_a_month_is_a_row_of_the_other() {
    let mut past = Past::new(BOOKS);
    let short = |past: &mut Past, at: &str, order: &str, call: &str| {
        past.expects(at, order, 10_000);
        past.tells(&Told {
            at,
            order,
            call,
            cents: 6000,
            card: false,
            refund: false,
            state: ReportedState::Authorised,
        });
    };
    past.pays("2026-02-05T10:00:00Z", "FINE", "1", (4000, 0));
    // Short since February; short on the last evening of March, told in April; short in April.
    short(&mut past, "2026-02-10T10:00:00Z", "OLD", "2");
    past.pays("2026-03-10T10:00:00Z", "WELL", "3", (4000, 1000));
    short(&mut past, "2026-03-31T21:50:00Z", "LATE", "4");
    short(&mut past, "2026-04-10T10:00:00Z", "NEXT", "5");
    past.pays("2026-04-20T10:00:00Z", "LAST", "6", (1000, 0));
    past.reopen();
    for (month, wanted) in
        [("2026-02", &["OLD"][..]), ("2026-03", &["LATE", "OLD"]), ("2026-04", &["LATE", "NEXT", "OLD"])]
    {
        let gaps: Vec<String> =
            rows(&mut past, "gaps", month).iter().map(|row| row["order_ref"].clone()).collect();
        let register = rows(&mut past, "register", month);
        let lacking = register.iter().filter(|row| row["gap"] != "0,00" || row["open_discrepancies"] != "0");
        let mut lacking: Vec<String> = lacking.map(|row| row["order_ref"].clone()).collect();
        lacking.sort();
        lacking.dedup();
        let mut gaps = gaps;
        gaps.sort();
        gaps.dedup();
        assert_eq!(gaps, lacking, "{month}");
        for order in wanted {
            assert!(gaps.iter().any(|gap| gap == order), "{order} in {gaps:?} of {month}");
        }
        // What is carried from another month is marked, so that sums leave it out.
        let own: Vec<&str> = register
            .iter()
            .filter(|row| row["carried"] == "0")
            .map(|row| row["received_on"].as_str())
            .collect();
        assert!(own.iter().all(|day| day.starts_with(month)), "{own:?}");
    }
}

#[test]
fn lists_come_as_csv_and_as_workbooks_that_are_the_same_each_time() {
    let mut past = march();
    past.out(&["close", "--period", "2026-03"]);
    let register = past.out(&["export", "register", "--period", "2026-03"]);
    let row = register.lines().nth(2).expect("the second order");
    assert!(
        row.starts_with(
            "camping;up2pay;1234567-01, 1234567-02;CMD9542124-01A5G;2310165;2026-03-11;300,00;180,00;120,00;"
        ),
        "{register}"
    );
    let totals = past.out(&["export", "totals", "--period", "2026-03"]);
    let control: Vec<&str> =
        totals.lines().filter(|line| line.starts_with("total;") || line.starts_with("entries;")).collect();
    assert_eq!(control.len(), 2);
    let amounts =
        |line: &str| line.split(';').skip(6).step_by(2).take(4).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(amounts(control[0]), amounts(control[1]), "the control line is the sum of the entries");
    // The refund was not debited by the end of the month.
    let ageing = past.out(&["export", "ageing", "--period", "2026-03"]);
    assert!(ageing.contains("16-30;20;camping;card;up2pay;1234567-02;CMD9542124-01A5G;2310165;"), "{ageing}");
    assert!(ageing.contains(";120,00;120,00;120,00;-120,00;"), "{ageing}");
    for list in ["register", "gaps", "ageing", "totals"] {
        let file = |past: &mut Past, name: &str| {
            let path = past.path(name);
            past.out(&[
                "export",
                list,
                "--period",
                "2026-03",
                "--format",
                "xlsx",
                "-o",
                path.to_str().expect("a path"),
            ]);
            fs::read(path).expect("a workbook")
        };
        assert_eq!(file(&mut past, "one.xlsx"), file(&mut past, "two.xlsx"), "{list}");
    }
}

/// Every query of docs/sql.md, as it stands there.
#[test]
fn the_queries_of_the_documentation_run() {
    let mut past = march();
    past.out(&["close", "--period", "2026-03"]);
    let page = include_str!("../../docs/sql.md");
    let blocks: Vec<&str> =
        page.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let queries: Vec<&str> =
        blocks.iter().flat_map(|block| block.split(';')).filter(|q| !q.trim().is_empty()).collect();
    assert!(queries.len() >= 20, "{}", queries.len());
    let answers: Vec<Vec<String>> = queries.iter().map(|query| past.rows(query)).collect();
    let answer = |of: &str| {
        let place = queries.iter().position(|query| query.contains(of)).expect("the query");
        answers[place].clone()
    };
    assert_eq!(
        answer("sum(Debit - Credit) AS balance")
            .iter()
            .map(|row| row.rsplit_once('|').map_or(row.as_str(), |(_, b)| b))
            .collect::<Vec<_>>(),
        ["-22525", "-12000", "0", "33962", "563"]
    );
    assert_eq!(answer("WHERE order_ref = 'CMD9542124-01A5G'").len(), 7);
    assert_eq!(answer("AND EcritureLet IS NULL").len(), 1, "the refund that the bank has not debited");
    assert_eq!(answer("statement = 'ANCV-RLV-000123'").len(), 2);
}

#[test]
fn references_that_mean_to_break_a_file_do_not() {
    let mut past = Past::new(BOOKS);
    let references = [
        "=HYPERLINK(\"http://x\";1)",
        "a|b;c",
        "(x) * ! @ { } [2026-01-01] = 5 EUR",
        "; comment:here, tag",
        "éàü€ 漢字 \u{a0} ‘quoted’",
        "\"\\ \\\" $(x) `y`",
        "-12,50",
        "漢",
    ];
    for (n, reference) in (0_i64..).zip(references) {
        past.pays(
            &format!("2026-03-1{n}T10:00:00Z"),
            reference,
            &format!("70{n}; {reference}"),
            (1000 + n, 500),
        );
    }
    past.out(&["close", "--period", "2026-03"]);
    let file = |past: &mut Past, what: &str| {
        let path = past.path(&format!("{what}.txt")).to_str().expect("a path").to_owned();
        past.out(&["export", what, "--period", "2026-03", "-o", &path]);
        path
    };
    let journal = file(&mut past, "journal");
    others::accepts("hledger", &["-f", &journal, "check", "--strict"]);
    others::accepts("ledger", &["--strict", "--pedantic", "-f", &journal, "bal"]);
    others::accepts("bean-check", &[&file(&mut past, "beancount")]);
    let fec = fs::read_to_string(file(&mut past, "fec")).expect("a FEC");
    assert!(fec.is_ascii() && !fec.contains('|'));
    assert!(fec.lines().all(|line| line.split('\t').count() == 18), "{fec}");
    let csv = fs::read_to_string(file(&mut past, "entries")).expect("CSV");
    let mut rows =
        csv::ReaderBuilder::new().delimiter(b';').from_reader(csv.trim_start_matches('\u{feff}').as_bytes());
    let cells: Vec<csv::StringRecord> = rows.records().collect::<Result<_, _>>().expect("CSV");
    assert_eq!(cells.len(), references.len() * 3);
    // The amounts alone may begin with a minus.
    assert!(cells.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@'])));
    for list in ["register", "gaps", "ageing"] {
        let path = file(&mut past, list);
        let text = fs::read_to_string(path).expect("CSV");
        assert!(!text.split([';', '\n']).any(|cell| cell.starts_with('=')), "{list}: {text}");
    }
}

#[test]
fn the_accounting_day_is_that_of_paris() {
    let mut past = Past::new(BOOKS);
    past.pays("2025-12-31T22:30:00Z", "OLD", "1", (1000, 0));
    past.pays("2025-12-31T23:30:00Z", "NEW", "2", (2000, 0));
    let draft = past.out(&["export", "entries", "--from", "2025-12-01", "--to", "2026-01-31", "--draft"]);
    let days: Vec<&str> =
        draft.lines().skip(1).map(|line| line.split(';').nth(1).unwrap_or_default()).collect();
    assert_eq!(days, ["2025-12-31", "2025-12-31", "2026-01-01", "2026-01-01"]);
    assert!(draft.contains("DCV2025-000001") && draft.contains("DCV2026-000001"), "{draft}");
}

/// What an account holds, in cents, over all that is booked.
fn balances(past: &Past) -> Vec<String> {
    past.rows(
        "SELECT CompteNum || ' ' || SUM(Debit - Credit) FROM entries
         GROUP BY CompteNum HAVING SUM(Debit - Credit) <> 0 ORDER BY CompteNum",
    )
}

#[test]
fn an_order_that_is_paid_twice_waits_in_the_suspense_account_until_it_is_given_back() {
    for entries in ["grouped", "paired"] {
        let mut past = Past::new(
            &BOOKS
                .replace("[accounting]", &format!("[accounting]\nsuspense = true\nentries = \"{entries}\"")),
        );
        past.pays("2026-03-10T10:00:00Z", "A", "1", (6000, 4000));
        past.pays("2026-03-11T10:00:00Z", "A", "2", (6000, 4000));
        past.out(&["close", "--period", "2026-03"]);
        assert_eq!(balances(&past), ["411000 -10000", "471000 -10000", "511500 8000", "511600 12000"]);
        assert_eq!(past.rows("SELECT COUNT(*) FROM entries WHERE Debit = 0 AND Credit = 0"), ["0"]);
        assert!(past.out(&["export", "fec", "--period", "2026-03"]).contains("471000"));
        // A part of the surplus is given back: it is the surplus that becomes less.
        past.reopen();
        let (order, state) = ("A", ReportedState::Authorised);
        let back = Told {
            at: "2026-04-02T10:00:00Z",
            order,
            call: "2",
            cents: 4000,
            card: true,
            refund: true,
            state,
        };
        past.tells(&back);
        past.out(&["close", "--period", "2026-04"]);
        assert_eq!(balances(&past), ["411000 -10000", "471000 -6000", "511500 4000", "511600 12000"]);
        assert!(past.out(&["export", "fec", "--period", "2026-04"]).contains("471000"));
        assert!(past.out(&["verify"]).starts_with("right"));
    }
}

#[test]
fn shops_of_two_companies_have_numbers_and_names_of_their_own() {
    let books = "[[accounting.override]]\nshop = \"gites\"\njournals = { receipts = \"CG\", bank = \"BG\", corrections = \"OG\" }\n\n\
                 [[shop]]\nid = \"gites\"\nsiren = \"732829320\"\n";
    let mut past = Past::new(books);
    past.pays("2026-03-10T10:00:00Z", "A", "1", (1000, 0));
    past.pays_at("gites", "2026-03-11T10:00:00Z", "B", "2", (2000, 0));
    past.pays("2026-03-12T10:00:00Z", "C", "3", (3000, 0));
    past.out(&["close", "--period", "2026-03"]);
    let folder = past.path("out");
    fs::create_dir(&folder).expect("a folder");
    let folder_name = folder.to_str().expect("a path").to_owned();
    past.out(&["export", "fec", "--period", "2026-03", "--shop", "gites", "-o", &folder_name]);
    let gites = fs::read_to_string(folder.join("732829320FEC20260331.txt")).expect("a FEC");
    assert!(gites.contains("CG2026-000001") && !gites.contains("CV2026"), "{gites}");
    let camping = past.out(&["export", "fec", "--period", "2026-03", "--shop", "camping"]);
    assert!(camping.contains("CV2026-000002") && !camping.contains("CG2026"), "{camping}");

    // With one journal for both, one of them alone would have gaps.
    let mut past = Past::new("[[shop]]\nid = \"gites\"\n");
    past.pays("2026-03-10T10:00:00Z", "A", "1", (1000, 0));
    past.pays_at("gites", "2026-03-11T10:00:00Z", "B", "2", (2000, 0));
    past.pays("2026-03-12T10:00:00Z", "C", "3", (3000, 0));
    past.out(&["close", "--period", "2026-03"]);
    let refused = past.run(&["export", "fec", "--period", "2026-03", "--shop", "camping"]);
    assert_eq!(refused.status.code(), Some(3));
    let said = String::from_utf8(refused.stderr).expect("text");
    assert!(
        said.contains("CV2026-000003: it comes after CV2026-000001; two shops that share a journal"),
        "{said}"
    );
}
