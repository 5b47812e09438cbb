//! Before a machine takes part: which log there is, and under which payload key.

use cvco_domain::Timestamp;
use cvco_log::LogError;
use tokio_postgres::Client;

use crate::append::runtime;
use crate::joined::{Identity, away, identity};
use crate::session::{PROMPT, Session};
use crate::settings::Settings;

/// What a machine finds that wants to take part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What tells the log from others.
    pub identity: Identity,
    /// When any machine last showed that it can write there.
    pub last_seen: Option<Timestamp>,
    /// What time it is there: this machine's own clock may be wrong.
    pub now: Timestamp,
}

/// Looks which log there is.
///
/// # Errors
/// PostgreSQL is away, or holds no log that this program knows.
pub fn identify(settings: &Settings) -> Result<Found, LogError> {
    runtime()?.block_on(async {
        let mut session = Session::open(settings).await.map_err(|trouble| away(&trouble))?;
        let identity = identity(&mut session).await?;
        let seen = session.run(PROMPT, async |client: &Client| {
            let query = "SELECT floor(extract(epoch FROM max(seen)) * 1000)::bigint,
                                floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM nodes";
            let row = client.query_one(query, &[]).await?;
            Ok((row.try_get::<_, Option<i64>>(0)?, row.try_get(1)?))
        });
        let (last_seen, now) = seen.await.map_err(|trouble| away(&trouble))?;
        let (last_seen, now) = (last_seen.map(Timestamp::from_millis), Timestamp::from_millis(now));
        Ok(Found { identity, last_seen, now })
    })
}

/// Makes a payload key that of the log, unless another is already.
///
/// # Errors
/// Another one is, or PostgreSQL is away.
pub fn adopt_key(settings: &Settings, fingerprint: &str) -> Result<(), LogError> {
    runtime()?.block_on(async {
        let mut session = Session::open(settings).await.map_err(|trouble| away(&trouble))?;
        let adopted = session.run(PROMPT, async |client: &Client| {
            client
                .execute("UPDATE meta SET key_fingerprint = $1 WHERE key_fingerprint IS NULL", &[&fingerprint])
                .await
        });
        adopted.await.map_err(|trouble| away(&trouble))?;
        match identity(&mut session).await?.key_fingerprint {
            Some(known) if known == fingerprint => Ok(()),
            Some(_) | None => Err(LogError::CannotJoin(
                "another machine has just made a payload key for it: take the payload.key that was made here away, and copy \
                 that machine's"
                    .to_owned(),
            )),
        }
    })
}
