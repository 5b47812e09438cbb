//! Folding the entries again, behind the thread that reads them.

use std::sync::mpsc::Receiver;

use cvco_domain::Timestamp;
use cvco_domain::crypto::sha256;
use rusqlite::{Connection, ErrorCode};

use super::chain::{Batch, Finding, Link};
use crate::ledger::LedgerError;
use crate::ledger::entry::Entry;
use crate::ledger::fold::{Fold, Taken};

/// The fold made again.
pub(super) struct Refolded {
    pub(super) scratch: Connection,
    /// The first entry that does not fold into the row that it stands in.
    pub(super) broken: Option<Finding>,
    /// The first entry whose payload is gone without a reason; the others are counted in the words.
    pub(super) gone: Option<Finding>,
    /// Payloads that are gone for a reason.
    pub(super) purged: i64,
}

/// Folds what comes into `scratch`, and compares the row that each entry makes with the one that it stands in.
/// Stops at the first that differs.
pub(super) fn fold(
    scratch: Connection,
    batches: Receiver<Batch>,
    kept_since: Option<Timestamp>,
) -> Result<Refolded, LedgerError> {
    let mut payloads = kept_since.map(Retention::new);
    let mut fold = Fold::resume(&scratch)?;
    scratch.execute_batch("BEGIN")?;
    let mut broken = None;
    'log: for batch in batches {
        match batch {
            Batch::Links(links) => {
                for link in links {
                    match take(&mut fold, &link)? {
                        Ok(payload_known) => {
                            if let Some(payloads) = &mut payloads {
                                payloads.look_at(&link, payload_known);
                            }
                        }
                        Err(what) => {
                            broken = Some((link.row.seq, what));
                            break 'log;
                        }
                    }
                }
            }
            Batch::End(swept_at) => {
                fold.sweep(swept_at.unwrap_or(fold.head().at))?;
                fold.finish()?;
            }
        }
    }
    scratch.execute_batch("COMMIT")?;
    drop(fold);
    let (gone, purged) = payloads.map_or((None, 0), Retention::outcome);
    Ok(Refolded { scratch, broken, gone, purged })
}

/// Takes one entry again: whether its payload was kept already, or why the entry cannot be what it was.
fn take(fold: &mut Fold<'_>, link: &Link) -> Result<Result<bool, String>, LedgerError> {
    match fold.take(link.at, &link.entry) {
        Ok(Taken::Written { payload_known, .. }) if fold.head().hash == link.chain_hash => {
            Ok(Ok(payload_known))
        }
        Ok(_) => Ok(Err("folded again it reads differently".to_owned())),
        Err(error) if blames_the_entry(&error) => Ok(Err(format!("it cannot be folded: {error}"))),
        Err(error) => Err(error),
    }
}

/// An entry that the daemon cannot have taken, as opposed to a disk that is full.
fn blames_the_entry(error: &LedgerError) -> bool {
    let refused = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation);
    matches!(error, LedgerError::NoDiscrepancy(_))
        || matches!(error, LedgerError::Sqlite(error) if refused(error))
        || error.is_damage()
}

/// Which payloads may be gone: purging takes the oldest, and only those whose retention is over.
struct Retention {
    kept_since: Timestamp,
    /// One was there already.
    begun: bool,
    purged: i64,
    gone: Option<Finding>,
    more: u64,
    /// The digest of an answer that never came.
    of_nothing: String,
}

impl Retention {
    fn new(kept_since: Timestamp) -> Self {
        let of_nothing = sha256(&[]).to_string();
        Self { kept_since, begun: false, purged: 0, gone: None, more: 0, of_nothing }
    }

    fn look_at(&mut self, link: &Link, payload_known: bool) {
        if link.has_payload {
            self.begun = true;
            return;
        }
        let carried = match &link.entry {
            Entry::Notification(_) => true,
            Entry::Confirmation(answer) => answer.payload_sha256 != self.of_nothing,
            Entry::Inquiry(_)
            | Entry::Order(_)
            | Entry::Policy(_)
            | Entry::Acknowledgement(_)
            | Entry::SignatureFailures(_)
            | Entry::Statement(_)
            | Entry::Close(_) => false,
        };
        if !carried || payload_known {
            return;
        }
        let why = if self.begun {
            "its payload is gone, while an older one is kept"
        } else if link.at >= self.kept_since {
            "its payload is gone before its time (unless payload_retention was shorter once)"
        } else {
            self.purged = self.purged.saturating_add(1);
            return;
        };
        if self.gone.is_some() {
            self.more = self.more.saturating_add(1);
        } else {
            self.gone = Some((link.row.seq, why.to_owned()));
        }
    }

    fn outcome(self) -> (Option<Finding>, i64) {
        let more = self.more;
        let told = |(seq, why)| (seq, if more > 0 { format!("{why}; {more} more like it") } else { why });
        (self.gone.map(told), self.purged)
    }
}
