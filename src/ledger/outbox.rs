//! E-mails owed. A row is owed in the very transaction that opens or closes a discrepancy; the alert worker
//! claims what is due as one e-mail, sends it, and reports back. An e-mail's message id is fixed at its first
//! claim, so that a repetition after a crash can be recognised as the same e-mail.

use std::time::Duration;

use cvco_domain::{News, Severity, ShopId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::LedgerError;

/// How long to wait after a failed attempt; the last span repeats.
const BACK_OFF: [Duration; 5] = [
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_secs(45),
    Duration::from_mins(1),
];

/// How long a claimed e-mail is left alone before it counts as forgotten (a crash while it was sent). Longer
/// than the mail transport's own time limit.
pub(super) const CLAIM: Duration = Duration::from_mins(2);

/// How long to wait after so many attempts failed.
pub(super) fn wait_after(attempts: u32) -> Duration {
    let nth = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    BACK_OFF.get(nth).or(BACK_OFF.last()).copied().unwrap_or(Duration::from_mins(1))
}

/// One e-mail to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Identifies the e-mail over attempts and restarts; without the angle brackets of a header.
    pub message_id: String,
    /// The e-mail that it answers, so that a reminder or closing stands in the thread of its opening.
    pub in_reply_to: Option<String>,
    /// Whose it is.
    pub shop: ShopId,
    /// The discrepancies, in the order of their opening.
    pub items: Vec<(News, i64)>,
}

/// Owes the e-mail of an opening, unless the kind is for the lists alone.
pub(super) fn owe_opening(
    conn: &Connection,
    discrepancy: i64,
    shop: &str,
    severity: Severity,
    at: Timestamp,
) -> Result<(), LedgerError> {
    let urgent = match severity {
        Severity::Info => return Ok(()),
        Severity::Warning => false,
        Severity::Urgent => true,
    };
    owe(conn, (discrepancy, "opened"), shop, urgent, at)
}

/// Owes the e-mail of a closing, if one of the opening was owed. It takes the place of a reminder.
pub(super) fn owe_closing(conn: &Connection, discrepancy: i64, at: Timestamp) -> Result<(), LedgerError> {
    forget_reminder(conn, discrepancy, at)?;
    owe_answer(conn, (discrepancy, "closed"), at)
}

/// Owes the e-mail that reminds of a discrepancy, if one of the opening was owed. It takes the place of an
/// earlier one that waits.
pub(super) fn owe_reminder(conn: &Connection, discrepancy: i64, at: Timestamp) -> Result<(), LedgerError> {
    forget_reminder(conn, discrepancy, at)?;
    owe_answer(conn, (discrepancy, "reminded"), at)
}

/// A reminder that no e-mail carries yet is no longer worth sending.
pub(super) fn forget_reminder(conn: &Connection, discrepancy: i64, at: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "UPDATE outbox SET done_at = ?2, outcome = 'superseded'
         WHERE discrepancy_id = ?1 AND news = 'reminded' AND done_at IS NULL AND message_id IS NULL",
    )?
    .execute(params![discrepancy, at])?;
    Ok(())
}

/// Owes an e-mail in the thread of the opening, and as urgent, if one of the opening was owed.
fn owe_answer(conn: &Connection, (discrepancy, news): (i64, &str), at: Timestamp) -> Result<(), LedgerError> {
    let opening: Option<(String, bool)> = conn
        .prepare_cached("SELECT shop, urgent FROM outbox WHERE discrepancy_id = ?1 AND news = 'opened'")?
        .query_row([discrepancy], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match opening {
        Some((shop, urgent)) => owe(conn, (discrepancy, news), &shop, urgent, at),
        None => Ok(()),
    }
}

fn owe(
    conn: &Connection,
    (discrepancy, news): (i64, &str),
    shop: &str,
    urgent: bool,
    at: Timestamp,
) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "INSERT INTO outbox (shop, discrepancy_id, news, urgent, created_at, attempt_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
    )?
    .execute(params![shop, discrepancy, news, urgent, at])?;
    Ok(())
}

/// Puts the next due e-mail together, if there is one; repeated attempts come first. `host` becomes part of
/// new message ids.
pub(super) fn claim(
    conn: &Connection,
    now: Timestamp,
    digest: Duration,
    host: &str,
) -> Result<Option<Claim>, LedgerError> {
    forget_what_came_and_went(conn, now)?;
    let message_id = match attempted_before(conn, now)? {
        Some(message_id) => message_id,
        None => match put_together(conn, now, digest, host)? {
            Some(message_id) => message_id,
            None => return Ok(None),
        },
    };
    conn.prepare_cached(
        "UPDATE outbox SET attempts = attempts + 1, attempt_at = ?2 WHERE message_id = ?1 AND done_at IS NULL",
    )?
    .execute(params![message_id, now.after(CLAIM)])?;
    read_claim(conn, &message_id).map(Some)
}

/// What opened and closed again before anybody was told needs no e-mail.
fn forget_what_came_and_went(conn: &Connection, now: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "UPDATE outbox SET done_at = ?1, outcome = 'superseded'
         WHERE done_at IS NULL AND message_id IS NULL AND discrepancy_id IN (
           SELECT o.discrepancy_id FROM outbox o JOIN outbox c ON c.discrepancy_id = o.discrepancy_id
           WHERE o.news = 'opened' AND o.done_at IS NULL AND o.message_id IS NULL AND c.news = 'closed')",
    )?
    .execute([now])?;
    Ok(())
}

