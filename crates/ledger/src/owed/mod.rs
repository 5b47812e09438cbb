//! What people are owed: by e-mail, and on channels. A row is owed when a discrepancy opens or closes; a `telling` entry says
//! which message tells it, a `told` entry that this message left. Both stand in the log, so a second ledger tells nothing
//! twice.

mod plan;
mod read;

use std::collections::BTreeMap;

use std::time::Duration;

use cvco_domain::{Audience, DiscrepancyId, News, Severity, ShopId, Timestamp, Way};
use cvco_log::entry::{MailAbout, MailItem, Telling, Told, Week};
use rusqlite::{Connection, OptionalExtension, params};

use crate::LedgerError;
use crate::tables::{acts, anchors, attempts, weeks};
pub use plan::{Class, Pace, QuietHours};
pub use read::{DueAnchor, DueMail, DueWeek, QueuedMail};
pub(crate) use read::{next_anchor, next_departure, next_mail, next_week, queue, waiting};

/// The channels that people are told on, from now on. What is owed on one that is gone will never be told.
pub(crate) fn tell_audiences(
    conn: &Connection,
    channels: &BTreeMap<Way, Audience>,
    at: Timestamp,
) -> Result<(), LedgerError> {
    conn.prepare_cached("DELETE FROM audiences")?.execute([])?;
    for (way, audience) in channels {
        let shops: Vec<Option<&str>> = match audience.shops.len() {
            0 => vec![None],
            _ => audience.shops.iter().map(|shop| Some(shop.as_str())).collect(),
        };
        for severity in &audience.severities {
            for shop in &shops {
                conn.prepare_cached("INSERT INTO audiences (way, severity, shop) VALUES (?1, ?2, ?3)")?
                    .execute(params![way.as_str(), severity.as_str(), shop])?;
            }
        }
    }
    let gone = "way <> 'mail' AND way NOT IN (SELECT way FROM audiences)";
    conn.prepare_cached(&format!(
        "UPDATE owed SET done_at = ?1, outcome = 'superseded' WHERE done_at IS NULL AND {gone}"
    ))?
    .execute([at])?;
    conn.prepare_cached(&format!("DELETE FROM mails WHERE told_at IS NULL AND {gone}"))?.execute([])?;
    Ok(())
}

/// Owes the news of an opening on each way that it is for: e-mail, unless the kind is for the lists alone, and the channels
/// of its severity and shop, from an instant on. A way that is owed it already is left alone.
pub(crate) fn owe_opening(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    shop: Option<&ShopId>,
    severity: Severity,
    at: Timestamp,
) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "INSERT INTO owed (way, shop, discrepancy_id, news, urgent, owed_at)
         SELECT way, ?1, ?2, 'opened', ?3 = 'urgent', ?4
         FROM (SELECT 'mail' AS way WHERE ?3 <> 'info'
               UNION SELECT way FROM audiences WHERE severity = ?3 AND (shop IS NULL OR shop = ?1)) ways
         WHERE NOT EXISTS (SELECT 1 FROM owed o
                           WHERE o.discrepancy_id = ?2 AND o.way = ways.way AND o.news = 'opened')
         ORDER BY way <> 'mail', way",
    )?
    .execute(params![shop.map(ShopId::as_str), discrepancy, severity.as_str(), at])?;
    Ok(())
}

/// Owes the news of a closing on each way that was told the opening, or is being told. What opened and closed before a
/// message was intended needs none; nor does a reminder of it.
pub(crate) fn owe_closing(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    at: Timestamp,
) -> Result<(), LedgerError> {
    for news in [News::Opened, News::Reminded, News::Escalated] {
        supersede(conn, discrepancy, news, at)?;
    }
    owe_answer(conn, discrepancy, News::Closed, at)
}

/// Owes the news that reminds of a discrepancy. It takes the place of an earlier one that waits.
pub(crate) fn owe_reminder(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    at: Timestamp,
) -> Result<(), LedgerError> {
    forget_reminder(conn, discrepancy, at)?;
    owe_answer(conn, discrepancy, News::Reminded, at)
}

