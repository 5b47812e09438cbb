//! Channels beside e-mail: one HTTP call for each message. What differs between them is the body alone. A channel's URL is a
//! secret: who knows it can write there. It is in no log, no error and no output.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cvco_domain::{News, Psp, Timestamp, UnknownWord, Way};
use cvco_mail::{Letter, ShortMessage, short};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::mail::SendError;
use crate::outbound::{Client, Delivery, Reply, Signer};

/// How long a channel may take to answer.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(15);

/// The longest rest that a channel may ask for.
const LONGEST_REST: Duration = Duration::from_hours(6);

/// The longest text that ntfy shows as text, less what a last line needs.
const NTFY_BYTES: usize = 3900;

/// Teams takes 28 KB; the card around the text is small.
const TEXT_BYTES: usize = 16_000;

/// What speaks at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKind {
    /// A workflow of Microsoft Teams.
    Teams,
    /// An incoming webhook of Slack; Mattermost and Rocket.Chat take the same.
    Slack,
    /// A topic of ntfy.
    Ntfy,
    /// Signed JSON, as Standard Webhooks has it.
    Webhook,
}

impl ChannelKind {
    const ALL: [Self; 4] = [Self::Teams, Self::Slack, Self::Ntfy, Self::Webhook];

    /// The name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Teams => "teams",
            Self::Slack => "slack",
            Self::Ntfy => "ntfy",
            Self::Webhook => "webhook",
        }
    }
}

impl FromStr for ChannelKind {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownWord::new(text, "teams, slack, ntfy, webhook"))
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `[[alerts.channel]]`. What it shows of itself holds no secret.
#[derive(Debug, Clone)]
pub struct Channel {
    /// Its id in log and ledger.
    pub id: Way,
    /// What speaks there.
    pub kind: ChannelKind,
    /// Where it is.
    pub url: SecretString,
    /// What ntfy wants to see.
    pub token: Option<SecretString>,
    /// Signs what a webhook gets.
    pub signer: Option<Signer>,
    /// It may be on this host or its network.
    pub allow_private: bool,
}

/// One message, in words and as data.
#[derive(Debug, Clone)]
pub struct Message {
    words: ShortMessage,
    /// What is new is good news alone.
    is_over: bool,
    /// It has nothing to tell but that it arrived.
    is_test: bool,
    data: Value,
}

impl Message {
    /// What a letter says.
    #[must_use]
    pub fn of(letter: &Letter, shop: Option<&str>) -> Self {
        let words = short(letter);
        let discrepancy = |item: &cvco_mail::Item| {
            json!({
                "id": item.id,
                "news": item.news.as_str(),
                "kind": item.kind.as_str(),
                "severity": item.severity.as_str(),
                "mode": item.mode.as_str(),
                "psp": item.psp.map(Psp::as_str),
                "endpoint": item.endpoint.as_ref().map(ToString::to_string),
                "order_ref": item.order_ref.as_ref().map(ToString::to_string),
                "call_number": item.call_number.as_ref().map(ToString::to_string),
                "currency": item.currency.as_str(),
                "expected_cents": item.expected,
                "actual_cents": item.actual,
                "opened_at": item.opened_at,
                "closed_at": item.closed_at,
            })
        };
        let discrepancies: Vec<Value> = letter.items.iter().map(discrepancy).collect();
        let data = json!({
            "title": words.title, "lines": words.lines, "urgent": words.urgent, "shop": shop,
            "language": letter.language.as_str(), "discrepancies": discrepancies,
        });
        let is_over = letter.items.iter().all(|item| item.news == News::Closed);
        Self { words, is_over, is_test: false, data }
    }

    /// A message that has nothing to tell but that it arrived.
    #[must_use]
    pub fn test(words: ShortMessage) -> Self {
        let data =
            json!({ "title": words.title, "lines": words.lines, "urgent": false, "discrepancies": [] });
        Self { words, is_over: false, is_test: true, data }
    }

    fn text(&self, most: usize) -> String {
        let mut text = String::new();
        for line in &self.words.lines {
            if text.len().saturating_add(line.len()).saturating_add(1) > most {
                text.push('…');
                break;
            }
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(line);
        }
        text
    }
}

impl Channel {
    /// Sends a message. `id` stays the same over all attempts.
    ///
    /// # Errors
    /// The channel did not take it; and how long it wants to be left alone.
    pub async fn send(
        &self,
        client: &Client,
        message: &Message,
        id: &str,
        at: Timestamp,
    ) -> Result<(), (SendError, Option<Duration>)> {
        let call = self.call(message, id, at);
        match client.deliver(&call).await {
            Ok(reply) => judge(&reply),
            Err(failure) => Err((SendError::Unreachable(failure.to_string()), None)),
        }
    }