/// The next e-mail that is due for another attempt. One that is put off further than any wait was put off before
/// the clock was put back.
fn attempted_before(conn: &Connection, now: Timestamp) -> Result<Option<String>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT message_id FROM outbox
             WHERE done_at IS NULL AND message_id IS NOT NULL AND (attempt_at <= ?1 OR attempt_at > ?2)
             ORDER BY attempt_at, id LIMIT 1",
        )?
        .query_row([now, now.after(CLAIM)], |row| row.get(0))
        .optional()?)
}

struct Owed {
    id: i64,
    shop: String,
    news: String,
    urgent: bool,
    thread: Option<String>,
}

impl Owed {
    /// Whether both can stand in one e-mail.
    fn goes_with(&self, other: &Self) -> bool {
        self.shop == other.shop
            && self.news == other.news
            && self.urgent == other.urgent
            && self.thread == other.thread
    }
}

/// Gives the rows of the next new e-mail their message id. An urgent opening or reminder goes alone and at once; the
/// rest of a shop waits until its last digest is old enough; one of the future was sent before the clock was put
/// back. A reminder or closing answers the e-mail of its opening, once that one has been sent.
fn put_together(
    conn: &Connection,
    now: Timestamp,
    digest: Duration,
    host: &str,
) -> Result<Option<String>, LedgerError> {
    let mut statement = conn.prepare_cached(
        "SELECT n.id, n.shop, n.news, n.urgent, o.message_id FROM outbox n
         LEFT JOIN outbox o ON n.news <> 'opened' AND o.discrepancy_id = n.discrepancy_id AND o.news = 'opened'
         WHERE n.done_at IS NULL AND n.message_id IS NULL
           AND (n.news = 'opened' OR o.outcome = 'sent')
           AND (n.urgent = 1 OR NOT EXISTS (
                SELECT 1 FROM outbox d WHERE d.shop = n.shop AND d.urgent = 0 AND d.claimed_at > ?2 AND d.claimed_at <= ?1))
         ORDER BY n.urgent DESC, n.id LIMIT 500",
    )?;
    let owed: Vec<Owed> = statement
        .query_map(params![now, now.before(digest)], |row| {
            Ok(Owed {
                id: row.get(0)?,
                shop: row.get(1)?,
                news: row.get(2)?,
                urgent: row.get(3)?,
                thread: row.get(4)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    let Some(first) = owed.first() else { return Ok(None) };
    let alone = digest.is_zero() || (first.urgent && first.news != "closed");
    let message_id = format!("cvco-{}-{}@{host}", now.millis(), first.id);
    for row in owed.iter().filter(|row| row.id == first.id || (!alone && row.goes_with(first))) {
        conn.prepare_cached("UPDATE outbox SET message_id = ?2, claimed_at = ?3 WHERE id = ?1")?
            .execute(params![row.id, message_id, now])?;
    }
    Ok(Some(message_id))
}

fn read_claim(conn: &Connection, message_id: &str) -> Result<Claim, LedgerError> {
    let mut statement = conn.prepare_cached(
        "SELECT n.id, n.shop, n.news, n.discrepancy_id, o.message_id FROM outbox n
         LEFT JOIN outbox o ON n.news <> 'opened' AND o.discrepancy_id = n.discrepancy_id AND o.news = 'opened'
         WHERE n.message_id = ?1 AND n.done_at IS NULL ORDER BY n.discrepancy_id",
    )?;
    let mut claim: Option<Claim> = None;
    let mut rows = statement.query([message_id])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let corrupt = || LedgerError::CorruptRow { table: "outbox", id };
        let news = match row.get::<_, String>(2)?.as_str() {
            "opened" => News::Opened,
            "reminded" => News::Reminded,
            "closed" => News::Closed,
            _ => return Err(corrupt()),
        };
        let shop = ShopId::new(row.get::<_, String>(1)?).map_err(|_| corrupt())?;
        let item = (news, row.get(3)?);
        match &mut claim {
            Some(claim) => claim.items.push(item),
            None => {
                claim = Some(Claim {
                    message_id: message_id.to_owned(),
                    in_reply_to: row.get(4)?,
                    shop,
                    items: vec![item],
                });
            }
        }
    }
    claim.ok_or(LedgerError::CorruptRow { table: "outbox", id: 0 })
}

/// Nobody is sending: whatever was claimed and not reported back may go at once.
pub(super) fn release(conn: &Connection, now: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "UPDATE outbox SET attempt_at = ?1 WHERE done_at IS NULL AND message_id IS NOT NULL AND attempt_at > ?1",
    )?
    .execute([now])?;
    Ok(())
}

/// The e-mail has been handed over.
pub(super) fn sent(conn: &Connection, message_id: &str, now: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "UPDATE outbox SET done_at = ?2, outcome = 'sent', last_error = NULL
         WHERE message_id = ?1 AND done_at IS NULL",
    )?
    .execute(params![message_id, now])?;
    Ok(())
}

/// The e-mail could not be handed over; it is tried again later.
pub(super) fn failed(
    conn: &Connection,
    message_id: &str,
    error: &str,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let attempts: Option<u32> = conn
        .prepare_cached("SELECT MAX(attempts) FROM outbox WHERE message_id = ?1")?
        .query_row([message_id], |row| row.get(0))?;
    let Some(attempts) = attempts else { return Ok(()) };
    conn.prepare_cached(
        "UPDATE outbox SET attempt_at = ?2, last_error = ?3 WHERE message_id = ?1 AND done_at IS NULL",
    )?
    .execute(params![message_id, now.after(wait_after(attempts)), error])?;
    Ok(())
}
