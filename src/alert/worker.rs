//! The worker that mails what the ledger owes. Before an e-mail leaves, the log says so under its message id; after it left,
//! again. So a crash at any point costs at most one repetition of one e-mail, under the same message id.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cvco_domain::{Currency, EndpointId, Mode, News, ShopId, Timestamp};
use cvco_ledger::{DiscrepancyRow, DueAnchor, DueMail, LedgerError, Takings};
use cvco_log::entry::{MailAbout, MailItem, Telling, Told};
use cvco_log::{Draft, Log, LogEntry, LogError};
use cvco_mail::anchor::{self, AnchorLetter, Link, ShopTakings};
use cvco_mail::{Item, Letter, render};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::SendError;
use crate::back_off;
use crate::clock::Clock;
use crate::config::AlertSettings;
use crate::follower::{Followed, Readers};
use crate::telemetry::{MailOutcome, Metrics};

/// What is owed is looked up this often at least: a digest's time may come, or another process may have appended.
const AT_LEAST_EVERY: Duration = Duration::from_secs(30);

/// Between two looks at the ledger: a burst of entries is one piece of news.
const SETTLES_IN: Duration = Duration::from_millis(50);

/// From midnight it ends in the next day, whether that one has 23 hours or 25.
const LONGER_THAN_A_DAY: Duration = Duration::from_hours(36);

/// What the worker goes by, as last loaded.
pub struct Addressees {
    /// `[alerts]`; without it nobody is told.
    pub alerts: Option<AlertSettings>,
    /// The name of each shop for people.
    pub shop_names: Vec<(ShopId, String)>,
    /// The endpoints of trials.
    pub trial_endpoints: BTreeSet<EndpointId>,
}

impl Addressees {
    fn shop_name(&self, id: &ShopId) -> String {
        let known = self.shop_names.iter().find(|(known, _)| known == id);
        known.map_or_else(|| id.to_string(), |(_, name)| name.clone())
    }
}

/// Mails what is owed.
pub struct AlertWorker {
    /// Whom to tell, as last loaded.
    pub addressees: watch::Receiver<Arc<Addressees>>,
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
}

