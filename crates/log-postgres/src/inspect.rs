//! How the log in PostgreSQL is: who takes part, who leads, and what of the server's settings could lose entries.

use cvco_domain::Timestamp;
use cvco_log::LogError;
use cvco_log::row::Head;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Row};

use crate::append::runtime;
use crate::joined::{self, END, End, Identity, away, identity};
use crate::session::{PROMPT, Session};
use crate::settings::Settings;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which log it is.
    pub identity: Identity,
    /// Its end, and the time there.
    pub end: End,
    /// Who leads.
    pub leader: Option<Leader>,
    /// The machines.
    pub machines: Vec<Machine>,
    /// The server.
    pub server: Server,
}

/// The machine that leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// Its name.
    pub name: String,
    /// The number of its lead.
    pub epoch: i64,
    /// Until when, if it does not renew.
    pub until: Timestamp,
}

/// A machine, as it last showed itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// How far its replica had come.
    pub seq: i64,
    /// Whether that is an entry of the log; `None` if it said nothing yet.
    pub agrees: Option<bool>,
    /// Its program.
    pub version: String,
    /// When.
    pub seen: Timestamp,
}

/// What decides whether the server loses entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// For people.
    pub version: String,
    /// `fsync`
    pub fsync: bool,
    /// `full_page_writes`
    pub full_page_writes: bool,
    /// `synchronous_standby_names`
    pub synchronous_standby_names: String,
    /// The standbys that are connected; `None` if this account may not see them.
    pub standbys: Option<Vec<Standby>>,
}

/// A standby.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standby {
    /// Its name.
    pub name: String,
    /// `sync`, `quorum`, `potential` or `async`.
    pub kind: String,
    /// How many bytes it still has to write to disk.
    pub behind: i64,
}

/// Looks at everything.
///
/// # Errors
/// PostgreSQL is away, or holds no log that this program knows.
pub fn inspect(settings: &Settings) -> Result<Report, LogError> {
    runtime()?.block_on(async {
        let mut session = Session::open(settings).await.map_err(|trouble| away(&trouble))?;
        let identity = identity(&mut session).await?;
        let read = session.run(PROMPT, async |client: &Client| {
            let end = End::of(&client.query_one(&format!("SELECT {END} FROM head"), &[]).await?)?;
            let leader = client
                .query_opt(
                    "SELECT holder, epoch, floor(extract(epoch FROM expires) * 1000)::bigint FROM lease
                     WHERE name = 'leader' AND expires > clock_timestamp()",
                    &[],
                )
                .await?;
            let machines = client
                .query(
                    "SELECT name, seq, CASE WHEN seq > 0 THEN
                              EXISTS (SELECT 1 FROM log WHERE log.seq = nodes.seq AND chain_hash = hash) END,
                            version, floor(extract(epoch FROM seen) * 1000)::bigint
                     FROM nodes ORDER BY name",
                    &[],
                )
                .await?;
            let server = client
                .query_one(
                    "SELECT current_setting('server_version'), current_setting('fsync')::bool,
                            current_setting('full_page_writes')::bool,
                            current_setting('synchronous_standby_names')",
                    &[],
                )
                .await?;
            Ok(Report {
                identity,
                end,
                leader: leader.as_ref().map(leader_of).transpose()?,
                machines: machines.iter().map(machine_of).collect::<Result<_, _>>()?,
                server: Server {
                    version: server.try_get(0)?,
                    fsync: server.try_get(1)?,
                    full_page_writes: server.try_get(2)?,
                    synchronous_standby_names: server.try_get(3)?,
                    standbys: None,
                },
            })
        });
        let mut report = read.await.map_err(|trouble| away(&trouble))?;
        report.server.standbys = standbys(&mut session).await?;
        Ok(report)
    })
}

/// Looks whether PostgreSQL has an entry that this machine knows. A machine whose entries it lacks takes no part, and so its row
/// among the machines says nothing of that.
///
/// # Errors
/// [`LogError::Disagrees`] if it lacks the entry; or PostgreSQL is away.
pub fn must_know(settings: &Settings, known: &Head) -> Result<(), LogError> {
    runtime()?.block_on(async {
        let mut session = Session::open(settings).await.map_err(|trouble| away(&trouble))?;
        joined::must_know(&mut session, known).await
    })
}

fn leader_of(row: &Row) -> Result<Leader, tokio_postgres::Error> {
    let holder: String = row.try_get(0)?;
    let name = holder.rsplit_once('/').map_or(holder.as_str(), |(name, _)| name).to_owned();
    Ok(Leader { name, epoch: row.try_get(1)?, until: Timestamp::from_millis(row.try_get(2)?) })
}

fn machine_of(row: &Row) -> Result<Machine, tokio_postgres::Error> {
    Ok(Machine {
        name: row.try_get(0)?,
        seq: row.try_get(1)?,
        agrees: row.try_get(2)?,
        version: row.try_get(3)?,
        seen: Timestamp::from_millis(row.try_get(4)?),
    })
}

/// The standbys, as far as this account may see them: it takes `pg_monitor`.
async fn standbys(session: &mut Session) -> Result<Option<Vec<Standby>>, LogError> {
    let read = session.run(PROMPT, async |client: &Client| {
        client
            .query(
                "SELECT application_name, sync_state, pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn)::bigint
                 FROM pg_stat_replication ORDER BY 1",
                &[],
            )
            .await
    });
    let rows = match read.await {
        Ok(rows) => rows,
        Err(trouble) if trouble.is(&SqlState::INSUFFICIENT_PRIVILEGE) => return Ok(None),
        Err(trouble) => return Err(away(&trouble)),
    };
    let mut standbys = Vec::new();
    for row in rows {
        let (name, kind, behind) = (row.try_get(0), row.try_get(1), row.try_get::<_, Option<i64>>(2));
        // Somebody without the right sees rows, and nothing in them.
        let (Ok(name), Ok(Some(kind)), Ok(behind)) = (name, kind, behind) else { return Ok(None) };
        standbys.push(Standby { name, kind, behind: behind.unwrap_or_default() });
    }
    Ok(Some(standbys))
}
