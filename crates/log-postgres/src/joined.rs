//! What a session must find before it may be used: this machine's own log, and the entries that it knows.

use cvco_domain::{Seq, Timestamp};
use cvco_log::LogError;
use cvco_log::row::Head;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, Row};

use crate::session::{PROMPT, Session, Trouble};
use crate::settings::Settings;

/// The format of the tables that this program knows.
pub(crate) const FORMAT: i32 = 1;

/// What tells the log, and who may join it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Which log it is.
    pub log_id: String,
    /// The fingerprint of the payload key, once there is one.
    pub key_fingerprint: Option<String>,
}

/// The end of the log as the server has it, and the time there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The last entry.
    pub head: Head,
    /// How the newest program folds the log.
    pub fold_version: i32,
    /// The server's clock.
    pub now: Timestamp,
}

/// The columns of [`End`].
pub(crate) const END: &str =
    "seq, hash, at, fold_version, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

impl End {
    pub(crate) fn of(row: &Row) -> Result<Self, Error> {
        let at: &str = row.try_get(2)?;
        Ok(Self {
            head: Head {
                seq: Seq::new(row.try_get(0)?),
                hash: row.try_get(1)?,
                at: Timestamp::parse(at).unwrap_or(Timestamp::from_millis(0)),
            },
            fold_version: row.try_get(3)?,
            now: Timestamp::from_millis(row.try_get(4)?),
        })
    }
}

/// Reads what tells the log in PostgreSQL from others.
///
/// # Errors
/// There are no tables, or those of another program.
pub(crate) async fn identity(session: &mut Session) -> Result<Identity, LogError> {
    let read = async |client: &Client| {
        client.query_one("SELECT log_id, format, key_fingerprint FROM meta", &[]).await
    };
    let row = session.run(PROMPT, read).await.map_err(|trouble| {
        if trouble.is(&SqlState::UNDEFINED_TABLE) {
            LogError::CannotJoin("there are no tables yet: run `log migrate` once, as their owner".to_owned())
        } else {
            away(&trouble)
        }
    })?;
    let column = |error: Error| LogError::CannotJoin(error.to_string());
    let format: i32 = row.try_get(1).map_err(column)?;
    if format != FORMAT {
        return Err(LogError::CannotJoin(format!(
            "its tables have format {format}, and this program knows {FORMAT}: run `log migrate` with the newest program"
        )));
    }
    Ok(Identity { log_id: row.try_get(0).map_err(column)?, key_fingerprint: row.try_get(2).map_err(column)? })
}

/// Refuses another log, another payload key, and a log that lacks entries which this machine knows.
pub(crate) async fn check(session: &mut Session, own: &Identity, known: &Head) -> Result<(), LogError> {
    let found = identity(session).await?;
    if found.log_id != own.log_id {
        return Err(LogError::CannotJoin(
            "it is another log than this machine's: correct [log] url".to_owned(),
        ));
    }
    if let (Some(theirs), Some(ours)) = (&found.key_fingerprint, &own.key_fingerprint)
        && theirs != ours
    {
        return Err(LogError::CannotJoin(
            "its payloads are sealed with another payload key than this machine's: copy payload.key from a machine that \
             takes part already"
                .to_owned(),
        ));
    }
    must_know(session, known).await
}

/// Refuses a log that lacks an entry which this machine knows.
pub(crate) async fn must_know(session: &mut Session, known: &Head) -> Result<(), LogError> {
    if known.seq == Seq::ZERO {
        return Ok(());
    }
    let seq = known.seq.get();
    let look = async |client: &Client| {
        let row = client.query_opt("SELECT chain_hash FROM log WHERE seq = $1", &[&seq]).await?;
        row.map(|row| row.try_get::<_, String>(0)).transpose()
    };
    match session.run(PROMPT, look).await.map_err(|trouble| away(&trouble))? {
        Some(hash) if hash == known.hash => Ok(()),
        Some(_) => Err(LogError::Disagrees(format!("entry {seq} is another one there"))),
        None => Err(LogError::Disagrees(format!("entry {seq} is missing there"))),
    }
}

/// A trouble that time may mend.
pub(crate) fn away(trouble: &Trouble) -> LogError {
    LogError::Away(trouble.to_string())
}

/// Opens a session for a log that must be this machine's own.
pub(crate) async fn joined(settings: &Settings, own: &Identity, known: &Head) -> Result<Session, LogError> {
    let mut session = Session::open(settings).await.map_err(|trouble| away(&trouble))?;
    check(&mut session, own, known).await?;
    Ok(session)
}
