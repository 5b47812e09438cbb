//! Closes: what was closed stays as it was, and what comes later is a correction.

use super::*;

#[test]
fn closing_again_changes_nothing_and_the_ledger_proves() {
    let mut past = march();
    let close = ["close", "--period", "2026-03", "--format", "json"];
    let manifest = past.out(&close);
    let stated: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(stated["entries"], 5);
    assert_eq!(stated["series"][1]["last"], "CV2026-000003");
    assert_eq!(stated["perpetual_total_cents"], 34_525);
    assert_eq!(past.out(&close), manifest);
    let fec = past.out(&["export", "fec", "--period", "2026-03"]);
    let digest = cvco_domain::crypto::sha256(&[fec.as_bytes()]).to_string();
    assert_eq!(stated["exports_sha256"]["fec"], digest.as_str());
    assert!(past.out(&["verify"]).starts_with("right"), "the close is a part of the fold");
    assert!(past.out(&["rebuild"]).contains("nothing changed"));
}

#[test]
fn a_late_fact_is_a_correction_in_the_next_period_and_the_closed_one_stays_as_it_was() {
    let mut past = march();
    past.out(&["close", "--period", "2026-03"]);
    let closed = past.out(&["export", "fec", "--period", "2026-03"]);
    past.reopen();
    // Heard of in April: a payment of March, and a refund of March.
    past.pays("2026-03-20T10:00:00Z", "CMD7", "77", (1000, 500));
    past.tells(&Told {
        at: "2026-03-25T10:00:00Z",
        order: "CMD9542125",
        call: "2310166",
        cents: 525,
        card: false,
        refund: true,
        state: ReportedState::Authorised,
    });
    assert!(
        past.out(&["verify"]).starts_with("right"),
        "what waits for the next close is a part of the fold"
    );
    past.out(&["close", "--period", "2026-04"]);
    assert_eq!(past.out(&["export", "fec", "--period", "2026-03"]), closed, "to the byte");
    let april = past.rows(
        "SELECT EcritureNum || ' ' || EcritureDate || ' ' || PieceDate || ' ' || EcritureLib || ' ' || leg || ' ' || (Debit - Credit)
         FROM entries WHERE period = '2026-04' ORDER BY line",
    );
    assert_eq!(
        april,
        [
            "CV2026-000004 2026-04-01 2026-03-25 CMD9542125 remboursement CVCo appel 2310166 du 2026-03-25 customer 525",
            "CV2026-000004 2026-04-01 2026-03-25 CMD9542125 remboursement CVCo appel 2310166 du 2026-03-25 voucher -525",
            "CV2026-000005 2026-04-01 2026-03-20 CMD7 CVCo+CB appel 77 du 2026-03-20 voucher 1000",
            "CV2026-000005 2026-04-01 2026-03-20 CMD7 CVCo+CB appel 77 du 2026-03-20 card 500",
            "CV2026-000005 2026-04-01 2026-03-20 CMD7 CVCo+CB appel 77 du 2026-03-20 customer -1500",
        ]
    );
    assert!(past.out(&["verify"]).starts_with("right"));
}

#[test]
fn periods_are_closed_one_after_the_other_when_they_are_over() {
    let mut past = march();
    let refused = |past: &mut Past, period: &str| {
        let output = past.run(&["close", "--period", period]);
        assert_eq!(output.status.code(), Some(3), "{period}");
        String::from_utf8(output.stderr).expect("text")
    };
    assert!(refused(&mut past, "2026-04").contains("close 2026-03 first"));
    assert!(refused(&mut past, "2099-03").contains("is not over yet"));
    past.out(&["close", "--period", "2026-03"]);
    assert!(refused(&mut past, "2026-05").contains("close 2026-04 first"));
}

#[test]
fn a_dry_run_says_what_a_close_would_book_and_closes_nothing() {
    let mut past = march();
    let said = past.out(&["close", "--period", "2026-03", "--dry-run"]);
    assert!(said.contains("2026-03  5 entries, 13 lines\n"), "{said}");
    assert!(said.contains("1 discrepancy is open") && said.contains("Nothing was closed"), "{said}");
    // The bank takes back in April what was given back at the end of March.
    let april = past.path("april.csv");
    let line = "2026-04-02,2026-03-30,CMD9542124-01A5G,168753,1234567-02,-120.00,-120.00";
    let head = "date_remise,date_operation,reference,autorisation,contrat,montant_brut,montant_net";
    fs::write(&april, format!("{head}\n{line}\n")).expect("written");
    past.out(&[
        "statement",
        "import",
        "--layout",
        "bank",
        "--number",
        "REM-CB-20260402",
        april.to_str().expect("a path"),
    ]);
    let said = past.out(&["close", "--period", "2026-03", "--dry-run"]);
    assert!(said.contains("2026-03  5 entries, 13 lines\n"), "{said}");
    assert!(said.contains("No discrepancy is open.") && said.contains("Nothing was closed"), "{said}");
    let log = past.entries();
    assert_eq!(past.rows("SELECT COUNT(*) FROM closings"), ["0"]);
    let closed = past.out(&["close", "--period", "2026-03", "--yes"]);
    assert!(
        closed.contains("2026-03  5 entries, 13 lines: BQ2026-000001 to BQ2026-000002, CV2026"),
        "{closed}"
    );
    for account in ["511600", "411000", "339.62"] {
        assert!(said.contains(account) && closed.contains(account), "{account} in {said} and {closed}");
    }
    assert_ne!(past.entries(), log);
    let refused = past.run(&["close", "--period", "2099-01", "--dry-run"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stdout).contains("2099-01 is not over yet"));
}

