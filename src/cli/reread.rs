//! `reread`: reads again what was genuine and not understood, from the sealed bytes beside the log.

use std::path::Path;
use std::sync::Arc;

use cvco_domain::crypto::SealKey;
use cvco_domain::{EndpointId, Seq};
use cvco_log::entry::{Reread, Unread};
use cvco_log::{Draft, Envelope, LogEntry, LogError, LogStore, SqliteLog, key_file};
use cvco_mail::Language;
use cvco_psp::{Method, Request};

use super::append::Writer;
use super::output::pair;
use super::site::{Here, Site};
use super::{Failure, Outcome, command_settings, output};
use crate::config::Endpoint;
use crate::listener::understand;

/// So many are looked at together.
const AT_A_TIME: u32 = 1000;

pub(super) fn run(path: &Path) -> Result<Outcome, Failure> {
    let config = command_settings(path, |_| true)?;
    let language = Here::new(path).language()?;
    let mut writer = Writer::open(&config.ledger)?;
    let reader = writer.reader()?;
    let mut log = SqliteLog::open(&config.ledger.log)?;
    let key_path = &config.ledger.payload_key_file;
    let key = key_file::read(key_path)?.ok_or_else(|| LogError::KeyLost(key_path.clone()))?;
    let mut outcome = Outcome::Fine;
    let mut last = Seq::new(0);
    loop {
        let unread = reader.unread(last, AT_A_TIME)?;
        let Some(end) = unread.last() else { break };
        last = *end;
        for seq in unread {
            let fate = read_again(&mut log, &key, &config.endpoints, seq)?;
            let said = fate.said(language);
            if let Fate::Understood(reread) = fate {
                writer.append_one(Draft::new(&LogEntry::Reread(*reread))?)?;
            } else {
                outcome = Outcome::FoundSomething;
            }
            output::line(pair(
                language,
                &format!("entrée {seq} du journal\u{a0}: {said}"),
                &format!("log entry {seq}: {said}"),
            ))?;
        }
    }
    if last == Seq::new(0) {
        output::line(pair(language, "rien n’est resté incompris", "nothing is unread"))?;
    }
    Ok(outcome)
}

/// What becomes of an unread notification.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// It is understood: this is to be appended.
    Understood(Box<Reread>),
    /// It still is not.
    StillUnread(String),
    /// The configuration no longer has its endpoint.
    NoEndpoint(EndpointId),
    /// Its proof fails now: the key that it was proven with is gone from the configuration.
    NotProven(String),
    /// Its bytes were purged.
    Purged,
}

impl Fate {
    fn said(&self, language: Language) -> String {
        let stays = |french: &str, english: &str| {
            let (french, english) =
                (format!("reste incomprise\u{a0}: {french}"), format!("stays unread: {english}"));
            pair(language, &french, &english)
        };
        match self {
            Self::Understood(reread) => match reread.notification.events.len() {
                0 => pair(
                    language,
                    "comprise\u{a0}; elle ne concerne aucun paiement en titres",
                    "understood; it concerns no voucher payment",
                ),
                1 => pair(language, "comprise\u{a0}; elle dit un événement", "understood; it states 1 event"),
                events => pair(
                    language,
                    &format!("comprise\u{a0}; elle dit {events} événements"),
                    &format!("understood; it states {events} events"),
                ),
            },
            Self::StillUnread(why) => stays(why, why),
            Self::NoEndpoint(endpoint) => stays(
                &format!("la configuration n’a plus de point d’entrée {endpoint} tel qu’il était alors"),
                &format!("the configuration has no endpoint {endpoint} as it was then"),
            ),
            Self::NotProven(why) => stays(
                &format!("{why}\u{a0}; ajoutez à la configuration la clé d’alors, et réessayez"),
                &format!("{why}; add the key of that time to the configuration, and try again"),
            ),
            Self::Purged => stays(
                "son contenu a été effacé ([ledger] payload_retention)",
                "its bytes were purged ([ledger] payload_retention)",
            ),
        }
    }
}

fn read_again(
    log: &mut dyn LogStore,
    key: &SealKey,
    endpoints: &[Arc<Endpoint>],
    seq: Seq,
) -> Result<Fate, LogError> {
    let before = Seq::new(seq.get().saturating_sub(1));
    let link = log.read(before, 1)?.pop().filter(|link| link.row.seq == seq);
    let corrupt = |what: &str| LogError::Corrupt { seq, what: what.to_owned() };
    let row = link.ok_or_else(|| corrupt("there is no such entry"))?.row;
    let LogEntry::Unread(Unread { endpoint, origin, .. }) = row.read()?.entry else {
        return Err(corrupt("it is no unread notification"));
    };
    let Some(endpoint) = endpoints.iter().find(|known| known.reference() == endpoint) else {
        return Ok(Fate::NoEndpoint(endpoint.endpoint));
    };
    let (Some(sealed), Some(digest)) = (log.payload(seq)?, &row.payload_sha256) else {
        return Ok(Fate::Purged);
    };
    let envelope = Envelope::open(key, digest, &sealed)?;
    let method = if envelope.method == "GET" { Method::Get } else { Method::Post };
    let headers = headers_of(endpoint, &envelope.headers);
    let request = Request { method, query: &envelope.query, body: &envelope.body, headers: &headers };
    Ok(match understand(endpoint, &request, origin).map(|understood| understood.entry) {
        Ok(LogEntry::Notification(notification)) => {
            Fate::Understood(Box::new(Reread { of: seq, notification }))
        }
        Ok(LogEntry::Unread(unread)) => Fate::StillUnread(unread.what),
        Ok(_) => Fate::StillUnread("it states nothing by itself".to_owned()),
        Err(rejection) => Fate::NotProven(rejection.to_string()),
    })
}

/// The headers that the adapter reads, out of those that were kept: one a line.
fn headers_of(endpoint: &Endpoint, lines: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let header = |line: &[u8]| {
        let names = endpoint.adapter.headers().iter();
        names.copied().find_map(|name| {
            let value = line.strip_prefix(name.as_bytes())?.strip_prefix(b": ")?;
            Some((name, value.to_vec()))
        })
    };
    lines.split(|byte| *byte == b'\n').filter_map(header).collect()
}
