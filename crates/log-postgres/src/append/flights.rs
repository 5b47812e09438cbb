//! The two flights of a group, and the statements that they carry.

use std::time::Duration;

use cvco_log::row::{Head, Row};
use cvco_log::{Draft, LogError, Stamp};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Statement};

use crate::joined::{END, End};
use crate::session::{PROMPT, Session, Trouble};

/// A session with its statements.
pub(super) struct Ready {
    pub(super) session: Session,
    pub(super) head: Statement,
    pub(super) lease: Statement,
    pub(super) rows: Statement,
    pub(super) payloads: Statement,
    pub(super) advance: Statement,
    pub(super) seen: Statement,
}

/// What the first flight brought.
pub(super) struct Begun {
    pub(super) end: End,
    pub(super) may_lead: bool,
}

/// How the second flight failed.
pub(super) enum Unfinished {
    /// The transaction came to nothing.
    Nothing(Trouble),
    /// It may have been committed.
    Unknown(String),
}

impl Ready {
    pub(super) async fn prepare(mut session: Session) -> Result<Self, Trouble> {
        let head = format!("SELECT {END} FROM head FOR UPDATE");
        let prepare = async |client: &Client| {
            Ok((
                client.prepare(&head).await?,
                client
                    .prepare(
                        "SELECT 1 FROM lease WHERE name = 'leader' AND epoch = $1 AND holder = $2
                           AND expires > clock_timestamp() FOR SHARE",
                    )
                    .await?,
                client
                    .prepare(
                        "INSERT INTO log (seq, at, kind, content, payload_sha256, chain_hash)
                         SELECT * FROM unnest($1::int8[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])",
                    )
                    .await?,
                client
                    .prepare("INSERT INTO payloads (seq, sealed) SELECT * FROM unnest($1::int8[], $2::bytea[])")
                    .await?,
                // No row is an error, and so ends the transaction: the COMMIT is on its way already.
                client
                    .prepare(
                        "WITH moved AS (UPDATE head SET seq = $3, hash = $4, at = $5 WHERE seq = $1 AND hash = $2
                                        RETURNING seq)
                         SELECT 1 / count(*), pg_notify('cvco_log', '') FROM moved",
                    )
                    .await?,
                client
                    .prepare(
                        "INSERT INTO nodes VALUES ($1, $2, $3, $4, clock_timestamp())
                         ON CONFLICT (name) DO UPDATE
                           SET seq = excluded.seq, hash = excluded.hash, version = excluded.version,
                               seen = excluded.seen
                         RETURNING (SELECT fold_version FROM head)",
                    )
                    .await?,
            ))
        };
        let (head, lease, rows, payloads, advance, seen) = session.run(PROMPT, prepare).await?;
        Ok(Self { session, head, lease, rows, payloads, advance, seen })
    }

    /// The first flight: the end of the log, locked.
    pub(super) async fn begin(
        &mut self,
        lead: Option<(i64, String)>,
        within: Duration,
    ) -> Result<Begun, Trouble> {
        let Self { session, head, lease, .. } = self;
        let begun = session.run(within, async |client: &Client| {
            let leads = async {
                match &lead {
                    Some((epoch, holder)) => Ok(client.query_opt(&*lease, &[epoch, holder]).await?.is_some()),
                    None => Ok::<_, Error>(true),
                }
            };
            let (begun, end, may_lead) =
                tokio::join!(biased; client.batch_execute("BEGIN"), client.query_one(&*head, &[]), leads);
            begun?;
            Ok(Begun { end: End::of(&end?)?, may_lead: may_lead? })
        });
        let begun = begun.await?;
        // What was said before is not about this group.
        drop(session.warnings());
        Ok(begun)
    }

    /// The second flight: the rows, the new end, and the commit.
    pub(super) async fn finish(
        &mut self,
        columns: &Columns<'_>,
        old: &Head,
        within: Duration,
    ) -> Result<(), Unfinished> {
        let Self { session, rows, payloads, advance, .. } = self;
        let end = &columns.end;
        let (from, to, at) = (old.seq.get(), end.seq.get(), end.at.to_string());
        let flight = session.run(within, async |client: &Client| {
            let sealed = async {
                if columns.sealed.is_empty() {
                    return Ok(());
                }
                client.execute(&*payloads, &[&columns.sealed_seqs, &columns.sealed]).await.map(drop)
            };
            let written = async {
                let columns: [&(dyn ToSql + Sync); 6] = [
                    &columns.seqs,
                    &columns.ats,
                    &columns.kinds,
                    &columns.contents,
                    &columns.digests,
                    &columns.hashes,
                ];
                client.execute(&*rows, &columns).await
            };
            let advanced =
                async { client.query_one(&*advance, &[&from, &old.hash, &to, &end.hash, &at]).await };
            // Each is sent before any answer is waited for, and in this order.
            let (written, sealed, advanced, committed) =
                tokio::join!(biased; written, sealed, advanced, client.batch_execute("COMMIT"));
            let before = [written.err(), sealed.err(), advanced.err()];
            Ok((before.into_iter().flatten().next(), committed))
        });
        let (before, committed) = match flight.await {
            Ok(answers) => answers,
            Err(trouble) => return Err(Unfinished::Unknown(trouble.to_string())),
        };
        if let Some(trouble) = before.map(Trouble::from)
            && matches!(trouble, Trouble::Refused(_))
        {
            // The transaction had failed before the COMMIT came, which then only ended it.
            return Err(Unfinished::Nothing(trouble));
        }
        if let Err(error) = committed {
            return Err(Unfinished::Unknown(Trouble::from(error).to_string()));
        }
        // A wait for the standby that somebody cancelled is told as success, with a warning.
        match session.warnings().pop() {
            Some(warning) => Err(Unfinished::Unknown(warning)),
            None => Ok(()),
        }
    }
}

