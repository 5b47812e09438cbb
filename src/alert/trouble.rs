//! Tells people of trouble of the daemon itself. These e-mails need neither log nor ledger: a full disk is just what they
//! are about.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cvco_domain::Timestamp;
use cvco_mail::trouble::{Trouble, TroubleLetter, render};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Addressees, Delivery};
use crate::clock::Clock;
use crate::fault::Note;
use crate::follower::Followed;

/// Trouble that is over within this time is not told.
const PATIENCE: Duration = Duration::from_secs(15);

/// Trouble that lasts is told again this often.
const AGAIN: Duration = Duration::from_hours(1);

/// An address that is refused is told again this often.
const REFUSED_AGAIN: Duration = Duration::from_hours(7 * 24);

/// How often trouble is looked for.
const EVERY: Duration = Duration::from_secs(5);

/// Watches the daemon's own health, and mails what is wrong.
pub struct TroubleWorker {
    /// Whom to tell, as last loaded.
    pub addressees: watch::Receiver<Arc<Addressees>>,
    /// Why the log cannot be written, if it cannot.
    pub log_trouble: watch::Receiver<Option<String>>,
    /// Why the certificate of the public address is not renewed, if it should be.
    pub certificate_trouble: watch::Receiver<Option<String>>,
    /// What of the program itself failed, and nobody was told of.
    pub fault: Note,
    /// Who never gets e-mails, and the server's words.
    pub refused: watch::Receiver<BTreeMap<String, String>>,
    /// What keeps the ledger from following.
    pub followed: Followed,
    /// The time.
    pub clock: Clock,
    /// This machine's name.
    pub host: String,
}

/// What is wrong, since when, and when it was last told.
struct Case {
    trouble: Trouble,
    detail: String,
    since: Timestamp,
    told_at: Option<Timestamp>,
}

impl TroubleWorker {
    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut case: Option<Case> = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            let now = self.clock.now();
            let Some((trouble, detail)) = self.look() else {
                case = None;
                continue;
            };
            let is_known = |known: &Case| {
                // One more of them is news.
                known.trouble == trouble && (trouble != Trouble::RecipientRefused || known.detail == detail)
            };
            let mut known = match case.take().filter(is_known) {
                Some(known) => known,
                None => Case { trouble, detail: detail.clone(), since: now, told_at: None },
            };
            // Who is refused for good was so at once, and the others are told of what matters meanwhile.
            let (patience, again) = match trouble {
                Trouble::RecipientRefused => (Duration::ZERO, REFUSED_AGAIN),
                Trouble::NothingStored
                | Trouble::LedgerBehind
                | Trouble::ReaderHoldsLedger
                | Trouble::CertificateNotRenewed
                | Trouble::ProgramFault => (PATIENCE, AGAIN),
            };
            let is_due = known.told_at.is_none_or(|at| now.since(at) >= again);
            if is_due && now.since(known.since) >= patience && self.tell(trouble, &detail, now).await {
                known.told_at = Some(now);
                if trouble == Trouble::ProgramFault {
                    self.fault.told();
                }
            }
            case = Some(known);
        }
    }

    /// What is wrong, the worst first.
    fn look(&self) -> Option<(Trouble, String)> {
        if let Some(detail) = self.log_trouble.borrow().clone() {
            return Some((Trouble::NothingStored, detail));
        }
        if let Some(detail) = self.followed.trouble() {
            return Some((Trouble::LedgerBehind, detail));
        }
        if let Some(detail) = self.fault.read() {
            return Some((Trouble::ProgramFault, detail));
        }
        if let Some(detail) = self.certificate_trouble.borrow().clone() {
            return Some((Trouble::CertificateNotRenewed, detail));
        }
        if let Some(readers) = self.followed.held_by() {
            return Some((Trouble::ReaderHoldsLedger, readers));
        }
        let refused = self.refused.borrow();
        let named = refused.iter().map(|(to, why)| format!("{to} ({why})"));
        (!refused.is_empty()).then(|| (Trouble::RecipientRefused, named.collect::<Vec<_>>().join("; ")))
    }

    async fn tell(&self, trouble: Trouble, detail: &str, now: Timestamp) -> bool {
        let addressees = Arc::clone(&self.addressees.borrow());
        let Some(alerts) = &addressees.alerts else { return false };
        let letter = TroubleLetter {
            language: alerts.language,
            host: self.host.clone(),
            trouble,
            detail: detail.to_owned(),
        };
        let mail = match render(&letter) {
            Ok(mail) => mail,
            Err(error) => {
                tracing::error!(%error, "the e-mail about trouble could not be written");
                return false;
            }
        };
        let message_id = format!("cvco-trouble-{}@{}", now.millis(), self.host);
        match alerts.mailer.send(&mail, &message_id, None, now, &mut Delivery::default()).await {
            Ok(()) => {
                tracing::info!(mail.id = message_id, "trouble mailed");
                true
            }
            Err(error) => {
                tracing::error!(%error, "the e-mail about trouble did not leave; it is tried again");
                false
            }
        }
    }
}
