//! Reading the log from its first entry to its last: each entry's place, its link, its payload, its anchor.

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;

use cvco_domain::Timestamp;
use cvco_domain::crypto::{SealKey, sha256};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Rows};

use super::conservation::Collected;
use super::{Meter, Phase};
use crate::ledger::LedgerError;
use crate::ledger::anchors::Anchor;
use crate::ledger::entry::Entry;
use crate::ledger::fold::GENESIS;
use crate::ledger::log_row::LogRow;
use crate::ledger::payload::Envelope;

/// So many entries go to the fold at a time.
const BATCH: usize = 256;

/// What testifies for the log, beside the chain itself.
#[derive(Default)]
pub(super) struct Witnesses<'a> {
    /// Opens the payloads.
    pub(super) key: Option<&'a SealKey>,
    /// No payload of this instant or later can have been purged. `None`: payloads are not looked at.
    pub(super) kept_since: Option<Timestamp>,
    pub(super) anchors: Vec<Anchor>,
}

/// An entry that stands in its place, with a link that fits.
pub(super) struct Link {
    pub(super) row: LogRow,
    pub(super) chain_hash: String,
    pub(super) at: Timestamp,
    pub(super) entry: Entry,
    pub(super) has_payload: bool,
}

/// What goes to the fold.
pub(super) enum Batch {
    Links(Vec<Link>),
    /// The log ends here; the rules of time were applied up to this instant.
    End(Option<Timestamp>),
}

/// Something wrong, and the entry at which it shows.
pub(super) type Finding = (i64, String);

/// What came of reading.
#[derive(Default)]
pub(super) struct Read {
    pub(super) entries: i64,
    pub(super) payloads: i64,
    pub(super) head: String,
    /// The first entry that does not follow from the one before: nothing behind it can be trusted.
    pub(super) broken: Option<Finding>,
    /// What else is wrong.
    pub(super) findings: Vec<Finding>,
}

/// Reads the log; what is sound goes to the fold, in batches.
pub(super) fn read(
    conn: &Connection,
    witnesses: &Witnesses<'_>,
    mut collected: Option<&mut Collected>,
    fold: &SyncSender<Batch>,
    meter: &mut Meter<'_>,
) -> Result<Read, LedgerError> {
    let total = conn.query_row("SELECT COUNT(*) FROM log", [], |row| row.get(0)).unwrap_or(0);
    meter.begin(Phase::Entries, total);
    let mut read = Read { head: GENESIS.to_owned(), ..Read::default() };
    let mut anchors = by_entry(&witnesses.anchors);
    let mut payloads = conn.prepare("SELECT seq, at, sealed FROM payloads ORDER BY seq")?;
    let mut payloads = Payloads::new(payloads.query([])?);
    let mut unfit = Unfit::default();
    let mut statement = conn.prepare(&format!("SELECT {} FROM log ORDER BY seq", LogRow::COLUMNS))?;
    let mut rows = statement.query([])?;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let expected = read.entries.saturating_add(1);
        let mut link = match next(&mut rows, expected, &read.head) {
            Ok(Some(link)) => link,
            Ok(None) => break,
            Err(what) => {
                read.broken = Some((expected, what));
                break;
            }
        };
        if witnesses.kept_since.is_some() {
            match payloads.of(&link, witnesses.key) {
                Ok(payload) => {
                    link.has_payload = payload != Payload::Gone;
                    read.payloads = read.payloads.saturating_add(i64::from(payload == Payload::Fits));
                }
                Err(what) => {
                    link.has_payload = true;
                    unfit.note(expected, what);
                }
            }
        }
        for anchor in anchors.remove(&expected).into_iter().flatten() {
            if anchor.hash != link.chain_hash {
                read.findings
                    .push((expected, format!("had another hash when it was anchored{}", anchor.when())));
            }
        }
        if let Some(collected) = &mut collected {
            collected.take(conn, &link)?;
        }
        read.entries = expected;
        link.chain_hash.clone_into(&mut read.head);
        meter.step();
        batch.push(link);
        // Nobody listens once the fold has found an entry that it cannot take.
        if batch.len() == BATCH && fold.send(Batch::Links(std::mem::take(&mut batch))).is_err() {
            return Ok(read);
        }
    }
    read.findings.extend(unfit.first());
    if fold.send(Batch::Links(batch)).is_err() || read.broken.is_some() {
        return Ok(read);
    }
    for (seq, anchor) in
        anchors.into_iter().filter_map(|(seq, anchors)| Some((seq, anchors.into_iter().next()?)))
    {
        read.findings.push((seq, format!("is missing, and was anchored{}", anchor.when())));
    }
    let swept_at = compare_with_progress(conn, &mut read);
    if read.broken.is_none() {
        // Who no longer listens has found something already.
        drop(fold.send(Batch::End(swept_at)));
    }
    Ok(read)
}

fn by_entry(anchors: &[Anchor]) -> BTreeMap<i64, Vec<&Anchor>> {
    let mut sorted: BTreeMap<i64, Vec<&Anchor>> = BTreeMap::new();
    for anchor in anchors {
        sorted.entry(anchor.seq).or_default().push(anchor);
    }
    sorted
}

