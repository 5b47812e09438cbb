//! Bringing a log to PostgreSQL, and mending it after a failover that lost entries.

mod again;

use cvco_domain::Seq;
use cvco_domain::crypto::SealKey;
use cvco_log::row::{Head, Link};
use cvco_log::{LogError, LogStore, SqliteLog};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use again::Again;

use crate::append::{PostgresLog, runtime};
use crate::joined::{END, End, Identity, away, identity};
use crate::session::{PROMPT, Session};
use crate::settings::Settings;

/// So many rows go at a time.
const AT_A_TIME: usize = 256;

/// What was brought there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Brought {
    /// Entries, under their own numbers.
    pub as_they_were: i64,
    /// Entries under new numbers, at the end, because others had gone on without them.
    pub at_the_end: usize,
    /// Whether others had gone on: what this machine has after the last common entry stands under other numbers there, and its
    /// replica is to be made again.
    pub is_apart: bool,
    /// The last entry that both had.
    pub common: i64,
    /// Where the log ends now.
    pub end: i64,
}

/// Copies a whole log into an empty one, or goes on with that; rows, dates and hashes stay. `progress` hears of each step.
///
/// # Errors
/// There is another log already, or PostgreSQL is away.
pub fn push(
    settings: &Settings,
    log: &mut SqliteLog,
    key: Option<&SealKey>,
    progress: &mut dyn FnMut(i64, i64),
) -> Result<Brought, LogError> {
    let (log_id, fingerprint) = (log.id()?, key.map(SealKey::fingerprint));
    runtime()?.block_on(async {
        let mut session = Session::open(settings).await.map_err(|trouble| away(&trouble))?;
        identity(&mut session).await?;
        let claimed = session.run(PROMPT, async |client: &Client| {
            client
                .execute(
                    "UPDATE meta SET log_id = $1, key_fingerprint = $2
                     WHERE log_id <> $1 AND (SELECT seq FROM head) = 0",
                    &[&log_id, &fingerprint],
                )
                .await
        });
        claimed.await.map_err(|trouble| away(&trouble))?;
        if identity(&mut session).await?.log_id != log_id {
            return Err(LogError::CannotJoin(
                "it holds another log already; push into an empty one (`log migrate` makes the tables in a new database)"
                    .to_owned(),
            ));
        }
        let end = end(&mut session).await?;
        must_be_part(log, &end.head)?;
        let brought = carry_over(&mut session, log, end.head.clone(), progress).await?;
        Ok(Brought {
            as_they_were: brought.seq.get().saturating_sub(end.head.seq.get()),
            common: end.head.seq.get(),
            end: brought.seq.get(),
            ..Brought::default()
        })
    })
}

/// Brings the entries that PostgreSQL lost: as they were if nothing came after them there, else at its end, unless another
/// machine has brought them already.
///
/// # Errors
/// It is another log, or PostgreSQL is away.
pub fn heal(
    settings: &Settings,
    own: &Identity,
    replica: &mut SqliteLog,
    progress: &mut dyn FnMut(i64, i64),
) -> Result<Brought, LogError> {
    let runtime = runtime()?;
    let (common, there) = runtime.block_on(async {
        let mut session = Session::open(settings).await.map_err(|trouble| away(&trouble))?;
        if identity(&mut session).await?.log_id != own.log_id {
            return Err(LogError::CannotJoin("it is another log than this machine's".to_owned()));
        }
        let there = end(&mut session).await?.head;
        Ok((last_common(&mut session, replica, there.seq).await?, there))
    })?;
    let here = replica.head()?;
    let mut brought = Brought { common: common.get(), end: there.seq.get(), ..Brought::default() };
    if common == here.seq {
        return Ok(brought);
    }
    if common == there.seq {
        let end = runtime.block_on(async {
            let mut session = Session::open(settings).await.map_err(|trouble| away(&trouble))?;
            carry_over(&mut session, replica, there.clone(), progress).await
        })?;
        brought.as_they_were = end.seq.get().saturating_sub(there.seq.get());
        brought.end = end.seq.get();
        return Ok(brought);
    }
    let mut again = Again::after(common);
    runtime.block_on(async {
        let mut session = Session::open(settings).await.map_err(|trouble| away(&trouble))?;
        again.read(&mut session).await
    })?;
    let mut log =
        PostgresLog::new(settings.clone(), own.clone(), Head::default(), std::sync::Arc::default())?;
    let mut after = common;
    loop {
        let links = replica.read(after, AT_A_TIME)?;
        let Some(last) = links.last() else { break };
        after = last.row.seq;
        for link in &links {
            again.say(link, replica, &mut log)?;
        }
        again.append(&mut log)?;
        progress(after.get(), here.seq.get());
    }
    brought.is_apart = true;
    brought.at_the_end = again.appended;
    brought.end = runtime
        .block_on(async {
            let mut session = Session::open(settings).await.map_err(|trouble| away(&trouble))?;
            end(&mut session).await
        })?
        .head
        .seq
        .get();
    Ok(brought)
}

async fn end(session: &mut Session) -> Result<End, LogError> {
    let look = format!("SELECT {END} FROM head");
    let looked = session.run(PROMPT, async |client: &Client| End::of(&client.query_one(&look, &[]).await?));
    looked.await.map_err(|trouble| away(&trouble))
}

