//! What is told next, and what waits, for those who send it.

use std::time::Duration;

use cvco_domain::{DiscrepancyId, News, Seq, ShopId, Timestamp, Way};
use cvco_log::entry::MailItem;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::plan::{self, Class, Next, Pace, Recent, Waiting};
use crate::LedgerError;
use crate::tables::{acts, weeks};

/// One message tells no more than so many; the next one tells the rest.
const MOST: usize = 500;

/// One message about discrepancies that is owed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueMail {
    /// Its message id, if it was intended before and did not leave; `None` for a new one.
    pub message_id: Option<String>,
    /// The first message about the same order, or the one that it answers: it stands in its thread.
    pub in_reply_to: Option<String>,
    /// Whose it is; `None` if it concerns the daemon as a whole.
    pub shop: Option<ShopId>,
    /// What kind of message it is.
    pub class: Class,
    /// Others were told of a part of it, since nobody had seen it in time.
    pub was_escalated: bool,
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

/// A week whose summary is owed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueWeek {
    /// Its message id, if it was intended before and did not leave; `None` for a new one.
    pub message_id: Option<String>,
    /// When the week ended.
    pub until: Timestamp,
    /// The shops.
    pub shops: Vec<ShopId>,
}

/// A message that did not leave yet, or the news that wait for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMail {
    /// On which way.
    pub way: Way,
    /// Its id; `None` as long as none is intended.
    pub message_id: Option<String>,
    /// Urgent, digest, escalation, anchor or week.
    pub class: String,
    /// Whose it is.
    pub shop: Option<ShopId>,
    /// The discrepancies that it tells.
    pub discrepancies: Vec<DiscrepancyId>,
    /// Since when it waits.
    pub since: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried again, if it was.
    pub again_at: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// A row that no message carries yet, or one whose message did not leave.
struct Owed {
    waiting: Waiting,
    discrepancy: DiscrepancyId,
}

impl Owed {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (news, urgent): (News, bool) = (row.get(1)?, row.get(2)?);
        let class = Class::of(news, urgent);
        let waiting = Waiting { shop: row.get(0)?, class, news, owed_at: row.get(5)?, thread: row.get(4)? };
        Ok(Self { waiting, discrepancy: row.get(3)? })
    }
}

/// The thread of an order begins with the first message about it; of anything else, with the one of its opening.
const OWED: &str = "SELECT n.shop, n.news, n.urgent, n.discrepancy_id,
        COALESCE((SELECT e.message_id FROM discrepancies s JOIN owed e ON e.discrepancy_id = s.id
                  WHERE s.order_id = d.order_id AND e.way = n.way AND e.news <> 'escalated'
                    AND e.message_id IS NOT NULL AND e.message_id IS NOT n.message_id AND e.id < n.id
                  ORDER BY e.id LIMIT 1),
                 o.message_id), n.owed_at
     FROM owed n JOIN discrepancies d ON d.id = n.discrepancy_id
     LEFT JOIN owed o ON n.news <> 'opened' AND o.discrepancy_id = n.discrepancy_id AND o.news = 'opened' AND o.way = n.way
     WHERE n.way = ?1 AND n.done_at IS NULL AND";

/// The next message to be sent on a way, repeated attempts first.
pub(crate) fn next_mail(
    conn: &Connection,
    now: Timestamp,
    way: &Way,
    pace: &Pace,
) -> Result<Option<DueMail>, LedgerError> {
    if let Some(message_id) = under_way(conn, now, way, "class NOT IN ('anchor', 'week')")? {
        let mut rows = conn.prepare_cached(&format!("{OWED} n.message_id = ?2 ORDER BY n.discrepancy_id"))?;
        let owed = rows.query_map([way.as_str(), &message_id], Owed::read)?.collect::<Result<Vec<_>, _>>()?;
        return mail(conn, owed, Some(message_id));
    }
    let owed = waiting_on(conn, way)?;
    match next(conn, &owed, now, way, pace)? {
        Next::Now(places) => {
            let chosen = owed.into_iter().enumerate().filter(|(number, _)| places.contains(number));
            let mut chosen: Vec<Owed> = chosen.map(|(_, owed)| owed).take(MOST).collect();
            chosen.sort_by_key(|owed| owed.discrepancy);
            mail(conn, chosen, None)
        }
        Next::At(_) | Next::Never => Ok(None),
    }
}