#[test]
fn an_old_stray_payment_is_closed_with_all_months_since_by_one_command() {
    let mut past = Past::new(BOOKS);
    past.pays("2024-07-14T10:00:00Z", "STRAY", "11", (1000, 0));
    past.pays("2026-03-10T10:00:00Z", "CMD1", "12", (4525, 0));
    past.reopen();
    let refused = past.run(&["close", "--period", "2026-03"]);
    let said = String::from_utf8(refused.stderr).expect("text");
    assert!(said.contains("close 2024-07 first") && said.contains("--through 2026-03"), "{said}");
    let manifests = past.out(&["close", "--through", "2026-03", "--format", "json"]);
    let manifests: Vec<serde_json::Value> = serde_json::from_str(&manifests).expect("JSON");
    assert_eq!(manifests.len(), 21);
    assert_eq!((&manifests[0]["period"], &manifests[20]["period"]), (&"2024-07".into(), &"2026-03".into()));
    assert_eq!(manifests[20]["perpetual_total_cents"], 5525);
    assert_eq!(past.rows("SELECT COUNT(*) FROM closings WHERE exports IS NOT NULL"), ["21"]);
    // Nothing is left to close.
    assert!(past.out(&["close", "--through", "2026-03"]).starts_with("2026-03  1 entries"));
    assert!(past.out(&["verify"]).starts_with("right"));
    let refused = past.run(&["close", "--through", "2099-03"]);
    assert_eq!(refused.status.code(), Some(3), "a month that is not over");
    assert_eq!(past.rows("SELECT MAX(period) FROM closings"), ["2026-03"], "nor those before it");
}

#[test]
fn a_statement_that_comes_after_the_close_is_booked_in_the_next_month_and_letters_the_closed_one_there() {
    let mut past = Past::new(BOOKS);
    past.pays("2026-03-10T10:00:00Z", "CMD9542125", "2310166", (4525, 0));
    past.pays("2026-03-11T10:00:00Z", "CMD9542124-01A5G", "2310165", (18_000, 12_000));
    past.out(&["close", "--period", "2026-03"]);
    let march = past.out(&["export", "fec", "--period", "2026-03"]);
    past.out(&["statement", "import", "--layout", "ancv", &statement("ancv-000123.csv")]);
    past.out(&["close", "--period", "2026-04"]);
    assert_eq!(past.out(&["export", "fec", "--period", "2026-03"]), march, "to the byte");
    let both = past.out(&["export", "entries", "--from", "2026-03-01", "--to", "2026-04-30"]);
    let lettered: Vec<&str> = both.lines().filter(|line| line.split(';').nth(9) == Some("A")).collect();
    assert_eq!(lettered.len(), 4, "{both}");
    assert!(both.contains("BQ;2026-04-01;BQ2026-000001;ANCV-RLV-000123;512000;Banque;"), "{both}");
    assert!(both.contains("Remboursement ANCV releve ANCV-RLV-000123 du 2026-03-20;219,62;0,00"), "{both}");
    assert!(past.out(&["verify"]).starts_with("right"));
}

#[test]
fn a_payment_that_is_taken_back_after_the_close_is_a_correction_that_names_its_entry() {
    let mut past = march();
    past.out(&["close", "--period", "2026-03"]);
    past.reopen();
    // Cancelled on the day of the payment, and heard of in April: nothing of it was ever received.
    past.cancels("2026-03-10T12:00:00Z", "CMD9542125", "2310166", 4525);
    past.out(&["close", "--period", "2026-04"]);
    let april = past.rows(
        "SELECT EcritureNum || ' ' || EcritureDate || ' ' || EcritureLib || ' ' || leg || ' ' || (Debit - Credit)
         FROM entries WHERE period = '2026-04' ORDER BY line",
    );
    let label = "CMD9542125 CVCo appel 2310166 correction de CV2026-000001 du 2026-03-10";
    assert_eq!(
        april,
        [
            format!("OD2026-000001 2026-04-01 {label} customer 4525"),
            format!("OD2026-000001 2026-04-01 {label} voucher -4525"),
        ]
    );
}
