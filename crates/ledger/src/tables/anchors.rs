//! Anchors: links of the chain for people to keep, one for each day that brought news. Whoever can write to the files can
//! make another chain; nobody can call back the mails.

use cvco_domain::{Day, Seq, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::progress::Progress;
use crate::LedgerError;

/// Anchors what the log was at the last midnight before `at`, if it brought news since the anchor before. `progress` is
/// the end of the log before the entry of that date.
pub(crate) fn create_if_due(
    conn: &Connection,
    progress: &Progress,
    at: Timestamp,
) -> Result<(), LedgerError> {
    let midnight = at.paris_midnight();
    let (news_seq, news_at) = progress.news;
    if news_seq == Seq::ZERO || progress.at >= midnight {
        return Ok(());
    }
    let before: Option<(Seq, Day)> = conn
        .prepare_cached("SELECT seq, day FROM anchors ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if before.as_ref().is_some_and(|(seq, _)| news_seq <= *seq) {
        return Ok(());
    }
    let day = news_at.paris_day();
    // A clock that was put right can bring another anchor of the same day.
    let first_day = before.as_ref().map_or(day, |(_, day)| day.next()).min(day);
    let first_seq = before.map_or(Seq::new(1), |(seq, _)| seq.next());
    conn.prepare_cached(
        "INSERT INTO anchors (seq, chain_hash, first_seq, first_day, day) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![progress.seq, progress.chain_hash, first_seq, first_day, day])?;
    Ok(())
}

/// When the log is anchored next if nothing else happens: at the midnight after the last news.
pub(crate) fn next_deadline(
    conn: &Connection,
    progress: &Progress,
) -> Result<Option<Timestamp>, LedgerError> {
    let (news_seq, news_at) = progress.news;
    let last: Option<Seq> =
        conn.prepare_cached("SELECT MAX(seq) FROM anchors")?.query_row([], |row| row.get(0))?;
    let has_news = news_seq > last.unwrap_or(Seq::ZERO);
    Ok(has_news.then(|| news_at.next_paris_midnight()))
}

/// Notes the e-mail that carries an anchor; whether it is the first that does.
pub(crate) fn mail_intended(conn: &Connection, seq: Seq, message_id: &str) -> Result<bool, LedgerError> {
    let noted = conn
        .prepare_cached("UPDATE anchors SET message_id = ?2 WHERE seq = ?1 AND message_id IS NULL")?
        .execute(params![seq, message_id])?;
    Ok(noted > 0)
}
