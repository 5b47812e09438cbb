use cvco_mail::{Item, Language, trial_mail};
use cvco_trial::sandbox::{Canned, Failure, Match, Sandbox};

use super::*;
use crate::alert::sample::{at, item};

const URL_SECRET: &str = "sig-7c2f9e";

fn message(items: Vec<Item>) -> Message {
    let (shop_name, host) = ("Camping & Pins".to_owned(), "pins.example".to_owned());
    Message::of(
        &Letter { language: Language::French, shop_name, host, dashboard: None, items },
        Some("camping"),
    )
}

fn channel(kind: ChannelKind, url: &str) -> Channel {
    let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    Channel {
        id: Way::new("office").expect("an id"),
        kind,
        url: SecretString::from(url.to_owned()),
        token: (kind == ChannelKind::Ntfy).then(|| SecretString::from("tk_abc")),
        signer: (kind == ChannelKind::Webhook).then(|| Signer::of([&secret]).expect("a secret")),
        allow_private: true,
    }
}

fn call(kind: ChannelKind, items: Vec<Item>) -> Delivery {
    channel(kind, "https://h/x").call(&message(items), "id-1", at("2026-03-01T13:30:00Z"))
}

fn header<'c>(call: &'c Delivery, wanted: &str) -> Option<&'c str> {
    let (_, value) = call.headers.iter().find(|(name, _)| name == wanted)?;
    std::str::from_utf8(value).ok()
}

fn json_of(call: &Delivery) -> Value {
    serde_json::from_slice(&call.body).expect("JSON")
}

#[test]
fn teams_gets_a_card_in_which_no_reference_is_markup() {
    let body = json_of(&call(ChannelKind::Teams, vec![item(17, "A_B[x](http://e)")]));
    let card = &body["attachments"][0]["content"];
    assert_eq!((card["type"].as_str(), card["version"].as_str()), (Some("AdaptiveCard"), Some("1.4")));
    let title = card["body"][0]["text"].as_str().expect("a title");
    assert!(title.contains("A\\_B\\[x\\](http://e)"), "{title}");
    assert_eq!(card["body"][0]["color"], "Attention");
    assert!(card["body"].as_array().is_some_and(|body| body.len() == 4), "{card}");
}

#[test]
fn even_the_longest_message_fits_everywhere() {
    let reference = "é".repeat(250);
    let items: Vec<Item> = (1..=500).map(|id| item(id * 2, &reference)).collect();
    assert!(call(ChannelKind::Teams, items.clone()).body.len() < 28 * 1024);
    assert!(call(ChannelKind::Ntfy, items.clone()).body.len() <= 4096);
    assert!(call(ChannelKind::Slack, items).body.len() < 40_000);
}

#[test]
fn slack_gets_plain_text_with_its_three_letters_escaped() {
    let text = json_of(&call(ChannelKind::Slack, vec![item(17, "<!channel>")]))["text"].clone();
    let text = text.as_str().expect("a text");
    assert!(text.contains("Camping &amp; Pins") && text.contains("&lt;!channel&gt;"), "{text}");
    assert!(text.contains("1\u{a0}234,00\u{a0}€"), "{text}");
}

#[test]
fn ntfy_gets_title_priority_and_token_in_headers_and_the_rest_as_text() {
    let call = call(ChannelKind::Ntfy, vec![item(17, "A")]);
    let title = header(&call, "title").and_then(|title| title.strip_prefix("=?UTF-8?B?")?.strip_suffix("?="));
    let title = STANDARD.decode(title.expect("encoded")).expect("base64");
    assert!(String::from_utf8_lossy(&title).contains("complément échoué"), "{title:?}");
    assert_eq!((header(&call, "priority"), header(&call, "tags")), (Some("5"), Some("rotating_light")));
    assert_eq!(header(&call, "authorization"), Some("Bearer tk_abc"));
    assert!(String::from_utf8_lossy(&call.body).contains("Manque"));
    let closed = Item { news: News::Closed, closed_at: Some(at("2026-03-01T15:00:00Z")), ..item(17, "A") };
    let call = Channel::call(
        &channel(ChannelKind::Ntfy, "https://h/x"),
        &message(vec![closed]),
        "id-2",
        at("2026-03-01T15:00:01Z"),
    );
    assert_eq!((header(&call, "priority"), header(&call, "tags")), (Some("3"), Some("white_check_mark")));
}

#[test]
fn a_webhook_gets_signed_data_with_all_figures() {
    let call = call(ChannelKind::Webhook, vec![item(17, "A")]);
    assert_eq!(header(&call, "webhook-id"), Some("id-1"));
    assert_eq!(header(&call, "webhook-timestamp"), Some("1772371800"));
    assert!(header(&call, "webhook-signature").is_some_and(|signature| signature.starts_with("v1,")));
    let body = json_of(&call);
    assert_eq!(body["type"], "cvco.alert");
    let told = &body["data"]["discrepancies"][0];
    assert_eq!(
        (told["kind"].as_str(), told["order_ref"].as_str(), told["expected_cents"].as_i64()),
        (Some("voucher_orphan"), Some("A"), Some(123_400))
    );
    assert_eq!(body["data"]["shop"], "camping");
}

async fn answered(failure: Option<Failure>, canned: Canned) -> Result<(), (SendError, Option<Duration>)> {
    let sandbox = Sandbox::start("127.0.0.1:0".parse().expect("address")).await.expect("sandbox");
    sandbox.answer(Match::post("/hook"), canned);
    if let Some(failure) = failure {
        sandbox.fail(failure);
    }
    let channel = channel(ChannelKind::Slack, &sandbox.url(&format!("/hook?{URL_SECRET}")));
    let message = Message::test(trial_mail::short(Language::French, None, "host"));
    channel.send(&Client::new(None, TIME_LIMIT), &message, "id", at("2026-03-01T13:30:00Z")).await
}

#[tokio::test]
async fn what_a_channel_answers_says_when_to_try_again_and_shows_no_url() {
    let ok = || Canned::json("{}");
    assert!(answered(None, ok()).await.is_ok());
    for (failure, expected) in [
        (Failure::Status(500), "refused for now: status 500"),
        (Failure::Status(429), "refused for now: status 429"),
        (Failure::Status(404), "refused for good: status 404: its URL is not known there"),
        (Failure::Status(302), "refused for good: status 302: its URL has moved"),
    ] {
        let (error, _) = answered(Some(failure), ok()).await.expect_err("refused");
        assert_eq!(error.to_string(), expected);
    }
    let (error, _) = answered(Some(Failure::Drop), ok()).await.expect_err("cut");
    assert!(matches!(error, SendError::Unreachable(_)) && !error.to_string().contains(URL_SECRET), "{error}");
}

#[test]
fn a_channel_shows_none_of_its_secrets() {
    for kind in ChannelKind::ALL {
        let shown = format!("{:?}", channel(kind, &format!("https://h/{URL_SECRET}")));
        assert!(
            !shown.contains(URL_SECRET) && !shown.contains("tk_abc") && !shown.contains("MfKQ9"),
            "{shown}"
        );
    }
}
