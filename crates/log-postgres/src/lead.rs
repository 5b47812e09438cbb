//! Who leads: a row with a date by the server's clock, and no lock that a broken connection would leave behind.

use std::time::Duration;

use cvco_log::{Epoch, LogError};
use tokio::time::Instant;
use tokio_postgres::{Client, Row};

use crate::joined::away;
use crate::session::{PROMPT, Session};
use crate::settings::Settings;

/// A lead that is not renewed is over after this time, by the server's clock.
const LEASE: Duration = Duration::from_secs(15);

/// It is renewed this often.
const RENEWED_EVERY: Duration = Duration::from_secs(5);

/// Its holder trusts it for so long, by its own clock, counted from before the renewal was sent.
const TRUSTED: Duration = Duration::from_secs(12);

/// The lead over the log, as its holder knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lead {
    /// Its number.
    pub epoch: Epoch,
    /// Until when it may be trusted.
    pub until: Instant,
}

impl Lead {
    /// Whether it may still be trusted.
    #[must_use]
    pub fn lasts(&self) -> bool {
        Instant::now() < self.until
    }
}

/// The row of the lease, as it was found.
pub(crate) struct Found {
    holder: String,
    is_over: bool,
}

impl Found {
    /// Reads the columns `holder` and `expires < clock_timestamp()`, which begin at a place.
    pub(crate) fn of(row: &Row, at: usize) -> Result<Self, tokio_postgres::Error> {
        Ok(Self { holder: row.try_get(at)?, is_over: row.try_get(at.saturating_add(1))? })
    }

    /// The machine that leads, if any does.
    pub(crate) fn leader(&self) -> Option<String> {
        let name = self.holder.rsplit_once('/').map_or(self.holder.as_str(), |(name, _)| name);
        (!self.is_over).then(|| name.to_owned())
    }
}

/// What one process does to lead.
pub(crate) struct Candidate {
    settings: Settings,
    lead: Option<Lead>,
    renewed_at: Instant,
}

impl Candidate {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, lead: None, renewed_at: Instant::now() }
    }

    /// The lead, while it may be trusted.
    pub(crate) fn lead(&self) -> Option<Lead> {
        self.lead.filter(Lead::lasts)
    }

    /// Renews the lead, if it is this process's and it is time.
    pub(crate) async fn renew(&mut self, session: &mut Session) -> Result<(), LogError> {
        let Some(lead) = self.lead else { return Ok(()) };
        if self.renewed_at.elapsed() < RENEWED_EVERY {
            return Ok(());
        }
        let (holder, epoch, seconds) = (self.settings.holder.clone(), lead.epoch.get(), seconds(LEASE));
        let sent = Instant::now();
        let renewed = session.run(PROMPT, async |client: &Client| {
            client
                .execute(
                    "UPDATE lease SET expires = clock_timestamp() + make_interval(secs => $3)
                     WHERE name = 'leader' AND holder = $1 AND epoch = $2 AND expires > clock_timestamp()",
                    &[&holder, &epoch, &seconds],
                )
                .await
        });
        if renewed.await.map_err(|trouble| away(&trouble))? == 1 {
            self.renewed_at = sent;
            self.lead = Some(Lead { until: sent + TRUSTED, ..lead });
        } else {
            tracing::warn!(lead.epoch = epoch, "this machine's lead is over");
            self.lead = None;
        }
        Ok(())
    }

    /// Takes the lead if no machine holds it. What the leader before it said is in the log by then.
    pub(crate) async fn take(&mut self, session: &mut Session, found: &Found) -> Result<(), LogError> {
        let is_own = found.holder == self.settings.holder;
        if !(found.is_over || (is_own && self.lead.is_none())) {
            return Ok(());
        }
        let (holder, seconds, fold) =
            (self.settings.holder.clone(), seconds(LEASE), self.settings.fold_version);
        let sent = Instant::now();
        let taken = session.run(PROMPT, async |client: &Client| {
            let taken = client
                .query_opt(
                    "UPDATE lease SET holder = $1, epoch = epoch + 1,
                                      expires = clock_timestamp() + make_interval(secs => $2)
                     WHERE name = 'leader' AND (expires < clock_timestamp() OR holder = $1) RETURNING epoch",
                    &[&holder, &seconds],
                )
                .await?;
            if taken.is_some() {
                client.execute("UPDATE head SET fold_version = $1 WHERE fold_version < $1", &[&fold]).await?;
            }
            taken.map(|row| row.try_get::<_, i64>(0)).transpose()
        });
        if let Some(epoch) = taken.await.map_err(|trouble| away(&trouble))? {
            tracing::info!(lead.epoch = epoch, "this machine leads now");
            self.renewed_at = sent;
            self.lead = Some(Lead { epoch: Epoch::new(epoch), until: sent + TRUSTED });
        }
        Ok(())
    }

    /// Gives the lead up, so that another machine need not wait for its end.
    pub(crate) async fn give_up(&mut self, session: &mut Session) -> Result<(), LogError> {
        let Some(lead) = self.lead.take() else { return Ok(()) };
        let (holder, epoch) = (self.settings.holder.clone(), lead.epoch.get());
        let given = session.run(PROMPT, async |client: &Client| {
            client
                .execute(
                    "UPDATE lease SET expires = '-infinity' WHERE name = 'leader' AND holder = $1 AND epoch = $2",
                    &[&holder, &epoch],
                )
                .await
        });
        given.await.map(drop).map_err(|trouble| away(&trouble))
    }
}

/// As `make_interval` takes it.
#[expect(clippy::cast_precision_loss, reason = "a few seconds")]
fn seconds(span: Duration) -> f64 {
    span.as_secs() as f64
}