/// Owes urgent news of a discrepancy that has become graver: that of its opening, if it waits still, or if it was none for
/// that way before.
pub(crate) fn owe_worsening(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    shop: Option<&ShopId>,
    severity: Severity,
    at: Timestamp,
) -> Result<(), LedgerError> {
    forget_reminder(conn, discrepancy, at)?;
    conn.prepare_cached("UPDATE owed SET urgent = 1 WHERE discrepancy_id = ?1 AND news = 'opened'")?
        .execute([discrepancy])?;
    owe_answer_where(conn, discrepancy, News::Reminded, at, "o.message_id IS NOT NULL")?;
    owe_opening(conn, discrepancy, shop, severity, at)
}

/// Owes the news of other figures on each way on which the opening has left.
pub(crate) fn owe_growth(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    at: Timestamp,
) -> Result<(), LedgerError> {
    forget_reminder(conn, discrepancy, at)?;
    owe_answer_where(conn, discrepancy, News::Reminded, at, "o.message_id IS NOT NULL")
}

/// Owes the news that more of the same came, on each way on which the opening has left: at once, or an hour after the last such
/// news, together with what came meanwhile.
pub(crate) fn owe_more(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    at: Timestamp,
) -> Result<(), LedgerError> {
    let told: Option<Timestamp> = conn
        .prepare_cached("SELECT MAX(owed_at) FROM owed WHERE discrepancy_id = ?1")?
        .query_row([discrepancy], |row| row.get(0))?;
    owe_answer_where(
        conn,
        discrepancy,
        News::Reminded,
        told.map_or(at, |told| at.max(told.after(MORE_IS_GATHERED))),
        "o.message_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM owed r WHERE r.discrepancy_id = ?1 AND r.way = o.way
           AND r.news = 'reminded' AND r.done_at IS NULL AND r.message_id IS NULL)",
    )
}

/// A PSP that speaks another way from now on does so with each message.
const MORE_IS_GATHERED: Duration = Duration::from_hours(1);

/// Owes the e-mail to those who are told what nobody has seen.
pub(crate) fn owe_escalation(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    at: Timestamp,
) -> Result<(), LedgerError> {
    owe_answer_where(conn, discrepancy, News::Escalated, at, "o.way = 'mail'")
}

/// A reminder that no message carries yet is no longer worth sending.
pub(crate) fn forget_reminder(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    at: Timestamp,
) -> Result<(), LedgerError> {
    supersede(conn, discrepancy, News::Reminded, at)
}

/// Drops news that no message carries yet.
fn supersede(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    news: News,
    at: Timestamp,
) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "UPDATE owed SET done_at = ?3, outcome = 'superseded'
         WHERE discrepancy_id = ?1 AND news = ?2 AND done_at IS NULL AND message_id IS NULL",
    )?
    .execute(params![discrepancy, news.as_str(), at])?;
    Ok(())
}

/// Owes news in the thread of the opening, and as urgent, on each way that was owed the opening.
fn owe_answer(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    news: News,
    at: Timestamp,
) -> Result<(), LedgerError> {
    owe_answer_where(conn, discrepancy, news, at, "COALESCE(o.outcome, '') <> 'superseded'")
}

fn owe_answer_where(
    conn: &Connection,
    discrepancy: DiscrepancyId,
    news: News,
    at: Timestamp,
    condition: &str,
) -> Result<(), LedgerError> {
    conn.prepare_cached(&format!(
        "INSERT INTO owed (way, shop, discrepancy_id, news, urgent, owed_at)
         SELECT o.way, o.shop, o.discrepancy_id, ?2, o.urgent, ?3 FROM owed o
         WHERE o.discrepancy_id = ?1 AND o.news = 'opened' AND {condition} ORDER BY o.id"
    ))?
    .execute(params![discrepancy, news.as_str(), at])?;
    Ok(())
}

