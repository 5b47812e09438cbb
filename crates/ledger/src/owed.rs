//! E-mails that are owed. A row is owed when a discrepancy opens or closes; a `telling` entry says which e-mail tells it,
//! a `told` entry that this e-mail left. Both stand in the log, so a second ledger mails nothing twice.

use std::collections::BTreeMap;
use std::time::Duration;

use cvco_domain::{DiscrepancyId, News, Seq, Severity, ShopId, Timestamp};
use cvco_log::entry::{MailAbout, MailItem, Telling, Told};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::LedgerError;
use crate::tables::{acts, anchors, attempts};

/// One e-mail that is owed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueMail {
    /// Its message id, if it was intended before and did not leave; `None` for a new one.
    pub message_id: Option<String>,
    /// The e-mail that it answers, so that a reminder or closing stands in the thread of its opening.
    pub in_reply_to: Option<String>,
    /// Whose it is; `None` if it concerns the daemon as a whole.
    pub shop: Option<ShopId>,
    /// The discrepancies, in the order of their opening.
    pub items: Vec<MailItem>,
}

/// An anchor whose e-mail is owed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueAnchor {
    /// Its message id, if it was intended before and did not leave; `None` for a new one.
    pub message_id: Option<String>,
    /// The last entry of the log before midnight.
    pub seq: Seq,
    /// Its chain hash.
    pub hash: String,
    /// The first entry since the anchor before.
    pub first_seq: Seq,
    /// The first day since the anchor before, `YYYY-MM-DD` in Paris.
    pub first_day: String,
    /// The day that ended at midnight.
    pub day: String,
}

// ───────────────────────────── the fold ─────────────────────────────

/// Owes the e-mail of an opening, unless the kind is for the lists alone.
pub(crate) fn owe_opening(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    shop: Option<&ShopId>,
    severity: Severity,
    at: Timestamp,
) -> Result<(), LedgerError> {
    let urgent = match severity {
        Severity::Info => return Ok(()),
        Severity::Warning => false,
        Severity::Urgent => true,
    };
    owe(conn, discrepancy, News::Opened, shop.map(ShopId::as_str), urgent, at)
}

/// Owes the e-mail of a closing, if one of the opening was owed. What opened and closed before a mail was intended needs
/// none; nor does a reminder of it.
pub(crate) fn owe_closing(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    at: Timestamp,
) -> Result<(), LedgerError> {
    forget_reminder(conn, discrepancy, at)?;
    let untold = supersede(conn, discrepancy, News::Opened, at)?;
    if untold { Ok(()) } else { owe_answer(conn, discrepancy, News::Closed, at) }
}

/// Owes the e-mail that reminds of a discrepancy, if one of the opening was owed. It takes the place of an earlier one
/// that waits.
pub(crate) fn owe_reminder(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    at: Timestamp,
) -> Result<(), LedgerError> {
    forget_reminder(conn, discrepancy, at)?;
    owe_answer(conn, discrepancy, News::Reminded, at)
}

/// Owes an urgent e-mail of a discrepancy that has become graver: that of its opening, if it waits still.
pub(crate) fn owe_worsening(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    at: Timestamp,
) -> Result<(), LedgerError> {
    forget_reminder(conn, discrepancy, at)?;
    conn.prepare_cached("UPDATE owed SET urgent = 1 WHERE discrepancy_id = ?1 AND news = 'opened'")?
        .execute([discrepancy])?;
    let is_told: bool = conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM owed WHERE discrepancy_id = ?1 AND news = 'opened'
               AND (done_at IS NOT NULL OR message_id IS NOT NULL))",
        )?
        .query_row([discrepancy], |row| row.get(0))?;
    if is_told { owe_answer(conn, discrepancy, News::Reminded, at) } else { Ok(()) }
}

/// A reminder that no e-mail carries yet is no longer worth sending.
pub(crate) fn forget_reminder(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    at: Timestamp,
) -> Result<(), LedgerError> {
    supersede(conn, discrepancy, News::Reminded, at).map(drop)
}

/// Drops news that no e-mail carries yet; whether there was any.
fn supersede(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    news: News,
    at: Timestamp,
) -> Result<bool, LedgerError> {
    let dropped = conn
        .prepare_cached(
            "UPDATE owed SET done_at = ?3, outcome = 'superseded'
             WHERE discrepancy_id = ?1 AND news = ?2 AND done_at IS NULL AND message_id IS NULL",
        )?
        .execute(params![discrepancy, news.as_str(), at])?;
    Ok(dropped > 0)
}

/// Owes an e-mail in the thread of the opening, and as urgent, if one of the opening was owed.
fn owe_answer(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    news: News,
    at: Timestamp,
) -> Result<(), LedgerError> {
    let opening: Option<(Option<String>, bool)> = conn
        .prepare_cached("SELECT shop, urgent FROM owed WHERE discrepancy_id = ?1 AND news = 'opened'")?
        .query_row([discrepancy], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match opening {
        Some((shop, urgent)) => owe(conn, discrepancy, news, shop.as_deref(), urgent, at),
        None => Ok(()),
    }
}

fn owe(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    news: News,
    shop: Option<&str>,
    urgent: bool,
    at: Timestamp,
) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "INSERT INTO owed (shop, discrepancy_id, news, urgent, owed_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![shop, discrepancy, news.as_str(), urgent, at])?;
    Ok(())
}

