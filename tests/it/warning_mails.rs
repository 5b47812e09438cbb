//! A notification that was lost is taken from the e-mail that Up2pay writes about it.

use crate::support::{Daemon, Settings, TOKEN, Up2pay};

fn warning(call: &Up2pay) -> String {
    format!(
        "From support@e-transactions.example Thu Mar 12 14:05:31 2026\n\
         Subject: Warning e-Transactions\n\
         Content-Type: text/plain; charset=utf-8\n\n\
         WARNING: Impossible de joindre https://shop.example/n/up2pay/{TOKEN} pour le paiement “{}” Erreur : \
         code HTTP: 502\n\n",
        call.wire().query
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_of_warnings_is_imported_beside_the_running_daemon() {
    let daemon = Daemon::start(&Settings { complement_grace: "1h", ..Settings::default() }).await;
    daemon.expect_order("A", 2500);
    let (voucher, card) = (Up2pay::voucher("A", 1, 1500), Up2pay::card("A", 1, 1000));
    daemon.up2pay(&voucher);
    let file = daemon.path("warnings.mbox");
    std::fs::write(&file, [warning(&voucher), warning(&card)].concat()).expect("file");
    let path = file.to_str().expect("path");

    let first = daemon.out(&["import-mail", path]);
    assert!(first.contains("courriel 1\u{a0}: déjà connu\u{a0}: A, CVCONNECT 15,00 EUR (up2pay)"), "{first}");
    assert!(first.contains("courriel 2\u{a0}: importé\u{a0}: A, LIMOCB 10,00 EUR (up2pay)"), "{first}");
    assert!(!first.contains(TOKEN), "{first}");
    assert_eq!(daemon.rows("SELECT state FROM acct_register"), ["balanced"]);
    let again = daemon.out(&["import-mail", path]);
    assert_eq!(again.matches("déjà connu").count(), 2, "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_genuine_is_not_imported() {
    let daemon = Daemon::start(&Settings::default()).await;
    let forged = warning(&Up2pay::voucher("A", 1, 1500)).replace("Mt=1500", "Mt=9500");
    let other = "From x@y.example Thu Mar 12 15:00:00 2026\nSubject: Promotions\n\nBonjour\n";
    let file = daemon.path("warnings.mbox");
    std::fs::write(&file, format!("{forged}{other}")).expect("file");
    let path = file.to_str().expect("path");

    let ended = daemon.run(&["import-mail", path]);
    let says = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        says.contains("courriel 1\u{a0}: la signature ne convient pas\u{a0}: pas authentique\u{a0}: "),
        "{says}"
    );
    assert!(says.contains("courriel 2\u{a0}: illisible\u{a0}: aucun appel n’y figure"), "{says}");
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM acct_notifications"), ["0"]);

    assert_eq!(daemon.run(&["import-mail", "--endpoint", "sogecommerce", path]).status.code(), Some(2));
    assert_eq!(daemon.run(&["import-mail", "/nowhere.eml"]).status.code(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_web_servers_log_has_is_imported() {
    let daemon = Daemon::start(&Settings { complement_grace: "1h", ..Settings::default() }).await;
    daemon.expect_order("A", 2500);
    let (voucher, card) = (Up2pay::voucher("A", 1, 1500), Up2pay::card("A", 1, 1000));
    let (voucher, card) = (voucher.wire().query, card.wire().query);
    let file = daemon.path("error.log");
    let log = format!(
        "2026/11/28 10:00:00 [error] 12#12: *5 connect() failed (111: Connection refused) while connecting to upstream, \
         client: 194.2.122.158, server: _, request: \"GET /n/up2pay/{TOKEN}?{voucher} HTTP/1.1\", upstream: \
         \"http://127.0.0.1:8080/n/up2pay/{TOKEN}?{voucher}\", host: \"shop.example\"\n\
         1.2.3.4 - - [28/Nov/2026:10:00:01 +0100] \"GET /shop?q=1 HTTP/1.1\" 200 9\n\
         194.2.122.158 - - [28/Nov/2026:10:00:02 +0100] \"GET /modules/ipn.php?{card} HTTP/1.1\" 500 9\n"
    );
    std::fs::write(&file, format!("\u{feff}{log}")).expect("file");
    let path = file.to_str().expect("path");

    let says = daemon.out(&["import-mail", path]);
    assert!(says.contains("ligne 1\u{a0}: importé\u{a0}: A, CVCONNECT"), "{says}");
    assert!(says.contains("ligne 3\u{a0}: importé\u{a0}: A, LIMOCB"), "{says}");
    assert!(!says.contains("ligne 2") && !says.contains(TOKEN), "{says}");
    assert_eq!(daemon.rows("SELECT state FROM acct_register"), ["balanced"]);
    assert_eq!(daemon.rows("SELECT DISTINCT origin FROM acct_notifications"), ["log"]);

    let line = log.lines().next().expect("a line");
    std::fs::write(&file, line).expect("file");
    assert!(daemon.out(&["diagnose", "--endpoint", "up2pay", path]).starts_with("AUTHENTIQUE"));
    let saved: Vec<u8> = format!("\u{feff}{voucher}\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(&file, saved).expect("file");
    let says = daemon.out(&["diagnose", "--endpoint", "up2pay", path]);
    assert!(says.starts_with("AUTHENTIQUE") && says.contains("UTF-16"), "{says}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_only_outlook_reads_is_called_what_it_is() {
    let daemon = Daemon::start(&Settings::default()).await;
    let file = daemon.path("warning.msg");
    std::fs::write(&file, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0").expect("file");
    let ended = daemon.run(&["import-mail", file.to_str().expect("path")]);
    let says = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(ended.status.code(), Some(1));
    assert!(says.contains("message Outlook (.msg)") && says.contains("Texte seulement"), "{says}");
}
