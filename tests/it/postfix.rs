//! E-mails arrive at a real mail server: Debian's Postfix. What it does not take is tried again and arrives once, under one
//! Message-ID.

use std::path::Path;
use std::time::Duration;

use crate::support::postfix::{Cable, Fault, PASSWORD, Postfix, USER, is_missing};
use crate::support::{Daemon, Played, Settings, Up2pay};

/// A daemon that mails over a server, and trusts the authority of the tests.
async fn daemon(smtp: &str, to: &str) -> Daemon {
    let authority = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls/authority.pem");
    let environment = vec![("SSL_CERT_FILE", authority)];
    let mut daemon =
        Daemon::start(&Settings { complement_grace: "1h", environment, ..Settings::default() }).await;
    daemon.kill();
    daemon.rewrite_configuration(|text| {
        let sink = format!("smtp = \"smtp://{}\"", daemon.mailbox.address());
        assert!(text.contains(&sink));
        text.replace(&sink, smtp).replace("to = [\"compta@camping.example\"]", &format!("to = [{to}]"))
    });
    daemon.restart();
    daemon
}

fn with_login(scheme: &str, port: u16, rest: &str) -> String {
    let user = USER.replace('@', "%40");
    format!("smtp = \"{scheme}://{user}@localhost:{port}{rest}\"\npassword = \"{PASSWORD}\"")
}

fn over_by_a_euro(daemon: &Daemon, reference: &str, call: u64) {
    daemon.expect_order(reference, 2400);
    daemon.up2pay(&Up2pay::voucher(reference, call, 1500));
    daemon.up2pay(&Up2pay::card(reference, call, 1000));
}

fn header<'m>(mail: &'m str, name: &str) -> &'m str {
    mail.lines().find_map(|line| line.strip_prefix(name)).expect("a header").trim()
}

const COMPTA: &str = "\"compta@camping.example\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_arrives_over_starttls_and_over_tls_with_a_login() {
    if is_missing() {
        return;
    }
    let postfix = Postfix::start();
    let ways = [
        with_login("smtp", postfix.submission, "?starttls=required"),
        with_login("smtps", postfix.wrapped, ""),
        format!("smtp = \"smtp://localhost:{}?starttls=opportunistic\"", postfix.submission),
    ];
    for (n, way) in ways.iter().enumerate() {
        let daemon = daemon(way, COMPTA).await;
        over_by_a_euro(&daemon, "A", 1);
        let mails = postfix.wait_for(n + 1).await;
        let mail = &mails[n];
        let how = if way.contains("password") { "with ESMTPSA" } else { "with ESMTPS" };
        assert!(mail.contains(how), "{way}: {mail}");
        assert_eq!(header(mail, "Delivered-To:"), "compta@camping.example");
        daemon.until("SELECT outcome FROM acct_deliveries", &["sent"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_about_the_server_and_keeps_the_mail() {
    if is_missing() {
        return;
    }
    let postfix = Postfix::start();
    let smtp = with_login("smtp", postfix.submission, "?starttls=required").replace(PASSWORD, "wrong");
    let daemon = daemon(&smtp, COMPTA).await;
    over_by_a_euro(&daemon, "A", 1);
    let error = "SELECT substr(last_error, 1, 25) FROM acct_deliveries WHERE done_at IS NULL";
    daemon.until(error, &["the server cannot be used"]).await;
    assert!(!daemon.log_text().contains("wrong\""), "no password in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_at_first_for_now_and_for_good_is_told_apart_and_keeps_nobody_else_from_the_mail() {
    if is_missing() {
        return;
    }
    let postfix = Postfix::start();
    let smtp = with_login("smtp", postfix.submission, "?starttls=required");
    for (to, said) in [
        ("later", "greylisted, it is taken later"),
        ("full", "refused for now"),
        ("never", "refused for good"),
    ] {
        let daemon = daemon(&smtp, &format!("\"{to}@camping.example\"")).await;
        over_by_a_euro(&daemon, "A", 1);
        let length = said.len();
        let error =
            format!("SELECT substr(last_error, 1, {length}) FROM acct_deliveries WHERE done_at IS NULL");
        daemon.until(&error, &[said]).await;
        let queue = daemon.run(&["alerts", "queue"]);
        assert!(String::from_utf8_lossy(&queue.stdout).contains(said.split(',').next().expect("words")));
    }
    assert_eq!(postfix.mails().len(), 0);
    let daemon = daemon(&smtp, &format!("{COMPTA}, \"never@camping.example\"")).await;
    over_by_a_euro(&daemon, "A", 1);
    assert_eq!(header(&postfix.wait_for(1).await[0], "Delivered-To:"), "compta@camping.example");
    daemon.until("SELECT outcome FROM acct_deliveries", &["sent"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_cut_off_on_its_way_arrives_once() {
    if is_missing() {
        return;
    }
    let postfix = Postfix::start();
    // After the handshake and the envelope, in the middle of the mail.
    let cable = Cable::to(postfix.submission, Fault::CutAfter(5000)).await;
    let smtp = with_login("smtp", cable.address.port(), "?starttls=required");
    let daemon = daemon(&smtp, COMPTA).await;
    over_by_a_euro(&daemon, "A", 1);
    daemon.until("SELECT attempts > 0 FROM acct_deliveries", &["1"]).await;
    postfix.wait_for_log("lost connection after DATA").await;
    cable.set(Fault::Nothing);
    let mails = postfix.wait_for(1).await;
    daemon.until("SELECT outcome FROM acct_deliveries", &["sent"]).await;
    let sent = daemon.rows("SELECT message_id FROM acct_deliveries");
    assert_eq!(header(&mails[0], "Message-ID:"), format!("<{}>", sent[0]));
    assert_eq!(postfix.mails().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_without_the_server_each_mail_arrives_once() {
    if is_missing() {
        return;
    }
    let postfix = Postfix::start();
    let cable = Cable::to(postfix.plain, Fault::Down).await;
    let settings = format!("to = [{COMPTA}]\nsmtp = \"smtp://{}\"\n", cable.address);
    let daemon = Played::start(&settings, &[]).await;
    for hour in 0..24_u64 {
        daemon.is_at(Duration::from_hours(hour)).await;
        daemon.refused_complement(&format!("R{hour}"), 1000 + hour).await;
    }
    assert_eq!(postfix.mails().len(), 0);
    cable.set(Fault::Nothing);
    daemon.owes_nothing_soon_after(Duration::from_hours(24)).await;
    let told: usize =
        daemon.rows("SELECT COUNT(*) FROM owed WHERE outcome = 'sent'")[0].parse().expect("a number");
    assert_eq!(told, 24);
    let sent: usize = daemon.rows("SELECT COUNT(*) FROM mails")[0].parse().expect("a number");
    let mut ids: Vec<String> =
        postfix.wait_for(sent).await.iter().map(|mail| header(mail, "Message-ID:").to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), postfix.mails().len()), (sent, sent), "none twice");
    daemon.ends().await;
}
