//! Reading the log from its first entry to its last: each entry's place, its link, its payload, its anchor.

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;

use cvco_domain::crypto::SealKey;
use cvco_domain::{Bilingual, Seq, Timestamp};
use cvco_log::row::{Head, Link, Logged};
use cvco_log::{Envelope, LogError, LogStore};
use rusqlite::ErrorCode;

use super::flaw::and_more;
use super::{Anchor, Meter, Phase};
use crate::LedgerError;

/// So many entries go to the fold at a time.
const BATCH: usize = 2048;

/// What testifies for the log, beside the chain itself.
#[derive(Default)]
pub(super) struct Witnesses<'a> {
    /// Opens the payloads.
    pub(super) key: Option<&'a SealKey>,
    /// No payload of this instant or later can have been purged. `None`: payloads are not looked at.
    pub(super) kept_since: Option<Timestamp>,
    pub(super) anchors: Vec<Anchor>,
}

/// Entries that stand in their places, with links that fit.
pub(super) struct Batch {
    pub(super) links: Vec<Link>,
    pub(super) logged: Vec<Result<Logged, LogError>>,
}

/// Something wrong, and the entry at which it shows.
pub(super) type Finding = (Seq, Bilingual);

/// What came of reading.
#[derive(Default)]
pub(super) struct Read {
    pub(super) entries: i64,
    pub(super) payloads: i64,
    pub(super) purged: i64,
    pub(super) head: Head,
    /// The first entry that does not follow from the one before: nothing after it can be trusted.
    pub(super) broken: Option<Finding>,
    /// What else is wrong.
    pub(super) findings: Vec<Finding>,
}

/// Reads the log; what is sound goes to the fold in batches, up to the entry `until`.
pub(super) fn read(
    log: &mut dyn LogStore,
    witnesses: &Witnesses<'_>,
    until: Seq,
    fold: &SyncSender<Batch>,
    meter: &mut Meter<'_>,
) -> Result<Read, LedgerError> {
    // How far it goes is for the progress alone: a log with a damaged end is read as far as that is possible.
    meter.begin(Phase::Entries, log.head().map_or(0, |head| head.seq.get()));
    let mut read = Read::default();
    let mut anchors = by_entry(&witnesses.anchors);
    let mut payloads = Payloads::new(witnesses);
    let mut at_a_time = BATCH;
    loop {
        let links = match log.read(read.head.seq, at_a_time) {
            Ok(links) => links,
            // One by one, up to the first that cannot be read.
            Err(LogError::Sqlite(error)) if is_unreadable(&error) && at_a_time > 1 => {
                at_a_time = 1;
                continue;
            }
            Err(LogError::Sqlite(error)) if is_unreadable(&error) => {
                let what = Bilingual::new(
                    format!("elle est illisible (en anglais\u{a0}: {error})"),
                    format!("it cannot be read: {error}"),
                );
                read.broken = Some((read.head.seq.next(), what));
                break;
            }
            Err(error) => return Err(error.into()),
        };
        if links.is_empty() {
            break;
        }
        let mut sound = Vec::with_capacity(links.len());
        for link in links {
            match link.row.follow(&read.head, &link.chain_hash) {
                Ok(head) => read.head = head,
                Err(what) => {
                    read.broken = Some((read.head.seq.next(), what));
                    break;
                }
            }
            meter.step();
            if link.row.corrects_dates() {
                payloads.dates_were_wrong(read.head.at);
            }
            payloads.check(log, &link)?;
            for anchor in anchors.remove(&link.row.seq).unwrap_or_default() {
                if anchor.hash != link.chain_hash {
                    let when = anchor.when();
                    let what = Bilingual::new(
                        format!(
                            "son empreinte n’est pas celle qui a été envoyée par courriel{}",
                            when.french
                        ),
                        format!("its chain hash is not the one that was mailed{}", when.english),
                    );
                    read.findings.push((link.row.seq, what));
                }
            }
            sound.push(link);
        }
        read.entries = read.head.seq.get();
        hand_over(sound, until, fold);
        if read.broken.is_some() {
            break;
        }
    }
    if read.broken.is_none() {
        for (seq, anchors) in anchors {
            for anchor in anchors {
                let when = anchor.when();
                let what = Bilingual::new(
                    format!("elle a été envoyée par courriel{}, et n’est pas dans le journal", when.french),
                    format!("it was mailed{}, and is not in the log", when.english),
                );
                read.findings.push((seq, what));
            }
        }
    }
    let Payloads { checked, purged, unfit, missing, too_early, .. } = payloads;
    (read.payloads, read.purged) = (checked, purged);
    read.findings.extend([unfit, too_early, missing].into_iter().flatten().map(Several::into_finding));
    read.findings.sort();
    Ok(read)
}

/// Entries for the fold, decoded here, so that the other thread has nothing but folding to do.
fn hand_over(mut links: Vec<Link>, until: Seq, fold: &SyncSender<Batch>) {
    links.retain(|link| link.row.seq <= until);
    if links.is_empty() {
        return;
    }
    let logged = links.iter().map(|link| link.row.read()).collect();
    // A fold that has failed says why itself.
    drop(fold.send(Batch { links, logged }));
}

