//! What both workers do: say in the log that a message is about to leave, and that it left; note what failed; put the letter
//! together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cvco_domain::{Currency, EndpointId, Mode, News, Way};
use cvco_ledger::{DiscrepancyRow, DueMail, LedgerError};
use cvco_log::entry::{MailAbout, MailItem, Telling, Told};
use cvco_log::{Draft, Log, LogEntry, LogError};
use cvco_mail::{Item, Letter};

use super::mail::SendError;
use super::settings::{Addressees, AlertSettings};
use crate::back_off::{self, BackOff};
use crate::clock::Clock;
use crate::follower::{Followed, Readers};
use crate::telemetry::{MailOutcome, Metrics};

/// What a worker works with.
#[derive(Clone)]
pub struct Desk {
    /// Where intents and departures are written down.
    pub log: Log,
    /// How far the ledger has followed.
    pub followed: Followed,
    /// Where discrepancies are read.
    pub readers: Readers,
    /// The time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// This machine's name, for message ids and the footer.
    pub host: String,
    /// What left and could not be written down yet.
    pub unsaid: Unsaid,
}

/// The last message on each way, where the log does not say yet that it left. It outlives a lead, and no process.
#[derive(Clone, Default)]
pub struct Unsaid(Arc<Mutex<BTreeMap<Way, String>>>);

impl Unsaid {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Way, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why nothing could be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("the message could not be written: {0}")]
    Render(#[from] cvco_mail::RenderError),
    #[error(transparent)]
    Send(#[from] SendError),
}

impl Trouble {
    /// Whether the server itself failed, so that it would fail with any other message too.
    pub(super) const fn is_of_server(&self) -> bool {
        matches!(self, Self::Send(SendError::Unreachable(_)))
    }

    fn back_off(&self) -> BackOff {
        match self {
            Self::Send(SendError::Greylisted(_)) => back_off::GREYLISTED,
            Self::Send(SendError::Temporary(_)) => back_off::REFUSED_FOR_NOW,
            Self::Send(SendError::Permanent(_)) => back_off::REFUSED_FOR_GOOD,
            Self::Send(SendError::Unreachable(_)) | Self::Ledger(_) | Self::Log(_) | Self::Render(_) => {
                back_off::MAIL
            }
        }
    }
}

impl Desk {
    /// Says in the log that a message is about to leave; its id.
    pub(super) async fn intend(&self, way: &Way, about: MailAbout) -> Result<String, Trouble> {
        let first = match &about {
            MailAbout::Anchor(seq) => format!("anchor-{seq}"),
            MailAbout::Week(week) => format!("week-{}", week.until.paris_day()),
            MailAbout::Discrepancies(items) => {
                items.first().map_or_else(String::new, |item| item.discrepancy.to_string())
            }
        };
        let channel = if way.is_mail() { String::new() } else { format!("{way}-") };
        let message_id = format!("cvco-{}-{channel}{first}@{}", self.clock.now().millis(), self.host);
        let telling = Telling { message_id: message_id.clone(), way: way.clone(), about };
        let stamp = self.log.append(Draft::new(&LogEntry::Telling(telling))?).await?;
        self.followed.folded(stamp.seq).await?;
        Ok(message_id)
    }

    /// Says in the log that a message left.
    pub(super) async fn departed(&self, way: &Way, message_id: String) -> Result<(), Trouble> {
        self.count(way, MailOutcome::Sent);
        self.unsaid.all().insert(way.clone(), message_id);
        self.say_what_left(way).await
    }

    /// Says it of the last message on a way, if that could not be said yet. Until then nothing else leaves there: of what the
    /// log does not know the ledger would have the same leave again.
    pub(super) async fn say_what_left(&self, way: &Way) -> Result<(), Trouble> {
        let Some(message_id) = self.unsaid.all().get(way).cloned() else { return Ok(()) };
        let stamp = self.log.append(Draft::new(&LogEntry::Told(Told { message_id }))?).await?;
        self.unsaid.all().remove(way);
        Ok(self.followed.folded(stamp.seq).await?)
    }

    /// Notes that it did not, and when to try again; how long to leave the server alone, if it was the server that failed.
    pub(super) async fn failed(
        &self,
        way: &Way,
        message_id: &str,
        error: &Trouble,
        rest: Option<Duration>,
    ) -> Result<Option<Duration>, Trouble> {
        self.count(way, MailOutcome::Failed);
        let id = message_id.to_owned();
        let before = self.readers.read(move |reader| reader.attempts(&id)).await?;
        let pause = error.back_off().after(before).max(rest.unwrap_or_default());
        let again_at = self.clock.now().after(pause);
        tracing::warn!(mail.id = message_id, %way, %error, %again_at, "a message did not leave; it is tried again");
        self.followed.note_mail(message_id, again_at, error.to_string()).await?;
        Ok(error.is_of_server().then_some(pause))
    }

    fn count(&self, way: &Way, outcome: MailOutcome) {
        if way.is_mail() {
            self.metrics.count_mail(outcome);
        }
    }

    /// What a message says, as things stand now.
    pub(super) async fn letter(
        &self,
        addressees: &Addressees,
        alerts: &AlertSettings,
        due: &DueMail,
    ) -> Result<Letter, LedgerError> {
        let items = due.items.clone();
        let read = self.readers.read(move |reader| {
            let row = |item: &MailItem| {
                let row = reader.discrepancy(item.discrepancy)?;
                let row = row.ok_or(LedgerError::NoDiscrepancy(item.discrepancy.get()))?;
                Ok((item.news, row))
            };
            items.iter().map(row).collect::<Result<Vec<_>, LedgerError>>()
        });
        let item = |(news, row)| item(&addressees.trial_endpoints, news, row);
        Ok(Letter {
            language: alerts.language_of(due.shop.as_ref()),
            shop_name: due.shop.as_ref().map_or_else(|| self.host.clone(), |shop| addressees.shop_name(shop)),
            host: self.host.clone(),
            dashboard: alerts.dashboard.clone(),
            items: read.await?.into_iter().map(item).collect(),
        })
    }
}

/// A discrepancy as mails tell it.
#[must_use]
pub fn item(trial_endpoints: &BTreeSet<EndpointId>, news: News, row: DiscrepancyRow) -> Item {
    let mode = match (row.records.first(), &row.endpoint) {
        (Some(record), _) => record.mode,
        (None, Some(endpoint)) if trial_endpoints.contains(endpoint) => Mode::Test,
        (None, _) => Mode::Production,
    };
    Item {
        news,
        id: row.id.get(),
        kind: row.kind,
        severity: row.severity,
        psp: row.psp,
        endpoint: row.endpoint,
        order_ref: row.order_ref,
        call_number: row.call_number,
        currency: row.records.first().map_or(Currency::EUR, |record| record.currency),
        expected: row.expected,
        actual: row.actual,
        opened_expected: row.opened_expected,
        opened_actual: row.opened_actual,
        detail: row.detail,
        last_error: row.last_error,
        mode,
        opened_at: row.opened_at,
        closed_at: row.closed_at,
        reminded_for: row.reminded_for,
        order: row.order,
        last_note: row.last_note,
        records: row.records,
    }
}
