//! Who leads: of several machines with one log, only one mails, relays, asks PSPs and says what time it is. A machine that is
//! alone always leads.

use cvco_log::{Epoch, Log};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lead {
    /// Its number; none where there is no other machine.
    pub epoch: Option<Epoch>,
    /// Until when it may be trusted; none: for as long as the process lives.
    pub until: Option<Instant>,
}

impl Lead {
    /// Of a machine that is alone.
    const ALONE: Self = Self { epoch: None, until: None };

    fn lasts(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }

    /// The log, for what only a leader may say.
    #[must_use]
    pub fn log(&self, log: &Log) -> Log {
        self.epoch.map_or_else(|| log.clone(), |epoch| log.as_leader(epoch))
    }
}

/// Tells whether this machine leads.
#[derive(Clone)]
pub struct Leads(watch::Receiver<Option<Lead>>);

impl Leads {
    /// A machine that is alone.
    #[must_use]
    pub fn alone() -> Self {
        Self(watch::channel(Some(Lead::ALONE)).1)
    }

    /// As somebody else finds out.
    #[must_use]
    pub const fn told(lead: watch::Receiver<Option<Lead>>) -> Self {
        Self(lead)
    }

    /// The lead, if it is this machine's and may be trusted.
    #[must_use]
    pub fn now(&self) -> Option<Lead> {
        self.0.borrow().filter(Lead::lasts)
    }

    /// Returns when this machine leads, with its lead.
    pub async fn begun(&self) -> Lead {
        let mut told = self.0.clone();
        match told.wait_for(|lead| lead.is_some_and(|lead| lead.lasts())).await.map(|lead| *lead) {
            Ok(Some(lead)) => lead,
            // Nobody is left who would tell.
            Ok(None) | Err(_) => match self.now() {
                Some(lead) => lead,
                None => std::future::pending().await,
            },
        }
    }

    /// Returns when a lead is over: by the word of another, or because it was not renewed in time.
    pub async fn over(&self, lead: Lead) {
        let mut told = self.0.clone();
        loop {
            let now = *told.borrow_and_update();
            let Some(until) = now.filter(|now| now.epoch == lead.epoch && now.lasts()) else { return };
            let changed = told.changed();
            let is_gone = match until.until {
                Some(until) => tokio::select! {
                    changed = changed => changed.is_err(),
                    () = tokio::time::sleep_until(until) => false,
                },
                None => changed.await.is_err(),
            };
            if is_gone {
                match until.until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
                return;
            }
        }
    }

    /// A token that is cancelled when the lead is over or `stop` is.
    #[must_use]
    pub fn term(&self, lead: Lead, stop: &CancellationToken) -> CancellationToken {
        let term = stop.child_token();
        let (leads, ends) = (self.clone(), term.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = leads.over(lead) => ends.cancel(),
                () = ends.cancelled() => {}
            }
        });
        term
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn lead(epoch: i64, lasts: Duration) -> Lead {
        Lead { epoch: Some(Epoch::new(epoch)), until: Some(Instant::now() + lasts) }
    }

    const LONG: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn a_lead_is_over_when_it_is_not_renewed_in_time_or_another_begins() {
        let (told, leads) = watch::channel(None);
        let leads = Leads::told(leads);
        assert_eq!(leads.now(), None);
        let first = lead(1, LONG);
        told.send_replace(Some(first));
        assert_eq!(leads.begun().await, first);
        let stop = CancellationToken::new();
        let term = leads.term(first, &stop);
        // Renewed, it is the same lead.
        told.send_replace(Some(lead(1, LONG * 2)));
        tokio::task::yield_now().await;
        assert!(!term.is_cancelled());
        // Not renewed, it ends by itself, whatever is said.
        told.send_replace(Some(lead(1, Duration::from_millis(20))));
        term.cancelled().await;
        assert_eq!(leads.now(), None);
        let third = lead(3, LONG);
        told.send_replace(Some(third));
        assert_eq!(leads.begun().await, third);
        told.send_replace(Some(lead(4, LONG)));
        leads.over(third).await;
    }

    #[tokio::test]
    async fn a_machine_that_is_alone_leads_until_it_stops() {
        let leads = Leads::alone();
        let lead = leads.begun().await;
        let stop = CancellationToken::new();
        let term = leads.term(lead, &stop);
        tokio::task::yield_now().await;
        assert!(!term.is_cancelled());
        stop.cancel();
        term.cancelled().await;
    }
}