fn by_entry(anchors: &[Anchor]) -> BTreeMap<Seq, Vec<&Anchor>> {
    let mut by_entry: BTreeMap<Seq, Vec<&Anchor>> = BTreeMap::new();
    for anchor in anchors {
        by_entry.entry(anchor.seq).or_default().push(anchor);
    }
    by_entry
}

/// Whether a row cannot be read, for its page or for what stands in it.
fn is_unreadable(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType, Utf8Error};
    damage(error).is_some()
        || matches!(error, FromSqlConversionFailure(..) | InvalidColumnType(..) | Utf8Error(..))
}

/// What SQLite says of a page that cannot be read, as opposed to a file that is busy.
pub(super) fn damage(error: &rusqlite::Error) -> Option<ErrorCode> {
    error.sqlite_error_code().filter(|code| {
        matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure)
    })
}

/// The payloads, checked beside the entries that they belong to.
struct Payloads<'w> {
    witnesses: &'w Witnesses<'w>,
    /// One is there: purging takes the oldest, so none after it may be gone.
    begun: bool,
    checked: i64,
    purged: i64,
    /// They cannot be opened, or are not what they should be.
    unfit: Option<Several>,
    /// They are gone, while an older one is kept.
    missing: Option<Several>,
    /// They are gone, and are not old enough by the dates of their entries; a later entry may correct these.
    too_early: Option<Several>,
}

impl<'w> Payloads<'w> {
    const fn new(witnesses: &'w Witnesses<'w>) -> Self {
        Self { witnesses, begun: false, checked: 0, purged: 0, unfit: None, missing: None, too_early: None }
    }

    fn check(&mut self, log: &mut dyn LogStore, link: &Link) -> Result<(), LedgerError> {
        let (Some(kept_since), Some(digest)) = (self.witnesses.kept_since, &link.row.payload_sha256) else {
            return Ok(());
        };
        let seq = link.row.seq;
        let sealed = match log.payload(seq) {
            Ok(sealed) => sealed,
            Err(LogError::Sqlite(error)) if damage(&error).is_some() => {
                let what = || {
                    Bilingual::new(
                        format!("son message scellé est illisible (en anglais\u{a0}: {error})"),
                        format!("its payload cannot be read: {error}"),
                    )
                };
                Several::count(&mut self.unfit, seq, what);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let Some(sealed) = sealed else {
            self.check_gone(seq, link.row.date()?, kept_since);
            return Ok(());
        };
        self.begun = true;
        let Some(key) = self.witnesses.key else { return Ok(()) };
        match Envelope::open(key, digest, &sealed) {
            Ok(envelope) if envelope.carries(digest) => self.checked = self.checked.saturating_add(1),
            Ok(_) => Several::count(&mut self.unfit, seq, || {
                Bilingual::new(
                    "son message scellé ne correspond pas à payload_sha256",
                    "its payload does not fit payload_sha256",
                )
            }),
            Err(error) => Several::count(&mut self.unfit, seq, || {
                Bilingual::new(
                    format!("son message scellé ne s’ouvre pas (en anglais\u{a0}: {error})"),
                    format!("its payload cannot be opened: {error}"),
                )
            }),
        }
        Ok(())
    }

    fn check_gone(&mut self, seq: Seq, at: Timestamp, kept_since: Timestamp) {
        if self.begun {
            Several::count(&mut self.missing, seq, || {
                Bilingual::new(
                    "son message scellé a disparu, alors qu’un plus ancien est conservé",
                    "its payload is gone, while an older one is kept",
                )
            });
        } else if at >= kept_since {
            Several::count(&mut self.too_early, seq, || {
                Bilingual::new(
                    "son message scellé a disparu avant son heure (sauf si payload_retention était plus court autrefois)",
                    "its payload is gone before its time (unless payload_retention was shorter once)",
                )
            });
        } else {
            self.purged = self.purged.saturating_add(1);
        }
    }

    /// No entry so far is younger than `at`: what was dated later was purged in its time, if `at` was long ago.
    fn dates_were_wrong(&mut self, at: Timestamp) {
        if self.witnesses.kept_since.is_some_and(|kept_since| at < kept_since)
            && let Some(Several { more, .. }) = self.too_early.take()
        {
            let gone = i64::try_from(more).unwrap_or(i64::MAX).saturating_add(1);
            self.purged = self.purged.saturating_add(gone);
        }
    }
}

/// Findings of one sort: the first, and how many more there are.
struct Several {
    first: Finding,
    more: u64,
}

impl Several {
    fn count(several: &mut Option<Self>, seq: Seq, what: impl FnOnce() -> Bilingual) {
        match several {
            Some(several) => several.more = several.more.saturating_add(1),
            None => *several = Some(Self { first: (seq, what()), more: 0 }),
        }
    }

    fn into_finding(self) -> Finding {
        let Self { first: (seq, what), more } = self;
        (seq, and_more(what, more))
    }
}