/// A message is about to leave: what it tells is no longer open to another one on its way.
pub(crate) fn intend(conn: &Connection, telling: &Telling, at: Timestamp) -> Result<(), LedgerError> {
    let Telling { message_id, way, about } = telling;
    let mut carried: Option<Carried> = None;
    match about {
        MailAbout::Anchor(seq) => {
            if anchors::mail_intended(conn, *seq, message_id)? {
                carried = Some(Carried { shop: None, class: "anchor" });
            }
        }
        MailAbout::Week(Week { until, shops }) => {
            if weeks::mail_intended(conn, *until, shops, message_id)? {
                carried = Some(Carried { shop: None, class: "week" });
            }
        }
        MailAbout::Discrepancies(items) => {
            let mut gravest: Option<(Class, Option<ShopId>)> = None;
            for item in items {
                gravest = gravest.into_iter().chain(carry(conn, message_id, way, item, at)?).min();
            }
            carried = gravest.map(|(class, shop)| Carried { shop, class: class.as_str() });
        }
    }
    // A message that tells nothing which is owed would be tried forever, and hold up all others.
    let Some(Carried { shop, class }) = carried else { return Ok(()) };
    conn.prepare_cached(
        "INSERT OR IGNORE INTO mails (message_id, way, shop, class, intended_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![message_id, way.as_str(), shop.as_ref().map(ShopId::as_str), class, at])?;
    Ok(())
}

/// Whose news a message carries, and what kind of message that makes it.
struct Carried {
    shop: Option<ShopId>,
    class: &'static str,
}

/// Notes that a message carries a piece of news, if it is owed. News that was superseded while the message was being
/// written is told all the same, for the message leaves; so what superseded it must be told too.
fn carry(
    conn: &Connection,
    message_id: &str,
    way: &Way,
    item: &MailItem,
    at: Timestamp,
) -> Result<Option<(Class, Option<ShopId>)>, LedgerError> {
    struct Row {
        id: i64,
        shop: Option<ShopId>,
        urgent: bool,
        was_superseded: bool,
    }
    let Some(id) = acts::find(conn, &item.of, item.discrepancy)? else { return Ok(None) };
    let owed = conn
        .prepare_cached(
            "SELECT id, shop, urgent, done_at IS NOT NULL FROM owed
             WHERE discrepancy_id = ?1 AND news = ?2 AND way = ?3 AND message_id IS NULL
             ORDER BY done_at IS NOT NULL, id DESC LIMIT 1",
        )?
        .query_row(params![id, item.news.as_str(), way.as_str()], |row| {
            Ok(Row { id: row.get(0)?, shop: row.get(1)?, urgent: row.get(2)?, was_superseded: row.get(3)? })
        })
        .optional()?;
    let Some(Row { id: row, shop, urgent, was_superseded }) = owed else { return Ok(None) };
    conn.prepare_cached("UPDATE owed SET message_id = ?2, done_at = NULL, outcome = NULL WHERE id = ?1")?
        .execute(params![row, message_id])?;
    if was_superseded && item.news == News::Opened {
        conn.prepare_cached(
            "INSERT INTO owed (way, shop, discrepancy_id, news, urgent, owed_at)
             SELECT way, shop, discrepancy_id, 'closed', urgent, ?2 FROM owed WHERE id = ?1",
        )?
        .execute(params![row, at])?;
    }
    Ok(Some((Class::of(item.news, urgent), shop)))
}

/// The message left.
pub(crate) fn told(conn: &Connection, Told { message_id }: &Told, at: Timestamp) -> Result<(), LedgerError> {
    conn.prepare_cached("UPDATE mails SET told_at = ?2 WHERE message_id = ?1 AND told_at IS NULL")?
        .execute(params![message_id, at])?;
    conn.prepare_cached(
        "UPDATE owed SET done_at = ?2, outcome = 'sent' WHERE message_id = ?1 AND done_at IS NULL",
    )?
    .execute(params![message_id, at])?;
    attempts::forget(conn, message_id)
}
