//! The service's life: signals in, states out to systemd. Without systemd the latter go nowhere.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use cvco_log::{Log, LogError};

use crate::follower::{Followed, Readers};

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd was not told");
    }
}

/// The service takes notifications.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// What the service is about, for `systemctl status`.
pub fn status(doing: &str) {
    tell(&[NotifyState::Status(doing)]);
}

/// The service loads its configuration again.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// The service finishes what it has accepted.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("finishing what was accepted")]);
}

/// The status line is renewed this often, and no less often than the watchdog wants.
const STATUS_EVERY: Duration = Duration::from_secs(15);

/// A fold that shows no sign of life for so long hangs. It is far more than the largest close takes: to stop in the middle of
/// one would only begin it again.
const FOLD_HANGS: Duration = Duration::from_mins(10);

/// What the service is seen by.
pub struct Vitals {
    /// Stores notifications.
    pub log: Log,
    /// Folds them.
    pub followed: Followed,
    /// What is open and owed.
    pub readers: Readers,
}

/// Tells systemd what the service is about, and feeds its watchdog, if it wants that, as long as appender and fold give signs
/// of life. An answer that the disk is full is one: a restart would not make room.
pub async fn watchdog(vitals: Vitals, stop: CancellationToken) {
    let limit = sd_notify::watchdog_enabled();
    let every =
        limit.map_or(STATUS_EVERY, |limit| (limit / 3).clamp(Duration::from_millis(100), STATUS_EVERY));
    let mut tick = tokio::time::interval(every);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let stored = vitals.log.mark_alive().await;
        // Without its appender the daemon is none: this part ends, and with it the process.
        if matches!(stored, Err(LogError::Stopped)) {
            return;
        }
        let status = vitals.status(stored.err()).await;
        if limit.is_some() && vitals.followed.silent_for() < FOLD_HANGS {
            tell(&[NotifyState::Watchdog, NotifyState::Status(&status)]);
        } else {
            tell(&[NotifyState::Status(&status)]);
        }
    }
}

impl Vitals {
    async fn status(&self, unstored: Option<LogError>) -> String {
        if let Some(error) = unstored {
            return format!("notifications are NOT stored: {error}");
        }
        let position = *self.followed.position().borrow();
        let head = self.log.changed().borrow().seq;
        let behind = head.get().saturating_sub(position.seq.get());
        let ledger = match (self.followed.trouble(), behind) {
            (Some(trouble), _) => format!("the ledger does NOT follow: {trouble}"),
            (None, _) if self.followed.silent_for() >= FOLD_HANGS => "the ledger's fold hangs".to_owned(),
            (None, 0) => "the ledger is current".to_owned(),
            (None, behind) => format!("{behind} of {head} entries still to fold"),
        };
        let owed = self.readers.read(|reader| Ok((reader.open_discrepancies()?, reader.mails_waiting()?.0)));
        let owed = match owed.await {
            Ok((open, mails)) => format!("; {open} discrepancies open, {mails} e-mails to send"),
            Err(_) => String::new(),
        };
        format!("notifications are stored; {ledger}{owed}")
    }
}

/// Turns signals into messages: SIGTERM and SIGINT cancel `stop`, a second one ends the process at once;
/// SIGHUP asks for a reload.
///
/// # Errors
/// The system gives no signals.
pub fn listen_to_signals(stop: CancellationToken) -> std::io::Result<mpsc::Receiver<()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let (reload, reloads) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hangup.recv() => {
                    if reload.try_send(()).is_err() {
                        tracing::debug!("a reload is under way already");
                    }
                    continue;
                }
            }
            if stop.is_cancelled() {
                tracing::error!("asked to stop a second time: stopping at once");
                std::process::exit(3);
            }
            tracing::info!("stopping: finishing what was accepted");
            stop.cancel();
        }
    });
    Ok(reloads)
}