/// Refuses a log that does not hold what PostgreSQL has.
fn must_be_part(log: &mut SqliteLog, head: &Head) -> Result<(), LogError> {
    if head.seq == Seq::ZERO || hash_at(log, head.seq)?.is_some_and(|hash| hash == head.hash) {
        return Ok(());
    }
    Err(LogError::Disagrees(format!("its entry {} is not this machine's", head.seq)))
}

fn hash_at(log: &mut SqliteLog, seq: Seq) -> Result<Option<String>, LogError> {
    let links = log.read(Seq::new(seq.get().saturating_sub(1)), 1)?;
    Ok(links.into_iter().find(|link| link.row.seq == seq).map(|link| link.chain_hash))
}

/// The last entry that both have. Two chains that agree at one entry agree at all before it.
async fn last_common(session: &mut Session, log: &mut SqliteLog, there: Seq) -> Result<Seq, LogError> {
    let (mut same, mut other) = (0, there.get().min(log.head()?.seq.get()).saturating_add(1));
    while other.saturating_sub(same) > 1 {
        let middle = same.midpoint(other);
        let looked = session.run(PROMPT, async |client: &Client| {
            let row = client.query_opt("SELECT chain_hash FROM log WHERE seq = $1", &[&middle]).await?;
            row.map(|row| row.try_get::<_, String>(0)).transpose()
        });
        let theirs = looked.await.map_err(|trouble| away(&trouble))?;
        if theirs.is_some() && theirs == hash_at(log, Seq::new(middle))? {
            same = middle;
        } else {
            other = middle;
        }
    }
    Ok(Seq::new(same))
}

/// Carries rows over as they are, after an end that both have.
async fn carry_over(
    session: &mut Session,
    log: &mut SqliteLog,
    mut head: Head,
    progress: &mut dyn FnMut(i64, i64),
) -> Result<Head, LogError> {
    let to = log.head()?.seq.get();
    loop {
        let links = log.read(head.seq, AT_A_TIME)?;
        if links.is_empty() {
            return Ok(head);
        }
        let mut payloads = Vec::new();
        let old = head.clone();
        for link in &links {
            head = link
                .row
                .follow(&head, &link.chain_hash)
                .map_err(|what| LogError::Corrupt { seq: link.row.seq, what: what.english })?;
            if let Some(sealed) = log.payload(link.row.seq)? {
                payloads.push((link.row.seq.get(), sealed));
            }
        }
        carry(session, &links, &payloads, &old, &head).await?;
        progress(head.seq.get(), to);
    }
}

async fn carry(
    session: &mut Session,
    links: &[Link],
    payloads: &[(i64, Vec<u8>)],
    old: &Head,
    new: &Head,
) -> Result<(), LogError> {
    let seqs: Vec<i64> = links.iter().map(|link| link.row.seq.get()).collect();
    let ats: Vec<&str> = links.iter().map(|link| link.row.at.as_str()).collect();
    let kinds: Vec<&str> = links.iter().map(|link| link.row.kind.as_str()).collect();
    let contents: Vec<&str> = links.iter().map(|link| link.row.content.as_str()).collect();
    let digests: Vec<Option<&str>> = links.iter().map(|link| link.row.payload_sha256.as_deref()).collect();
    let hashes: Vec<&str> = links.iter().map(|link| link.chain_hash.as_str()).collect();
    let sealed_seqs: Vec<i64> = payloads.iter().map(|(seq, _)| *seq).collect();
    let sealed: Vec<&[u8]> = payloads.iter().map(|(_, sealed)| sealed.as_slice()).collect();
    let (from, to, at) = (old.seq.get(), new.seq.get(), new.at.to_string());
    let carried = session.run(PROMPT * 3, async |client: &Client| {
        let rows: [&(dyn ToSql + Sync); 6] = [&seqs, &ats, &kinds, &contents, &digests, &hashes];
        client.batch_execute("BEGIN; SELECT 1 FROM head FOR UPDATE").await?;
        client
            .execute(
                "INSERT INTO log (seq, at, kind, content, payload_sha256, chain_hash)
                 SELECT * FROM unnest($1::int8[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])",
                &rows,
            )
            .await?;
        client
            .execute(
                "INSERT INTO payloads (seq, sealed) SELECT * FROM unnest($1::int8[], $2::bytea[])",
                &[&sealed_seqs, &sealed],
            )
            .await?;
        let moved = client
            .execute(
                "UPDATE head SET seq = $3, hash = $4, at = $5 WHERE seq = $1 AND hash = $2",
                &[&from, &old.hash, &to, &new.hash, &at],
            )
            .await?;
        let end = if moved == 1 { "COMMIT" } else { "ROLLBACK" };
        client.batch_execute(end).await?;
        Ok(moved)
    });
    match (carried.await.map_err(|trouble| away(&trouble))?, session.warnings().pop()) {
        (1, None) => Ok(()),
        (1, Some(warning)) => Err(LogError::Away(warning)),
        _ => Err(LogError::Disagrees("somebody else wrote to it meanwhile".to_owned())),
    }
}