/// A group in columns, as PostgreSQL takes it.
pub(super) struct Columns<'d> {
    seqs: Vec<i64>,
    ats: Vec<String>,
    kinds: Vec<String>,
    contents: Vec<String>,
    digests: Vec<Option<String>>,
    hashes: Vec<String>,
    sealed_seqs: Vec<i64>,
    sealed: Vec<&'d [u8]>,
    pub(super) stamps: Vec<Stamp>,
    pub(super) end: Head,
}

impl<'d> Columns<'d> {
    /// Numbers, dates and links a group after the end of the log.
    pub(super) fn of(group: &'d [Draft], end: &End) -> Result<Self, LogError> {
        let mut columns = Self {
            seqs: Vec::with_capacity(group.len()),
            ats: Vec::with_capacity(group.len()),
            kinds: Vec::with_capacity(group.len()),
            contents: Vec::with_capacity(group.len()),
            digests: Vec::with_capacity(group.len()),
            hashes: Vec::with_capacity(group.len()),
            sealed_seqs: Vec::new(),
            sealed: Vec::new(),
            stamps: Vec::with_capacity(group.len()),
            end: end.head.clone(),
        };
        for draft in group {
            let row = draft.row_after(&columns.end, end.now);
            if let Some(sealed) = draft.sealed() {
                columns.sealed_seqs.push(row.seq.get());
                columns.sealed.push(sealed);
            }
            columns.push(row)?;
        }
        Ok(columns)
    }

    fn push(&mut self, row: Row) -> Result<(), LogError> {
        let chain_hash = row.chain_hash(&self.end.hash);
        let stamp = Stamp { seq: row.seq, at: row.date()? };
        self.end = Head { seq: stamp.seq, at: stamp.at, hash: chain_hash.clone() };
        self.stamps.push(stamp);
        let Row { seq, at, kind, content, payload_sha256 } = row;
        self.seqs.push(seq.get());
        self.ats.push(at);
        self.kinds.push(kind);
        self.contents.push(content);
        self.digests.push(payload_sha256);
        self.hashes.push(chain_hash);
        Ok(())
    }
}