/// News that no message carries yet. A reminder, an escalation or a closing waits until its opening has left.
fn waiting_on(conn: &Connection, way: &Way) -> Result<Vec<Owed>, LedgerError> {
    let mut rows = conn.prepare_cached(&format!(
        "{OWED} n.message_id IS NULL AND (n.news = 'opened' OR o.outcome = 'sent')
         ORDER BY n.urgent DESC, n.id LIMIT 5000"
    ))?;
    Ok(rows.query_map([way.as_str()], Owed::read)?.collect::<Result<_, _>>()?)
}

fn next(
    conn: &Connection,
    owed: &[Owed],
    now: Timestamp,
    way: &Way,
    pace: &Pace,
) -> Result<Next, LedgerError> {
    if owed.is_empty() {
        return Ok(Next::Never);
    }
    let mut rows = conn.prepare_cached(
        "SELECT shop, class, intended_at FROM mails WHERE way = ?1 AND intended_at > ?2 AND intended_at <= ?3
           AND class IN ('urgent', 'digest', 'escalation')",
    )?;
    let recent = |row: &Row<'_>| {
        let class: String = row.get(1)?;
        let class = match class.as_str() {
            "urgent" => Class::Urgent,
            "escalation" => Class::Escalation,
            _ => Class::Digest,
        };
        Ok(Recent { shop: row.get(0)?, class, at: row.get(2)? })
    };
    let recent: Vec<Recent> = rows
        .query_map(params![way.as_str(), now.before(pace.memory()), now], recent)?
        .collect::<Result<_, _>>()?;
    let waiting: Vec<Waiting> = owed.iter().map(|owed| owed.waiting.clone()).collect();
    Ok(plan::next(&waiting, &recent, pace, now))
}

fn mail(
    conn: &Connection,
    owed: Vec<Owed>,
    message_id: Option<String>,
) -> Result<Option<DueMail>, LedgerError> {
    let Some(Owed { waiting: first, .. }) = owed.first() else { return Ok(None) };
    let (shop, thread) = (first.shop.clone(), first.thread.clone());
    let class = owed.iter().map(|owed| owed.waiting.class).min().unwrap_or(first.class);
    let in_reply_to =
        thread.filter(|thread| owed.iter().all(|other| other.waiting.thread.as_ref() == Some(thread)));
    let mut items = Vec::with_capacity(owed.len());
    let mut was_escalated = false;
    for Owed { waiting, discrepancy } in owed {
        if let Some((of, _)) = acts::identity(conn, discrepancy)? {
            was_escalated |= is_escalated(conn, discrepancy)?;
            items.push(MailItem { news: waiting.news, discrepancy, of });
        }
    }
    Ok(Some(DueMail { message_id, in_reply_to, shop, class, was_escalated, items }))
}

fn is_escalated(conn: &Connection, discrepancy: DiscrepancyId) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM owed
              WHERE discrepancy_id = ?1 AND news = 'escalated' AND message_id IS NOT NULL)",
        )?
        .query_row([discrepancy], |row| row.get(0))?)
}

/// The first message of some classes that was intended, did not leave, and may be tried again now.
fn under_way(
    conn: &Connection,
    now: Timestamp,
    way: &Way,
    classes: &str,
) -> Result<Option<String>, LedgerError> {
    Ok(conn
        .prepare_cached(&format!(
            "SELECT m.message_id FROM mails m LEFT JOIN attempts a ON a.what = m.message_id
             WHERE m.way = ?2 AND m.told_at IS NULL AND COALESCE(a.attempt_at, '') <= ?1 AND m.{classes}
             ORDER BY COALESCE(a.attempt_at, m.intended_at), m.message_id LIMIT 1"
        ))?
        .query_row(params![now, way.as_str()], |row| row.get(0))
        .optional()?)
}