/// An e-mail is about to leave: what it tells is no longer open to another one.
pub(crate) fn intend(conn: &Connection, telling: &Telling, at: Timestamp) -> Result<(), LedgerError> {
    let Telling { message_id, about } = telling;
    let mut carried = None;
    match about {
        MailAbout::Anchor(seq) => {
            if anchors::mail_intended(conn, *seq, message_id)? {
                carried = Some(Carried { shop: None, urgent: false });
            }
        }
        MailAbout::Discrepancies(items) => {
            for item in items {
                if let Some(one) = carry(conn, message_id, item, at)? {
                    let urgent = one.urgent || carried.as_ref().is_some_and(|before: &Carried| before.urgent);
                    carried = Some(Carried { urgent, ..one });
                }
            }
        }
    }
    // An e-mail that tells nothing which is owed would be tried for ever, and hold up all others.
    let Some(Carried { shop, urgent }) = carried else { return Ok(()) };
    conn.prepare_cached(
        "INSERT OR IGNORE INTO mails (message_id, shop, urgent, intended_at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![message_id, shop.as_ref().map(ShopId::as_str), urgent, at])?;
    Ok(())
}

/// Whose news an e-mail carries, and how fast.
struct Carried {
    shop: Option<ShopId>,
    urgent: bool,
}

/// Notes that an e-mail carries a piece of news, if it is owed. News that was superseded while the e-mail was being
/// written is told all the same, for the e-mail leaves; so what superseded it must be told too.
fn carry(
    conn: &Connection,
    message_id: &str,
    item: &MailItem,
    at: Timestamp,
) -> Result<Option<Carried>, LedgerError> {
    let Some(id) = acts::find(conn, &item.of, item.discrepancy)? else { return Ok(None) };
    let owed: Option<(i64, Carried, bool)> = conn
        .prepare_cached(
            "SELECT id, shop, urgent, done_at IS NOT NULL FROM owed
             WHERE discrepancy_id = ?1 AND news = ?2 AND message_id IS NULL
             ORDER BY done_at IS NOT NULL, id DESC LIMIT 1",
        )?
        .query_row(params![id, item.news.as_str()], |row| {
            Ok((row.get(0)?, Carried { shop: row.get(1)?, urgent: row.get(2)? }, row.get(3)?))
        })
        .optional()?;
    let Some((row, carried, was_superseded)) = owed else { return Ok(None) };
    conn.prepare_cached("UPDATE owed SET message_id = ?2, done_at = NULL, outcome = NULL WHERE id = ?1")?
        .execute(params![row, message_id])?;
    if was_superseded && item.news == News::Opened {
        owe_answer(conn, id, News::Closed, at)?;
    }
    Ok(Some(carried))
}

/// The e-mail left.
pub(crate) fn told(conn: &Connection, Told { message_id }: &Told, at: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached("UPDATE mails SET told_at = ?2 WHERE message_id = ?1 AND told_at IS NULL")?
        .execute(params![message_id, at])?;
    conn.prepare_cached(
        "UPDATE owed SET done_at = ?2, outcome = 'sent' WHERE message_id = ?1 AND done_at IS NULL",
    )?
    .execute(params![message_id, at])?;
    attempts::forget(conn, message_id)
}

// ───────────────────────────── readers ─────────────────────────────

/// A row that no e-mail carries yet, or one whose e-mail did not leave.
struct Owed {
    shop: Option<ShopId>,
    news: News,
    urgent: bool,
    discrepancy: DiscrepancyId,
    thread: Option<String>,
}

impl Owed {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            shop: row.get(0)?,
            news: row.get(1)?,
            urgent: row.get(2)?,
            discrepancy: row.get(3)?,
            thread: row.get(4)?,
        })
    }

    /// Whether both can stand in one e-mail.
    fn goes_with(&self, other: &Self) -> bool {
        self.shop == other.shop
            && self.news == other.news
            && self.urgent == other.urgent
            && self.thread == other.thread
    }
}

const OWED: &str = "SELECT n.shop, n.news, n.urgent, n.discrepancy_id, o.message_id FROM owed n
     LEFT JOIN owed o ON n.news <> 'opened' AND o.discrepancy_id = n.discrepancy_id AND o.news = 'opened'
     WHERE n.done_at IS NULL AND";

