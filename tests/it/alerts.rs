//! A person is told by e-mail what does not match, once, and told again when it has closed.

use std::collections::BTreeSet;

use cvco_reconciled::mail_sink::{Behaviour, ReceivedMail};

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
    wrong_sum.0.parts[1].amount = cvco_reconciled::domain::Cents::new(3989);
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

#[tokio::test(flavor = "multi_thread")]
async fn wrong_signatures_in_a_burst_are_mailed_with_what_would_have_matched() {
    let daemon = Daemon::start(&Settings { language: "en", ..Settings::default() }).await;
    let call = Sogecommerce::split("A", "abc123", 6000, 3990).0;
    let sha1 =
        call.form(&Sogecommerce::KEY.to_owned().into(), cvco_reconciled::psp::sogecommerce::Algorithm::Sha1);
    for _ in 0..6 {
        assert_eq!(daemon.form(&sha1), 403);
    }
    let mail = daemon.mailbox.wait_for(1).await.remove(0);
    assert!(text(&mail).to_ascii_lowercase().contains("sha-1"), "{}", text(&mail));
    // The key is put right: the first call that verifies closes it.
    assert_eq!(daemon.sogecommerce(&Sogecommerce::split("A", "abc123", 6000, 3990)), 200);
    let closed = daemon.mailbox.wait_for(2).await.remove(1);
    assert_eq!(closed.in_reply_to(), mail.message_id());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_is_kept() {
    let daemon = Daemon::start(&Settings::default()).await;
    daemon.expect_order("A", 2600);
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
    assert!(daemon.out(&["rebuild"]).contains("nothing changed"));
}
