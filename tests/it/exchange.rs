//! The accountant's folder: what is put into it is imported once, with a receipt, and what would harm is left alone.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{BOOKS, Daemon, Settings, Up2pay, until};

const HEAD: &str = "date_operation,reference,autorisation,contrat,montant_brut,montant_net,date_remise\n";

/// A daemon with a folder for its accountant.
async fn office() -> Daemon {
    let mut daemon = Daemon::start(&Settings::default()).await;
    daemon.signal("-TERM");
    assert_eq!(daemon.ended(), Some(0));
    daemon.rewrite_configuration(|text| text + BOOKS);
    fs::create_dir_all(daemon.path("exchange/in")).expect("folder");
    fs::create_dir_all(daemon.path("exchange/out")).expect("folder");
    daemon.restart();
    daemon
}

/// Waits for a file; what it says.
async fn appears(daemon: &Daemon, name: &str) -> String {
    let path = daemon.path(name);
    until(async || {
        fs::read_to_string(&path).map_err(|error| format!("{name}: {error}\n{}", daemon.log_text()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_is_put_in_is_imported_once_and_has_a_receipt() {
    let daemon = office().await;
    daemon.expect_order("A", 1500);
    daemon.up2pay(&Up2pay::voucher("A", 1, 1500));
    let line = "2026-03-10,NOBODY,,,10.00,10.00,2026-03-13\n";
    fs::write(daemon.path("exchange/in/bank-1.csv"), format!("{HEAD}{line}")).expect("written");
    fs::write(daemon.path("exchange/in/BANK-2.CSV"), format!("{HEAD}2026-03-10,X,,,ten,10.00,2026-03-13\n"))
        .expect("written");
    fs::write(daemon.path("exchange/in/releve.csv"), "x").expect("written");
    fs::write(daemon.path("exchange/in/bank-3.csv.part"), format!("{HEAD}{line}")).expect("written");
    let large = fs::File::create(daemon.path("exchange/in/bank-5.csv")).expect("made");
    large.set_len(40 << 20).expect("as large");
    symlink("/etc/passwd", daemon.path("exchange/in/bank-4.csv")).expect("linked");

    let receipt = appears(&daemon, "exchange/in/bank-1.csv.recu.txt").await;
    assert!(
        receipt.starts_with("IMPORTÉ, À REGARDER : bank-1.csv") && receipt.contains("NOBODY"),
        "{receipt}"
    );
    let receipt = appears(&daemon, "exchange/in/BANK-2.CSV.recu.txt").await;
    assert!(receipt.starts_with("REFUSÉ") && receipt.contains("ligne 2\u{a0}:"), "{receipt}");
    let receipt = appears(&daemon, "exchange/in/releve.csv.recu.txt").await;
    assert!(receipt.contains("de quel relevé s'agit-il") && receipt.contains("bank-….csv"), "{receipt}");
    let receipt = appears(&daemon, "exchange/in/bank-5.csv.recu.txt").await;
    assert!(receipt.starts_with("REFUSÉ") && receipt.contains("le fichier fait 40 Mio"), "{receipt}");
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM statements"), ["1"]);
    for left_alone in ["bank-3.csv.part", "bank-4.csv"] {
        assert!(!daemon.path(&format!("exchange/in/{left_alone}.recu.txt")).exists(), "{left_alone}");
    }

    fs::write(daemon.path("exchange/in/bank-again.csv"), format!("{HEAD}{line}")).expect("written");
    let receipt = appears(&daemon, "exchange/in/bank-again.csv.recu.txt").await;
    assert!(receipt.contains("déjà été importé"), "{receipt}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_closed_month_appear() {
    let daemon = office().await;
    daemon.out(&["close", "--period", "2026-03"]);
    let manifest = appears(&daemon, "exchange/out/2026-03/manifeste-2026-03.json").await;
    assert!(manifest.contains("exports_sha256"), "{manifest}");
    assert!(daemon.path("exchange/out/2026-03/registre-2026-03.csv").exists());
}