/// The next e-mail to be sent, repeated attempts first. An urgent opening or reminder goes alone and at once; the rest of
/// a shop waits until its last digest is old enough. A reminder or closing answers the e-mail of its opening, once that
/// one has left.
pub(crate) fn next_mail(
    conn: &Connection,
    now: Timestamp,
    digest: Duration,
) -> Result<Option<DueMail>, LedgerError> {
    if let Some(message_id) = under_way(conn, now, false)? {
        let mut rows = conn.prepare_cached(&format!("{OWED} n.message_id = ?1 ORDER BY n.discrepancy_id"))?;
        let owed = rows.query_map([&message_id], Owed::read)?.collect::<Result<Vec<_>, _>>()?;
        return mail(conn, owed, Some(message_id));
    }
    let mut rows = conn.prepare_cached(&format!(
        "{OWED} n.message_id IS NULL AND (n.news = 'opened' OR o.outcome = 'sent')
           AND (n.urgent = 1 OR NOT EXISTS (
                SELECT 1 FROM mails d WHERE d.shop IS n.shop AND d.urgent = 0 AND d.intended_at > ?2
                   AND d.intended_at <= ?1))
         ORDER BY n.urgent DESC, n.id LIMIT 500"
    ))?;
    let mut owed =
        rows.query_map(params![now, now.before(digest)], Owed::read)?.collect::<Result<Vec<_>, _>>()?;
    if owed.is_empty() {
        return Ok(None);
    }
    let first = owed.remove(0);
    let alone = digest.is_zero() || (first.urgent && first.news != News::Closed);
    if alone {
        owed.clear();
    }
    owed.retain(|other| other.goes_with(&first));
    owed.insert(0, first);
    owed.sort_by_key(|owed| owed.discrepancy);
    mail(conn, owed, None)
}

fn mail(
    conn: &Connection,
    owed: Vec<Owed>,
    message_id: Option<String>,
) -> Result<Option<DueMail>, LedgerError> {
    let Some(first) = owed.first() else { return Ok(None) };
    let (shop, in_reply_to) = (first.shop.clone(), first.thread.clone());
    let mut items = Vec::with_capacity(owed.len());
    for Owed { news, discrepancy, .. } in owed {
        if let Some((of, _)) = acts::identity(conn, discrepancy)? {
            items.push(MailItem { news, discrepancy, of });
        }
    }
    Ok(Some(DueMail { message_id, in_reply_to, shop, items }))
}

/// The first e-mail that was intended, did not leave, and may be tried again now.
fn under_way(conn: &Connection, now: Timestamp, anchors: bool) -> Result<Option<String>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT m.message_id FROM mails m LEFT JOIN attempts a ON a.what = m.message_id
             WHERE m.told_at IS NULL AND COALESCE(a.attempt_at, '') <= ?1
               AND ?2 = EXISTS (SELECT 1 FROM anchors WHERE anchors.message_id = m.message_id)
             ORDER BY COALESCE(a.attempt_at, m.intended_at), m.message_id LIMIT 1",
        )?
        .query_row(params![now, anchors], |row| row.get(0))
        .optional()?)
}

/// The next anchor to be mailed, repeated attempts first.
pub(crate) fn next_anchor(conn: &Connection, now: Timestamp) -> Result<Option<DueAnchor>, LedgerError> {
    let message_id = under_way(conn, now, true)?;
    Ok(conn
        .prepare_cached(
            "SELECT message_id, seq, chain_hash, first_seq, first_day, day FROM anchors
             WHERE message_id IS ?1 ORDER BY seq LIMIT 1",
        )?
        .query_row([message_id], |row| {
            Ok(DueAnchor {
                message_id: row.get(0)?,
                seq: row.get(1)?,
                hash: row.get(2)?,
                first_seq: row.get(3)?,
                first_day: row.get(4)?,
                day: row.get(5)?,
            })
        })
        .optional()?)
}

/// When the next e-mail may leave that is owed and may not leave yet: a digest whose time has not come, an attempt that
/// waits. `None` if nothing waits for time.
pub(crate) fn next_departure(
    conn: &Connection,
    now: Timestamp,
    digest: Duration,
) -> Result<Option<Timestamp>, LedgerError> {
    let retry: Option<Timestamp> = conn
        .prepare_cached(
            "SELECT MIN(a.attempt_at) FROM mails m JOIN attempts a ON a.what = m.message_id WHERE m.told_at IS NULL",
        )?
        .query_row([], |row| row.get(0))?;
    let mut waiting = conn.prepare_cached(
        "SELECT n.shop, (SELECT MAX(d.intended_at) FROM mails d
                          WHERE d.shop IS n.shop AND d.urgent = 0 AND d.intended_at <= ?1)
         FROM owed n WHERE n.done_at IS NULL AND n.message_id IS NULL AND n.urgent = 0 GROUP BY n.shop",
    )?;
    let last: BTreeMap<Option<String>, Option<Timestamp>> =
        waiting.query_map([now], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let digests = last.into_values().flatten().map(|at| at.after(digest));
    Ok(retry.into_iter().chain(digests).min())
}

/// How many e-mails wait to be sent, and the last error of one that failed, if any did.
pub(crate) fn waiting(conn: &Connection) -> Result<(i64, Option<String>), LedgerError> {
    Ok(conn.query_row(
        "SELECT COUNT(*), MAX(a.last_error) FROM owed o LEFT JOIN attempts a ON a.what = o.message_id
         WHERE o.done_at IS NULL",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}