    fn call(&self, message: &Message, id: &str, at: Timestamp) -> Delivery {
        let mut headers = vec![("user-agent".to_owned(), b"cvco-reconciled".to_vec())];
        let json = ("content-type".to_owned(), b"application/json".to_vec());
        let body = match self.kind {
            ChannelKind::Teams => {
                headers.push(json);
                teams(message).to_string().into_bytes()
            }
            ChannelKind::Slack => {
                headers.push(json);
                slack(message).to_string().into_bytes()
            }
            ChannelKind::Ntfy => {
                headers.extend(ntfy_headers(message));
                if let Some(token) = &self.token {
                    let value = format!("Bearer {}", token.expose_secret());
                    headers.push(("authorization".to_owned(), value.into_bytes()));
                }
                message.text(NTFY_BYTES).into_bytes()
            }
            ChannelKind::Webhook => {
                headers.push(json);
                let kind = if message.is_test { "cvco.test" } else { "cvco.alert" };
                let body =
                    json!({ "type": kind, "timestamp": at, "data": message.data }).to_string().into_bytes();
                headers.extend(self.signer.iter().flat_map(|signer| signer.headers(id, at, &body)));
                body
            }
        };
        Delivery {
            is_post: true,
            url: self.url.expose_secret().to_owned(),
            host: None,
            headers,
            body,
            allow_private: self.allow_private,
        }
    }
}

/// A workflow answers 202. What it refuses with 429 or 5xx it may take later.
fn judge(reply: &Reply) -> Result<(), (SendError, Option<Duration>)> {
    let rest = reply.retry_after.map(|rest| rest.min(LONGEST_REST));
    match reply.status {
        200..=299 => Ok(()),
        300..=399 => Err((SendError::Permanent(format!("status {}: its URL has moved", reply.status)), rest)),
        408 | 425 | 429 | 500..=599 => Err((SendError::Temporary(format!("status {}", reply.status)), rest)),
        404 | 410 => {
            Err((SendError::Permanent(format!("status {}: its URL is not known there", reply.status)), rest))
        }
        401 | 403 => {
            Err((SendError::Permanent(format!("status {}: it does not let us in", reply.status)), rest))
        }
        status => Err((SendError::Permanent(format!("status {status}")), rest)),
    }
}

/// An Adaptive Card. Its texts know a little Markdown, which a reference must not use.
fn teams(message: &Message) -> Value {
    let plain = |text: &str| {
        text.chars().fold(String::new(), |mut plain, letter| {
            if matches!(letter, '\\' | '*' | '_' | '[' | ']' | '`' | '#' | '<') {
                plain.push('\\');
            }
            plain.push(letter);
            plain
        })
    };
    let colour = match (message.words.urgent, message.is_over) {
        (true, _) => "Attention",
        (false, true) => "Good",
        (false, false) => "Default",
    };
    let title = json!({
        "type": "TextBlock", "text": plain(&message.words.title), "weight": "Bolder", "wrap": true, "color": colour,
    });
    let text = message.text(TEXT_BYTES);
    let lines = text.lines().map(|line| json!({ "type": "TextBlock", "text": plain(line), "wrap": true }));
    let body: Vec<Value> = std::iter::once(title).chain(lines).collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard", "version": "1.4", "body": body,
            },
        }],
    })
}

/// "You need to escape three characters": `&`, `<` and `>`.
fn slack(message: &Message) -> Value {
    let text = format!("{}\n{}", message.words.title, message.text(TEXT_BYTES));
    json!({ "text": text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;") })
}

/// A header holds ASCII; ntfy reads others as RFC 2047 has it.
fn ntfy_headers(message: &Message) -> [(String, Vec<u8>); 3] {
    let words = &message.words;
    let (priority, tag) = match (words.urgent, message.is_over, words.trial) {
        (true, _, _) => ("5", "rotating_light"),
        (false, true, _) => ("3", "white_check_mark"),
        (false, false, true) => ("2", "test_tube"),
        (false, false, false) => ("3", "warning"),
    };
    let title = format!("=?UTF-8?B?{}?=", STANDARD.encode(&words.title));
    [
        ("title".to_owned(), title.into_bytes()),
        ("priority".to_owned(), priority.as_bytes().to_vec()),
        ("tags".to_owned(), tag.as_bytes().to_vec()),
    ]
}

#[cfg(test)]
mod tests;
