//! The worker that mails what the ledger owes: claim, render, send, report back. Its only memory is the ledger's
//! outbox, so a crash at any point costs at most one repetition of one e-mail, under the same message id.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cvco_domain::{Currency, News, Timestamp};
use cvco_mail::anchor::{self, AnchorLetter, Link, ShopTakings};
use cvco_mail::{Item, Letter, render};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::SendError;
use crate::clock::Clock;
use crate::config::{AlertSettings, Config};
use crate::ledger::{Claim, DiscrepancyRow, DueAnchor, Ledger, LedgerError, Reader, Takings};
use crate::telemetry::{MailOutcome, Metrics};

/// How often to look for owed e-mails.
const EVERY: Duration = Duration::from_secs(1);

/// From midnight it ends in the next day, whether that one has 23 hours or 25.
const LONGER_THAN_A_DAY: Duration = Duration::from_hours(36);

/// Mails what is owed.
pub struct AlertWorker {
    /// The settings, as last loaded.
    pub config: watch::Receiver<Arc<Config>>,
    /// Where e-mails are owed.
    pub ledger: Ledger,
    /// Where discrepancies are read.
    pub ledger_path: PathBuf,
    /// The time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// This machine's name, for message ids and the footer.
    pub host: String,
}

/// Why an e-mail was not sent.
#[derive(Debug, thiserror::Error)]
enum MailTrouble {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("the e-mail could not be written: {0}")]
    Render(#[from] cvco_mail::RenderError),
    #[error(transparent)]
    Send(#[from] SendError),
}

impl AlertWorker {
    /// Works until `stop`; an e-mail under way is finished.
    pub async fn run(self, stop: CancellationToken) {
        if let Err(error) = self.ledger.release_mail(self.clock.now()).await {
            tracing::error!(%error, "e-mails that were under way at the last stop wait a little");
        }
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            while !stop.is_cancelled() {
                match self.send_next().await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        tracing::error!(%error, "owed e-mails could not be looked up");
                        break;
                    }
                }
            }
            if let Err(error) = self.send_anchor().await {
                tracing::error!(%error, "the anchor that is due could not be looked up");
            }
        }
    }

    /// Sends one e-mail, if one is due.
    async fn send_next(&self) -> Result<bool, LedgerError> {
        let config = Arc::clone(&self.config.borrow());
        let Some(settings) = &config.alerts else { return Ok(false) };
        let claim = self.ledger.claim_mail(self.clock.now(), settings.digest, self.host.clone()).await?;
        let Some(claim) = claim else { return Ok(false) };
        match self.send(&config, settings, &claim).await {
            Ok(()) => {
                self.metrics.count_mail(MailOutcome::Sent);
                tracing::info!(mail.id = claim.message_id, discrepancies = claim.items.len(), "mail sent");
                self.ledger.mail_sent(self.clock.now(), claim.message_id).await?;
            }
            Err(error) => {
                self.metrics.count_mail(MailOutcome::Failed);
                tracing::warn!(mail.id = claim.message_id, %error, "a mail did not leave; it is tried again");
                self.ledger.mail_failed(self.clock.now(), claim.message_id, error.to_string()).await?;
            }
        }
        Ok(true)
    }

    /// Mails the anchor that is due, if one is.
    async fn send_anchor(&self) -> Result<(), LedgerError> {
        let config = Arc::clone(&self.config.borrow());
        let Some(settings) = &config.alerts else { return Ok(()) };
        let Some(mailer) = &settings.anchors else { return Ok(()) };
        let Some(due) = self.ledger.claim_anchor(self.clock.now(), self.host.clone()).await? else {
            return Ok(());
        };
        let (seq, message_id) = (due.seq, due.message_id.clone());
        let sent = async {
            let mail = anchor::render(&self.anchor_letter(&config, settings, due).await?)?;
            Ok::<_, MailTrouble>(mailer.send(&mail, &message_id, None, self.clock.now()).await?)
        };
        match sent.await {
            Ok(()) => {
                self.metrics.count_mail(MailOutcome::Sent);
                tracing::info!(mail.id = message_id, entry = seq, "anchor mailed");
                self.ledger.anchor_sent(self.clock.now(), seq).await
            }
            Err(error) => {
                self.metrics.count_mail(MailOutcome::Failed);
                tracing::warn!(mail.id = message_id, %error, "an anchor did not leave; it is tried again");
                self.ledger.anchor_failed(self.clock.now(), seq, error.to_string()).await
            }
        }
    }

    async fn anchor_letter(
        &self,
        config: &Config,
        settings: &AlertSettings,
        anchor: DueAnchor,
    ) -> Result<AnchorLetter, LedgerError> {
        let path = self.ledger_path.clone();
        let damaged = || LedgerError::CorruptRow { table: "anchors", id: anchor.seq };
        let from = Timestamp::parse_since(&anchor.first_day).map_err(|_| damaged())?;
        let last = Timestamp::parse_since(&anchor.day).map_err(|_| damaged())?;
        let until = last.after(LONGER_THAN_A_DAY).paris_midnight();
        let takings = tokio::task::spawn_blocking(move || Reader::open(&path)?.takings(from, until))
            .await
            .unwrap_or(Err(LedgerError::Stopped))?;
        let shop = |takings: Takings| ShopTakings {
            name: config.shop_name(&takings.shop).to_owned(),
            voucher: (takings.voucher, takings.voucher_refunded),
            card: (takings.card, takings.card_refunded),
        };
        let shops = takings.into_iter().map(shop).collect();
        let DueAnchor { seq, hash, first_seq, first_day, day, message_id: _ } = anchor;
        let anchor = Link { seq, hash, first_seq, first_day, day };
        Ok(AnchorLetter { language: settings.language, host: self.host.clone(), anchor, shops })
    }

    async fn send(
        &self,
        config: &Config,
        settings: &AlertSettings,
        claim: &Claim,
    ) -> Result<(), MailTrouble> {
        let (path, items) = (self.ledger_path.clone(), claim.items.clone());
        let rows = tokio::task::spawn_blocking(move || look_up(&path, items))
            .await
            .unwrap_or(Err(LedgerError::Stopped))?;
        let letter = Letter {
            language: settings.language,
            shop_name: config.shop_name(&claim.shop).to_owned(),
            host: self.host.clone(),
            items: rows.into_iter().map(|(news, row)| item(news, row)).collect(),
        };
        let mail = render(&letter)?;
        let now = self.clock.now();
        settings.mailer.send(&mail, &claim.message_id, claim.in_reply_to.as_deref(), now).await?;
        Ok(())
    }
}

fn look_up(
    path: &std::path::Path,
    items: Vec<(News, i64)>,
) -> Result<Vec<(News, DiscrepancyRow)>, LedgerError> {
    let reader = Reader::open(path)?;
    items
        .into_iter()
        .map(|(news, id)| {
            let row = reader.discrepancy(id)?.ok_or(LedgerError::NoDiscrepancy(id))?;
            Ok((news, row))
        })
        .collect()
}

fn item(news: News, row: DiscrepancyRow) -> Item {
    let detail = row.particulars();
    Item {
        news,
        id: row.id,
        kind: row.kind,
        severity: row.kind.severity(),
        psp: row.psp,
        endpoint: row.endpoint,
        order_ref: row.order_ref,
        call_number: row.call_number,
        currency: row.record.as_ref().map_or(Currency::EUR, |record| record.currency),
        expected: row.expected,
        actual: row.actual,
        detail,
        opened_at: row.opened_at,
        closed_at: row.closed_at,
        last_note: row.last_note,
        record: row.record,
    }
}