/// The next anchor to be mailed, repeated attempts first.
pub(crate) fn next_anchor(conn: &Connection, now: Timestamp) -> Result<Option<DueAnchor>, LedgerError> {
    let message_id = under_way(conn, now, &Way::mail(), "class = 'anchor'")?;
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

/// The next weeks to be summed up: those of one message that did not leave, else those that none carries. Of several weeks
/// the last: an older one is no news any more.
pub(crate) fn next_week(conn: &Connection, now: Timestamp) -> Result<Option<DueWeek>, LedgerError> {
    let message_id = under_way(conn, now, &Way::mail(), "class = 'week'")?;
    let mut owed = weeks::owed(conn, message_id.as_deref())?;
    Ok(owed.pop_last().map(|(until, shops)| DueWeek { message_id, until, shops }))
}

/// When the next message may leave on a way that is owed and may not leave yet: a digest whose time has not come, an attempt
/// that waits. `None` if nothing waits for time.
pub(crate) fn next_departure(
    conn: &Connection,
    now: Timestamp,
    way: &Way,
    pace: &Pace,
) -> Result<Option<Timestamp>, LedgerError> {
    let retry: Option<Timestamp> = conn
        .prepare_cached(
            "SELECT MIN(a.attempt_at) FROM mails m JOIN attempts a ON a.what = m.message_id
             WHERE m.way = ?1 AND m.told_at IS NULL",
        )?
        .query_row([way.as_str()], |row| row.get(0))?;
    let planned = match next(conn, &waiting_on(conn, way)?, now, way, pace)? {
        Next::Now(_) => Some(now.after(Duration::from_millis(1))),
        Next::At(at) => Some(at),
        Next::Never => None,
    };
    Ok(retry.into_iter().chain(planned).min())
}

/// How many pieces of news wait to be mailed, and the last error of an e-mail that failed, if any did.
pub(crate) fn waiting(conn: &Connection) -> Result<(i64, Option<String>), LedgerError> {
    Ok(conn.query_row(
        "SELECT COUNT(*), MAX(a.last_error) FROM owed o LEFT JOIN attempts a ON a.what = o.message_id
         WHERE o.done_at IS NULL AND o.way = 'mail'",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// Everything that has not left: the messages under way, then the news that wait for one.
pub(crate) fn queue(conn: &Connection) -> Result<Vec<QueuedMail>, LedgerError> {
    let mut rows = conn.prepare(
        "SELECT m.way, m.message_id AS message_id, m.class, m.shop, m.intended_at AS since,
                (SELECT json_group_array(discrepancy_id) FROM owed WHERE message_id = m.message_id) AS numbers,
                COALESCE(a.attempts, 0) AS attempts, a.attempt_at, a.last_error
         FROM mails m LEFT JOIN attempts a ON a.what = m.message_id WHERE m.told_at IS NULL
         UNION ALL
         SELECT way, NULL, CASE WHEN news = 'escalated' THEN 'escalation' WHEN urgent THEN 'urgent' ELSE 'digest' END,
                shop, MIN(owed_at), json_group_array(discrepancy_id), 0, NULL, NULL
         FROM owed WHERE done_at IS NULL AND message_id IS NULL GROUP BY way, shop, 3
         ORDER BY since, message_id",
    )?;
    let queued = |row: &Row<'_>| {
        let numbers: String = row.get("numbers")?;
        Ok(QueuedMail {
            way: row.get("way")?,
            message_id: row.get("message_id")?,
            class: row.get("class")?,
            shop: row.get("shop")?,
            discrepancies: serde_json::from_str(&numbers).unwrap_or_default(),
            since: row.get("since")?,
            attempts: row.get("attempts")?,
            again_at: row.get("attempt_at")?,
            last_error: row.get("last_error")?,
        })
    };
    Ok(rows.query_map([], queued)?.collect::<Result<_, _>>()?)
}
