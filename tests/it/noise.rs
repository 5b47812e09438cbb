//! No noise and no silence: a storm is a few mails that tell everything, what nobody has seen goes to somebody else, and each
//! channel hears what it is for.

use std::collections::BTreeMap;
use std::time::Duration;

use cvco_trial::mail_sink::{Behaviour, MailSink, ReceivedMail};
use cvco_trial::sandbox::{Canned, Failure, Match, Sandbox};

use crate::support::Played;

const MINUTE: Duration = Duration::from_mins(1);

/// When a part may no longer wait for the other.
const LATER: Duration = Duration::from_secs(2);

async fn mailbox() -> MailSink {
    MailSink::start("127.0.0.1:0".parse().expect("address")).await.expect("mailbox")
}

fn to(mailbox: &MailSink, more: &str) -> String {
    format!("to = [\"compta@camping.example\"]\nsmtp = \"smtp://{}\"\n{more}", mailbox.address())
}

/// The numbers of the discrepancies that a mail tells, in full or in its summary.
fn told(mail: &ReceivedMail) -> Vec<u32> {
    let text = mail.text.as_deref().expect("a text").replace('\u{a0}', " ");
    let numbers = if let Some((_, rest)) = text.split_once("nᵒˢ ") {
        rest.lines().next().expect("numbers").to_owned()
    } else {
        let (_, rest) = text.split_once("Écart n° ").expect("a number");
        rest.split(',').next().expect("a number").to_owned()
    };
    let mut ids = Vec::new();
    for span in numbers.split(", ") {
        let (first, last) = span.split_once('–').unwrap_or((span, span));
        let number = |text: &str| text.trim().parse::<u32>().expect("a number");
        ids.extend(number(first)..=number(last));
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_refused_complements_in_three_seconds_are_at_most_six_mails_with_each_in_one() {
    let mailbox = mailbox().await;
    let daemon = Played::start(&to(&mailbox, ""), &[]).await;
    for n in 0..60_u64 {
        if n % 20 == 0 {
            daemon.is_at(Duration::from_secs(n / 20)).await;
        }
        daemon.refused_complement(&format!("R{n}"), 1000 + n).await;
    }
    daemon.is_at(Duration::from_secs(5)).await;
    mailbox.wait_for(5).await;
    daemon.is_at(2 * MINUTE).await;
    let mails = mailbox.wait_for(6).await;
    daemon.until("SELECT COUNT(*) FROM owed WHERE done_at IS NULL", &["0"]).await;
    assert_eq!(mailbox.mails().len(), 6);
    let mut told_in: BTreeMap<u32, usize> = BTreeMap::new();
    for id in mails.iter().flat_map(told) {
        *told_in.entry(id).or_default() += 1;
    }
    assert_eq!(told_in.len(), 60, "{told_in:?}");
    assert!(told_in.values().all(|mails| *mails == 1), "{told_in:?}");
    daemon.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_urgent_and_unseen_goes_to_somebody_else_who_also_hears_its_end() {
    let mailbox = mailbox().await;
    let settings = "urgent_to = [\"garde@camping.example\"]\nescalate_to = [\"direction@camping.example\"]\n\
                    escalate_after = \"2h\"";
    let daemon = Played::start(&to(&mailbox, settings), &[]).await;
    daemon.refused_complement("A", 77).await;
    daemon.is_at(LATER).await;
    let opened = mailbox.wait_for(1).await.remove(0);
    assert_eq!(opened.to, ["garde@camping.example"], "urgent ones have readers of their own");
    // The two hours begin when that mail has left.
    daemon.until("SELECT outcome FROM owed", &["sent"]).await;
    daemon.is_at(LATER + 119 * MINUTE).await;
    assert_eq!(mailbox.mails().len(), 1);
    daemon.is_at(LATER + 121 * MINUTE).await;
    let escalated = mailbox.wait_for(2).await.remove(1);
    assert_eq!(escalated.to, ["direction@camping.example"]);
    assert!(escalated.subject().starts_with("Sans réponse"), "{}", escalated.subject());
    assert_eq!(escalated.in_reply_to(), opened.message_id());
    // The card part comes after all.
    daemon.up2pay(&crate::support::Up2pay::card("A", 77, 1000)).await;
    let closed = mailbox.wait_for(3).await.remove(2);
    assert_eq!(closed.to, ["garde@camping.example", "direction@camping.example"]);
    assert_eq!(closed.header("References"), opened.message_id());
    assert!(closed.text.as_deref().is_some_and(|text| text.contains("Tout est rentré dans l’ordre")));
    daemon.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_night_only_what_is_urgent_comes() {
    let mailbox = mailbox().await;
    let daemon = Played::start(&to(&mailbox, "quiet = \"11:00-14:00\"\n"), &[]).await;
    daemon.expect_order("OVER", 2000).await;
    daemon.up2pay(&crate::support::Up2pay::voucher("OVER", 1, 1500)).await;
    daemon.up2pay(&crate::support::Up2pay::card("OVER", 1, 1000)).await;
    daemon.refused_complement("A", 77).await;
    daemon.is_at(LATER).await;
    let urgent = mailbox.wait_for(1).await.remove(0);
    assert!(urgent.subject().contains(" A"), "{}", urgent.subject());
    daemon.until("SELECT COUNT(*) FROM owed WHERE done_at IS NULL", &["1"]).await;
    daemon.is_at(119 * MINUTE).await;
    daemon.is_at(120 * MINUTE).await;
    let warning = mailbox.wait_for(2).await.remove(1);
    assert!(warning.subject().contains(" OVER"), "{}", warning.subject());
    daemon.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_ends_with_a_summary() {
    let mailbox = mailbox().await;
    let daemon = Played::start(&to(&mailbox, "weekly = true\n"), &[]).await;
    daemon.refused_complement("A", 77).await;
    daemon.is_at(LATER).await;
    mailbox.wait_for(1).await;
    // The fourteenth of July is a Tuesday: six days later, at seven, it is Monday morning.
    daemon.is_at(Duration::from_hours(5 * 24 + 19)).await;
    let week = mailbox.wait_until(|mails| mails.iter().any(|mail| mail.subject().contains("semaine"))).await;
    let week = week.iter().find(|mail| mail.subject().contains("semaine")).expect("a summary");
    let text = week.text.as_deref().expect("a text").replace('\u{a0}', " ");
    assert!(week.subject().ends_with("semaine du 13/07/2026 au 19/07/2026"), "{}", week.subject());
    for part in ["Camping des Pins", "mar. 14/07 ████████████████████      15,00 €", "1 écart encore ouvert"]
    {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    daemon.ends().await;
}

const SECRET_PATH: &str = "/services/T0/B0/x7Kq92LmZ";

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_hears_what_it_is_for_and_its_failure_delays_no_mail_and_shows_no_url() {
    let mailbox = mailbox().await;
    let sandbox = Sandbox::start("127.0.0.1:0".parse().expect("address")).await.expect("sandbox");
    let settings = "[[alerts.channel]]\nid = \"bureau\"\nkind = \"slack\"\nurl_file = \"slack.url\"\n\
                    severities = [\"urgent\"]\nallow_private = true\n";
    let url = sandbox.url(SECRET_PATH);
    let daemon = Played::start(&to(&mailbox, settings), &[("slack.url", &url)]).await;
    sandbox.fail(Failure::Status(503));
    daemon.expect_order("OVER", 2000).await;
    daemon.up2pay(&crate::support::Up2pay::voucher("OVER", 1, 1500)).await;
    daemon.up2pay(&crate::support::Up2pay::card("OVER", 1, 1000)).await;
    daemon.refused_complement("A", 77).await;
    daemon.is_at(LATER).await;
    mailbox.wait_for(2).await;
    sandbox.wait_for_calls(1).await;
    daemon
        .until(
            "SELECT way, last_error FROM acct_deliveries WHERE done_at IS NULL",
            &["bureau|refused for now: status 503"],
        )
        .await;
    sandbox.recover();
    sandbox.answer(Match::post(SECRET_PATH), Canned::json("{}"));
    daemon.is_at(2 * MINUTE).await;
    daemon.until("SELECT COUNT(*) FROM owed WHERE done_at IS NULL", &["0"]).await;
    let calls = sandbox.calls();
    let body = String::from_utf8_lossy(&calls.last().expect("a call").body).into_owned();
    assert!(body.contains("commande A") && !body.contains("OVER"), "{body}");
    assert_eq!(
        daemon.rows("SELECT way, COUNT(*) FROM owed GROUP BY way ORDER BY way"),
        ["bureau|1", "mail|2"]
    );
    for file in ["log.sqlite", "ledger.sqlite"] {
        let bytes = std::fs::read(daemon.path(file)).expect("a file");
        let secret = b"x7Kq92LmZ";
        assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{file} holds the URL");
    }
    daemon.ends().await;
}

/// An hour without a mail server is one mail of it all, within a minute of its return; a day, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_a_mail_server_loses_and_doubles_nothing() {
    let mailbox = mailbox().await;
    let daemon = Played::start(&to(&mailbox, ""), &[]).await;
    mailbox.set_behaviour(Behaviour::RefuseConnections);
    for hour in 0..24_u64 {
        daemon.is_at(Duration::from_hours(hour)).await;
        daemon.refused_complement(&format!("R{hour}"), 1000 + hour).await;
    }
    mailbox.set_behaviour(Behaviour::Accept);
    daemon.owes_nothing_soon_after(Duration::from_hours(24)).await;
    let mut ids: Vec<u32> = mailbox.mails().iter().flat_map(told).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=24).collect::<Vec<u32>>());
    daemon.ends().await;
}