/// Why nothing could be mailed.
#[derive(Debug, thiserror::Error)]
enum MailTrouble {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("the e-mail could not be written: {0}")]
    Render(#[from] cvco_mail::RenderError),
    #[error(transparent)]
    Send(#[from] SendError),
}

impl AlertWorker {
    /// Works until `stop`; an e-mail under way is finished.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => return,
            folded = self.followed.caught_up(&self.log) => if folded.is_err() { return },
        }
        let mut position = self.followed.position();
        loop {
            position.borrow_and_update();
            self.addressees.borrow_and_update();
            let addressees = Arc::clone(&self.addressees.borrow());
            let mut pause = AT_LEAST_EVERY;
            if let Some(alerts) = &addressees.alerts {
                pause = self.send_all(&addressees, alerts, &stop).await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
                changed = position.changed() => if changed.is_err() { return },
                changed = self.addressees.changed() => if changed.is_err() { return },
            }
            tokio::time::sleep(SETTLES_IN).await;
        }
    }

    /// Sends everything that may leave now; how long to wait for the rest.
    async fn send_all(
        &self,
        addressees: &Addressees,
        alerts: &AlertSettings,
        stop: &CancellationToken,
    ) -> Duration {
        loop {
            if stop.is_cancelled() {
                return AT_LEAST_EVERY;
            }
            let mailed = match self.send_next(addressees, alerts).await {
                Ok(true) => Ok(true),
                Ok(false) => self.send_anchor(addressees, alerts).await,
                Err(error) => Err(error),
            };
            match mailed {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::error!(%error, "owed e-mails could not be looked up");
                    return back_off::MAIL.after(0);
                }
            }
        }
        let (now, digest) = (self.clock.now(), alerts.digest);
        let next = self.readers.read(move |reader| reader.next_departure(now, digest)).await;
        let until_next = next.ok().flatten().map_or(AT_LEAST_EVERY, |at| at.since(now));
        until_next.clamp(SETTLES_IN, AT_LEAST_EVERY)
    }

    /// Sends one e-mail, if one is due.
    async fn send_next(&self, addressees: &Addressees, alerts: &AlertSettings) -> Result<bool, MailTrouble> {
        let (now, digest) = (self.clock.now(), alerts.digest);
        let due = self.readers.read(move |reader| reader.next_mail(now, digest)).await?;
        let Some(due) = due else { return Ok(false) };
        let message_id = match &due.message_id {
            Some(message_id) => message_id.clone(),
            None => self.intend(MailAbout::Discrepancies(due.items.clone())).await?,
        };
        let news = due.items.len();
        match self.send(addressees, alerts, &due, &message_id).await {
            Ok(()) => {
                tracing::info!(mail.id = message_id, mail.news = news, "mail sent");
                self.departed(message_id).await?;
            }
            Err(error) => self.failed(&message_id, &error).await?,
        }
        Ok(true)
    }

    /// Mails the anchor that is due, if one is.
    async fn send_anchor(
        &self,
        addressees: &Addressees,
        alerts: &AlertSettings,
    ) -> Result<bool, MailTrouble> {
        let Some(mailer) = &alerts.anchors else { return Ok(false) };
        let now = self.clock.now();
        let Some(due) = self.readers.read(move |reader| reader.next_anchor(now)).await? else {
            return Ok(false);
        };
        let message_id = match &due.message_id {
            Some(message_id) => message_id.clone(),
            None => self.intend(MailAbout::Anchor(due.seq)).await?,
        };
        let sent = async {
            let mail = anchor::render(&self.anchor_letter(addressees, alerts, due).await?)?;
            Ok::<_, MailTrouble>(mailer.send(&mail, &message_id, None, self.clock.now()).await?)
        };
        match sent.await {
            Ok(()) => {
                tracing::info!(mail.id = message_id, "anchor mailed");
                self.departed(message_id).await?;
            }
            Err(error) => self.failed(&message_id, &error).await?,
        }
        Ok(true)
    }

    /// Says in the log that an e-mail is about to leave; its message id.
    async fn intend(&self, about: MailAbout) -> Result<String, MailTrouble> {
        let first = match &about {
            MailAbout::Anchor(seq) => format!("anchor-{seq}"),
            MailAbout::Discrepancies(items) => {
                items.first().map_or_else(String::new, |item| item.discrepancy.to_string())
            }
        };
        let message_id = format!("cvco-{}-{first}@{}", self.clock.now().millis(), self.host);
        let telling = Telling { message_id: message_id.clone(), about };
        let stamp = self.log.append(Draft::new(&LogEntry::Telling(telling))?).await?;
        self.followed.folded(stamp.seq).await?;
        Ok(message_id)
    }

    async fn departed(&self, message_id: String) -> Result<(), MailTrouble> {
        self.metrics.count_mail(MailOutcome::Sent);
        let stamp = self.log.append(Draft::new(&LogEntry::Told(Told { message_id }))?).await?;
        Ok(self.followed.folded(stamp.seq).await?)
    }

    async fn failed(&self, message_id: &str, error: &MailTrouble) -> Result<(), MailTrouble> {
        self.metrics.count_mail(MailOutcome::Failed);
        tracing::warn!(mail.id = message_id, %error, "mail did not leave; it is tried again");
        let id = message_id.to_owned();
        let before = self.readers.read(move |reader| reader.attempts(&id)).await?;
        let again_at = self.clock.now().after(back_off::MAIL.after(before));
        Ok(self.followed.note_mail(message_id, again_at, error.to_string()).await?)
    }

    async fn anchor_letter(
        &self,
        addressees: &Addressees,
        alerts: &AlertSettings,
        due: DueAnchor,
    ) -> Result<AnchorLetter, LedgerError> {
        let damaged = || LedgerError::CorruptRow { table: "anchors", id: due.seq.get() };
        let from = Timestamp::parse_since(&due.first_day).map_err(|_| damaged())?;
        let last = Timestamp::parse_since(&due.day).map_err(|_| damaged())?;
        let until = last.after(LONGER_THAN_A_DAY).paris_midnight();
        let takings = self.readers.read(move |reader| reader.takings(from, until)).await?;
        let shop = |takings: Takings| ShopTakings {
            name: addressees.shop_name(&takings.shop),
            voucher: (takings.voucher, takings.voucher_refunded),
            card: (takings.card, takings.card_refunded),
        };
        let shops = takings.into_iter().map(shop).collect();
        let DueAnchor { seq, hash, first_seq, first_day, day, .. } = due;
        let anchor = Link { seq: seq.get(), hash, first_seq: first_seq.get(), first_day, day };
        Ok(AnchorLetter { language: alerts.language, host: self.host.clone(), anchor, shops })
    }

    async fn send(
        &self,
        addressees: &Addressees,
        alerts: &AlertSettings,
        due: &DueMail,
        message_id: &str,
    ) -> Result<(), MailTrouble> {
        let items = due.items.clone();
        let rows = self.readers.read(move |reader| {
            let row = |item: &MailItem| {
                reader
                    .discrepancy(item.discrepancy)?
                    .ok_or(LedgerError::NoDiscrepancy(item.discrepancy.get()))
            };
            items.iter().map(|item| Ok((item.news, row(item)?))).collect::<Result<Vec<_>, LedgerError>>()
        });
        let letter = Letter {
            language: alerts.language,
            shop_name: due.shop.as_ref().map_or_else(|| self.host.clone(), |shop| addressees.shop_name(shop)),
            host: self.host.clone(),
            items: rows.await?.into_iter().map(|(news, row)| item(addressees, news, row)).collect(),
        };
        let mail = render(&letter)?;
        let now = self.clock.now();
        Ok(alerts.mailer.send(&mail, message_id, due.in_reply_to.as_deref(), now).await?)
    }
}

fn item(addressees: &Addressees, news: News, row: DiscrepancyRow) -> Item {
    let mode = match (row.records.first(), &row.endpoint) {
        (Some(record), _) => record.mode,
        (None, Some(endpoint)) if addressees.trial_endpoints.contains(endpoint) => Mode::Test,
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
        detail: row.detail,
        last_error: row.last_error,
        mode,
        opened_at: row.opened_at,
        closed_at: row.closed_at,
        last_note: row.last_note,
        records: row.records,
    }
}
