//! A person is told by e-mail what does not match, once, and told again when it has closed.

use std::collections::BTreeSet;
use std::time::Duration;

use cvco_reconciled::clock::Clock;
use cvco_trial::mail_sink::{Behaviour, ReceivedMail};

use crate::support::{Daemon, Settings, Sogecommerce, Up2pay};

fn text(mail: &ReceivedMail) -> &str {
    mail.text.as_deref().expect("a plain text part")
}

fn subjects(mails: &[ReceivedMail]) -> Vec<String> {
    mails.iter().map(|mail| mail.subject().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_complement_is_mailed_and_its_arrival_closes_the_thread() {
    let daemon = Daemon::start(&Settings::default()).await;
    daemon.expect_order("A", 2500);
    assert_eq!(daemon.up2pay(&Up2pay::voucher("A", 77, 1500)), 200);
    let opened = daemon.mailbox.wait_for(1).await.remove(0);
    let subject = opened.subject();
    assert!(
        subject.contains("Camping des Pins") && subject.contains("10,00") && subject.contains('A'),
        "{subject}"
    );
    for figure in ["15,00", "25,00", "10,00", "77"] {
        assert!(text(&opened).contains(figure), "{figure} in\n{}", text(&opened));
    }

    assert_eq!(daemon.up2pay(&Up2pay::card("A", 77, 1000)), 200);
    let closed = daemon.mailbox.wait_for(2).await.remove(1);
    assert!(closed.subject().starts_with("Résolu"), "{}", closed.subject());
    assert_eq!(closed.in_reply_to(), opened.message_id());
    assert_eq!(
        daemon
            .rows("SELECT kind, expected_cents, actual_cents, closed_at IS NOT NULL FROM acct_discrepancies"),
        ["complement_missing|2500|1500|1"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_does_not_match_is_one_mail() {
    let daemon = Daemon::start(&Settings { language: "en", ..Settings::default() }).await;
    for (reference, total) in [("SHORT", 2600), ("ORPHAN", 2500), ("TWICE", 1500)] {
        daemon.expect_order(reference, total);
    }
    daemon.up2pay(&Up2pay::voucher("SHORT", 1, 1500));
    daemon.up2pay(&Up2pay::card("SHORT", 1, 1000));
    daemon.up2pay(&Up2pay::voucher("ORPHAN", 2, 1500));
    daemon.up2pay(&Up2pay::card("ORPHAN", 2, 1000).refused());
    daemon.up2pay(&Up2pay::voucher("TWICE", 3, 1500));
    daemon.up2pay(&Up2pay::voucher("TWICE", 4, 1500));
    let mut wrong_sum = Sogecommerce::split("SUM", "sum001", 6000, 3990);
    wrong_sum.0.parts[1].amount = cvco_domain::Cents::new(3989);
    daemon.sogecommerce(&wrong_sum);
    let mails = daemon.mailbox.wait_for(4).await;
    let about: BTreeSet<&str> = ["SHORT", "ORPHAN", "TWICE", "SUM"]
        .into_iter()
        .filter(|order| mails.iter().any(|mail| mail.subject().contains(order)))
        .collect();
    assert_eq!(about.len(), 4, "{:?}", subjects(&mails));
    assert_eq!(
        daemon.rows("SELECT kind, order_ref FROM acct_discrepancies ORDER BY 1"),
        ["amount_short|SHORT", "double_payment|TWICE", "sequence_disagrees|SUM", "voucher_orphan|ORPHAN"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_could_not_leave_survives_a_kill_and_leaves_once() {
    let mut daemon = Daemon::start(&Settings::default()).await;
    daemon.mailbox.set_behaviour(Behaviour::RefuseConnections);
    daemon.expect_order("A", 2600);
    daemon.up2pay(&Up2pay::voucher("A", 1, 1500));
    daemon.up2pay(&Up2pay::card("A", 1, 1000));
    daemon.kill();
    daemon.mailbox.set_behaviour(Behaviour::Accept);
    daemon.restart();
    daemon.mailbox.wait_for(1).await;
    // What comes later is mailed later: if the first were sent twice, it would stand between them.
    daemon.expect_order("B", 2600);
    daemon.up2pay(&Up2pay::voucher("B", 2, 1500));
    daemon.up2pay(&Up2pay::card("B", 2, 1000));
    let mails = daemon.mailbox.wait_for(2).await;
    assert!(mails[0].subject().contains(" A") && mails[1].subject().contains(" B"), "{:?}", subjects(&mails));
}

/// The server has said that it has the mail, and the log does not know it yet: the mail leaves once more, as the same one.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_the_servers_word_and_the_log_costs_one_repetition_under_the_same_id() {
    let mut daemon = patient().await;
    daemon.mailbox.set_behaviour(Behaviour::HoldAnswer);
    over_by_a_euro(&daemon, "A", 1);
    daemon.mailbox.wait_for(1).await;
    // Who else writes to the log keeps the daemon from writing.
    let log = rusqlite::Connection::open(daemon.path("log.sqlite")).expect("log");
    log.execute_batch("BEGIN IMMEDIATE").expect("locked");
    daemon.mailbox.set_behaviour(Behaviour::Accept);
    daemon.wait_for_log("mail sent");
    daemon.kill();
    log.execute_batch("ROLLBACK").expect("unlocked");
    drop(log);
    daemon.restart();
    let mails = daemon.mailbox.wait_for(2).await;
    assert_eq!(mails[0].message_id(), mails[1].message_id());
    daemon.until("SELECT COUNT(*) FROM owed WHERE done_at IS NULL", &["0"]).await;
    assert_eq!(daemon.mailbox.mails().len(), 2);
    assert!(is_right(&daemon));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_gets_alerts_is_named_to_the_others() {
    let mut daemon = patient().await;
    daemon.rewrite_configuration(|text| {
        text.replace(
            "[\"compta@camping.example\"]",
            "[\"compta@camping.example\", \"marie@camping.example\"]",
        )
    });
    daemon.kill();
    daemon.restart();
    daemon.mailbox.set_behaviour(Behaviour::RefuseRecipient("compta@camping.example".to_owned()));
    over_by_a_euro(&daemon, "A", 1);
    let mails = daemon.mailbox.wait_for(2).await;
    let about_it = mails.iter().find(|mail| mail.subject().contains("destinataire refusé")).expect("a mail");
    assert_eq!(about_it.to, ["marie@camping.example"]);
    assert!(text(about_it).contains("compta@camping.example") && text(about_it).contains("no such mailbox"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_listed_and_a_test_says_whether_it_arrives() {
    let daemon = patient().await;
    daemon.mailbox.set_behaviour(Behaviour::RefuseRecipient("compta@camping.example".to_owned()));
    over_by_a_euro(&daemon, "A", 1);
    let failed = "SELECT last_error IS NOT NULL FROM acct_deliveries";
    daemon.until(failed, &["1"]).await;
    let queue = daemon.run(&["alerts", "queue"]);
    let text = String::from_utf8_lossy(&queue.stdout).into_owned();
    assert_eq!(queue.status.code(), Some(1), "something is stuck");
    assert!(text.contains("refused for good") && text.contains("mail"), "{text}");
    let tried = daemon.run(&["alerts", "test"]);
    assert_eq!(tried.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&tried.stdout).starts_with("PAS pris\u{a0}: compta@camping.example"));
    daemon.rewrite_configuration(|text| {
        text.replace(
            "[\"compta@camping.example\"]",
            "[\"compta@camping.example\", \"marie@camping.example\"]",
        )
    });
    let one_of_two = daemon.run(&["alerts", "test"]);
    assert_eq!(one_of_two.status.code(), Some(1));
    let text = String::from_utf8_lossy(&one_of_two.stdout).into_owned();
    assert!(
        text.contains("pris\u{a0}: marie@camping.example\n")
            && text.contains("PAS pris\u{a0}: compta@camping.example"),
        "{text}"
    );
    daemon.rewrite_configuration(|text| text.replace(", \"marie@camping.example\"]", "]"));
    daemon.mailbox.set_behaviour(Behaviour::Accept);
    let arrived = daemon.out(&["alerts", "test", "--shop", "camping"]);
    assert_eq!(arrived, "pris\u{a0}: compta@camping.example\n");
    let mail = daemon.mailbox.wait_for(2).await.remove(1);
    assert!(
        mail.subject().contains("essai") && mail.subject().contains("Camping des Pins"),
        "{}",
        mail.subject()
    );
    assert_eq!(daemon.run(&["alerts", "test", "--channel", "nobody"]).status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_signatures_in_a_burst_are_mailed_with_what_would_have_matched() {
    let daemon = Daemon::start(&Settings::default()).await;
    let call = Sogecommerce::split("A", "abc123", 6000, 3990).0;
    let sha1 = call.form(&Sogecommerce::KEY.to_owned().into(), cvco_psp::sogecommerce::Algorithm::Sha1);
    for _ in 0..6 {
        assert_eq!(daemon.form(&sha1), 403);
    }
    let mail = daemon.mailbox.wait_for(1).await.remove(0);
    assert!(text(&mail).contains("la signature conviendrait avec SHA-1"), "{}", text(&mail));
    // The key is put right: the first call that verifies closes it.
    assert_eq!(daemon.sogecommerce(&Sogecommerce::split("A", "abc123", 6000, 3990)), 200);
    let closed = daemon.mailbox.wait_for(2).await.remove(1);
    assert_eq!(closed.in_reply_to(), mail.message_id());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_is_kept() {
    let daemon = Daemon::start(&Settings::default()).await;
    daemon.expect_order("A", 2400);
    daemon.up2pay(&Up2pay::voucher("A", 1, 1500));
    daemon.up2pay(&Up2pay::card("A", 1, 1000));
    let listed: serde_json::Value =
        serde_json::from_str(&daemon.out(&["alerts", "list", "--format", "json"])).expect("JSON");
    let id = listed[0]["id"].to_string();
    daemon.out(&["alerts", "ack", &id, "--note", "client rappelé"]);
    assert_eq!(daemon.rows("SELECT acked_note FROM acct_discrepancies"), ["client rappelé"]);
    assert_eq!(daemon.run(&["alerts", "ack", "999", "--note", "x"]).status.code(), Some(3));
    let escape = daemon.run(&["alerts", "ack", &id, "--note", "\u{1b}[2J"]);
    assert_eq!(escape.status.code(), Some(2), "other people's terminals will show it");
    assert!(daemon.out(&["rebuild"]).contains("rien n’a changé"));
}

/// Snoozes until an instant about a second ahead, or as soon as this machine can: the command must be done by then.
fn snooze_briefly(daemon: &Daemon, id: &str) {
    for seconds in [1, 2, 4, 8, 16] {
        let until = Clock::system().now().after(Duration::from_secs(seconds)).to_string();
        if daemon
            .run(&["alerts", "snooze", id, "--until", &until, "--note", "attend le virement"])
            .status
            .success()
        {
            return;
        }
    }
    panic!("no snooze was taken");
}

/// So many days from now, as people write a date.
fn days_ahead(days: u64) -> String {
    Clock::system().now().after(Duration::from_hours(24 * days)).paris_day().to_string()
}

fn is_right(daemon: &Daemon) -> bool {
    daemon.out(&["verify"]).starts_with("tout est juste")
        && daemon.out(&["rebuild"]).contains("rien n’a changé")
}

/// A daemon that does not miss the card part however slow this machine is.
async fn patient() -> Daemon {
    Daemon::start(&Settings { complement_grace: "1h", ..Settings::default() }).await
}

/// A card part that is too large: told at once, as what is missing may still come is not.
fn over_by_a_euro(daemon: &Daemon, reference: &str, call: u64) {
    daemon.expect_order(reference, 2400);
    daemon.up2pay(&Up2pay::voucher(reference, call, 1500));
    daemon.up2pay(&Up2pay::card(reference, call, 1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snooze_ends_with_a_reminder_in_the_thread_and_survives_a_kill() {
    for kill in [false, true] {
        let mut daemon = patient().await;
        over_by_a_euro(&daemon, "A", 1);
        let opened = daemon.mailbox.wait_for(1).await.remove(0);
        assert!(text(&opened).contains("alerts snooze 1 --until"), "{}", text(&opened));
        snooze_briefly(&daemon, "1");
        if kill {
            daemon.kill();
            daemon.restart();
        }
        let reminder = daemon.mailbox.wait_for(2).await.remove(1);
        assert_eq!(reminder.subject(), format!("Rappel\u{a0}: {}", opened.subject()));
        assert_eq!(reminder.in_reply_to(), opened.message_id());
        assert!(text(&reminder).contains("attend le virement"), "{}", text(&reminder));
        assert_eq!(daemon.rows("SELECT snoozed_until, closed_at FROM acct_discrepancies"), ["|"]);
        assert!(is_right(&daemon));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_snoozed_is_out_of_the_list_and_out_of_mind_until_it_closes() {
    let daemon = patient().await;
    over_by_a_euro(&daemon, "A", 1);
    over_by_a_euro(&daemon, "B", 2);
    daemon.mailbox.wait_for(2).await;
    daemon.out(&["alerts", "snooze", "1", "--until", &days_ahead(30)]);
    let listed = |options: &[&str]| -> Vec<i64> {
        let json = daemon.out(&[&["alerts", "list", "--format", "json"], options].concat());
        let rows: Vec<serde_json::Value> = serde_json::from_str(&json).expect("JSON");
        rows.iter().filter_map(|row| row["id"].as_i64()).collect()
    };
    assert_eq!(listed(&[]), [2]);
    assert_eq!(listed(&["--snoozed"]), [1]);
    assert_eq!(listed(&["--all"]), [2, 1]);
    let table = daemon.out(&["alerts", "list"]);
    assert!(table.trim_end().lines().last().is_some_and(|line| line.starts_with("1 en veille")), "{table}");
    assert!(!daemon.out(&["alerts", "list", "--all"]).contains("1 en veille"));
    // The total was wrong: the closing is told, and nothing else.
    daemon.expect_order("A", 2500);
    daemon.mailbox.wait_until(|mails| mails.iter().any(|mail| mail.subject().starts_with("Résolu"))).await;
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM owed WHERE news = 'reminded'"), ["0"]);
    assert!(is_right(&daemon));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_filtered_and_the_story_tells_each_act_in_its_place() {
    let daemon = patient().await;
    over_by_a_euro(&daemon, "A", 1);
    over_by_a_euro(&daemon, "B", 2);
    daemon.expect_order("C", 1500);
    daemon.up2pay(&Up2pay::voucher("C", 3, 1500));
    daemon.up2pay(&Up2pay::voucher("C", 4, 1500));
    daemon.mailbox.wait_for(3).await;

    assert_eq!(daemon.run(&["alerts", "ack", "1", "99", "--note", "x"]).status.code(), Some(3));
    assert_eq!(daemon.rows("SELECT COUNT(*) FROM acct_acknowledgements"), ["0"], "all or none");
    daemon.out(&["alerts", "ack", "1", "2", "--note", "client rappelé"]);
    daemon.out(&["alerts", "note", "2", "--note", "ne répond pas"]);
    daemon.out(&["alerts", "withdraw", "2"]);
    daemon.out(&["alerts", "snooze", "3", "--until", &days_ahead(7)]);
    daemon.out(&["alerts", "withdraw", "3", "--note", "par erreur"]);
    let csv = |options: &[&str]| daemon.out(&[&["alerts", "list", "--format", "csv"], options].concat());
    let ids = |options: &[&str]| -> Vec<String> {
        csv(options).lines().skip(1).filter_map(|line| line.split(';').next().map(str::to_owned)).collect()
    };
    assert_eq!(ids(&["--unacked"]), ["3", "2"]);
    assert_eq!(ids(&["--kind", "amount_over"]), ["2", "1"]);
    assert_eq!(ids(&["--severity", "urgent"]), ["3"]);
    assert_eq!(ids(&["--shop", "camping", "--limit", "1"]), ["3"]);
    let nobody = daemon.run(&["alerts", "list", "--shop", "hotel"]);
    let said = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert!(nobody.status.code() == Some(2) && said.contains("pas de boutique hotel"), "{said}");
    assert!(csv(&[]).contains("client rappelé") && csv(&[]).contains("ne répond pas"), "{}", csv(&[]));

    let story = daemon.out(&["record", "B"]);
    let place = |what: &str| story.find(what).unwrap_or_else(|| panic!("{what} in\n{story}"));
    assert!(place("commande enregistrée") < place("écart n°\u{a0}2 marqué comme traité par"));
    assert!(place("client rappelé") < place("écart n°\u{a0}2 annoté par"));
    assert!(place("\u{a0}: ne répond pas") < place("écart n°\u{a0}2 remis dans la liste à traiter par"));
    assert_eq!(
        daemon.rows("SELECT act, discrepancy_id, note FROM acct_acknowledgements ORDER BY seq"),
        [
            "acknowledged|1|client rappelé",
            "acknowledged|2|client rappelé",
            "noted|2|ne répond pas",
            "withdrawn|2|",
            "snoozed|3|",
            "withdrawn|3|par erreur",
        ]
    );
    assert!(is_right(&daemon));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_that_is_past_or_too_far_is_refused() {
    let daemon = patient().await;
    over_by_a_euro(&daemon, "A", 1);
    for until in ["2020-01-01", "soon", &days_ahead(1000)] {
        assert_eq!(
            daemon.run(&["alerts", "snooze", "1", "--until", until]).status.code(),
            Some(2),
            "{until}"
        );
    }
    daemon.expect_order("A", 2500);
    let closed = daemon.run(&["alerts", "snooze", "1", "--until", &days_ahead(1)]);
    assert_eq!(closed.status.code(), Some(3), "it has closed");
    daemon.out(&["alerts", "note", "1", "--note", "le total était faux"]);
    assert_eq!(daemon.rows("SELECT last_note FROM acct_discrepancies WHERE id = 1"), ["le total était faux"]);
}