/// The next entry, if it stands where it should and its link fits; what is wrong with it otherwise.
fn next(rows: &mut Rows<'_>, expected: i64, before: &str) -> Result<Option<Link>, String> {
    let unreadable =
        |error: &rusqlite::Error| damage(error).unwrap_or_else(|| format!("cannot be read: {error}"));
    let (row, chain_hash) = match rows.next() {
        Ok(None) => return Ok(None),
        Ok(Some(row)) => LogRow::from_row(row).map_err(|error| unreadable(&error))?,
        Err(error) => return Err(unreadable(&error)),
    };
    if row.seq > expected {
        return Err(format!("is missing: entry {} stands in its place", row.seq));
    }
    if row.seq < expected {
        return Err(format!("an entry numbered {} stands in its place", row.seq));
    }
    if row.chain_hash(before) != chain_hash {
        return Err("its content does not fit its chain hash".to_owned());
    }
    let entry = row.entry().map_err(|error| format!("its content cannot be read: {error}"))?;
    let at = row.taken_at().map_err(|error| error.to_string())?;
    Ok(Some(Link { row, chain_hash, at, entry, has_payload: false }))
}

/// What is wrong with a row, if that is what an error is about.
pub(super) fn damage(error: &rusqlite::Error) -> Option<String> {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    let name = |column: &usize| LogRow::COLUMNS.split(", ").nth(*column).unwrap_or("?");
    if let Utf8Error(column, _) = error {
        Some(format!("its column {} is not UTF-8", name(column)))
    } else if let FromSqlConversionFailure(column, ..) | IntegralValueOutOfRange(column, _) = error {
        Some(format!("its column {} cannot be read", name(column)))
    } else if let InvalidColumnType(column, _, held) = error {
        Some(format!("its column {} holds {held}", name(column)))
    } else if let Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure) =
        error.sqlite_error_code()
    {
        Some(format!("the file is damaged there: {error}"))
    } else {
        None
    }
}

/// How far the ledger itself was; until when the rules of time were applied.
fn compare_with_progress(conn: &Connection, read: &mut Read) -> Option<Timestamp> {
    let recorded = conn
        .query_row("SELECT head_seq, head_hash, swept_at FROM progress", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Timestamp>(2)?))
        })
        .optional();
    // One that is missing or cannot be read differs from the one folded afresh.
    let (seq, hash, swept_at) = recorded.ok().flatten()?;
    if seq > read.entries {
        let what = format!("is missing: the ledger was at entry {seq} already");
        read.broken = Some((read.entries.saturating_add(1), what));
    } else if seq < read.entries {
        read.broken =
            Some((seq.saturating_add(1), format!("was added by another hand: the ledger is at entry {seq}")));
    } else if hash != read.head {
        let what = "had another hash when the ledger took it: the chain was computed anew, from it or from an entry \
                    before it";
        read.findings.push((seq, what.to_owned()));
    }
    Some(swept_at)
}

/// The payloads, in the order of the log.
struct Payloads<'s> {
    rows: Rows<'s>,
    next: Option<Sealed>,
    begun: bool,
    trouble: Option<String>,
}

struct Sealed {
    seq: i64,
    at: String,
    bytes: Vec<u8>,
}

/// What became of an entry's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Payload {
    Gone,
    /// There, but there is no key to open it.
    Closed,
    Fits,
}

impl<'s> Payloads<'s> {
    const fn new(rows: Rows<'s>) -> Self {
        Self { rows, next: None, begun: false, trouble: None }
    }

    fn advance(&mut self) {
        let read =
            |row: &rusqlite::Row<'_>| Ok(Sealed { seq: row.get(0)?, at: row.get(1)?, bytes: row.get(2)? });
        let next = self.rows.next().and_then(|row| row.map(read).transpose());
        self.next = next.unwrap_or_else(|error| {
            self.trouble = Some(error.to_string());
            None
        });
    }

    /// Opens the payload of an entry, and compares it with what the entry says of it.
    fn of(&mut self, link: &Link, key: Option<&SealKey>) -> Result<Payload, String> {
        if !std::mem::replace(&mut self.begun, true) {
            self.advance();
        }
        // One without an entry is for the check of references.
        while self.next.as_ref().is_some_and(|next| next.seq < link.row.seq) {
            self.advance();
        }
        if let Some(trouble) = self.trouble.take() {
            return Err(format!("its payload, or one behind it, cannot be read: {trouble}"));
        }
        let Some(found) = self.next.take_if(|next| next.seq == link.row.seq) else {
            return Ok(Payload::Gone);
        };
        self.advance();
        if found.at != link.row.at {
            return Err("its payload is dated otherwise".to_owned());
        }
        let Some(key) = key else { return Ok(Payload::Closed) };
        let envelope = Envelope::open(key, found.seq, &found.bytes)
            .map_err(|error| format!("its payload cannot be opened: {error}"))?;
        // Which of the two carries a notification is the adapters' business (`psp::Request::payload`).
        let fits = [&envelope.query, &envelope.body]
            .iter()
            .any(|part| link.row.payload_sha256.as_deref() == Some(sha256(&[part]).to_string().as_str()));
        if fits { Ok(Payload::Fits) } else { Err("its payload does not fit payload_sha256".to_owned()) }
    }
}

/// Payloads that do not fit: the first, and how many.
#[derive(Default)]
struct Unfit {
    first: Option<Finding>,
    more: u64,
}

impl Unfit {
    fn note(&mut self, seq: i64, what: String) {
        if self.first.is_some() {
            self.more = self.more.saturating_add(1);
        } else {
            self.first = Some((seq, what));
        }
    }

    fn first(self) -> Option<Finding> {
        let more = self.more;
        self.first
            .map(|(seq, what)| (seq, if more > 0 { format!("{what}; {more} more like it") } else { what }))
    }
}
