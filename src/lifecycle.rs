//! The service's life: signals in, states out to systemd. Without systemd the latter go nowhere.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use cvco_log::Log;

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd was not told");
    }
}

/// The service takes notifications.
pub fn ready() {
    tell(&[NotifyState::Ready]);
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
    tell(&[NotifyState::Stopping]);
}

/// Feeds systemd's watchdog, if it wants that, as long as the appender answers: an answer that the disk is full shows that
/// nothing hangs, and a restart would not make room. `systemctl status` shows it.
pub async fn watchdog(log: Log, stop: CancellationToken) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        stop.cancelled().await;
        return;
    };
    let mut tick = tokio::time::interval((limit / 2).max(Duration::from_millis(100)));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let status = match log.mark_alive().await {
            Ok(()) => "notifications are stored".to_owned(),
            Err(error) => format!("notifications are NOT stored: {error}"),
        };
        tell(&[NotifyState::Watchdog, NotifyState::Status(&status)]);
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
