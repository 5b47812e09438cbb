//! The tables, made once by their owner.

use cvco_domain::crypto::random_id;
use cvco_log::LogError;
use tokio_postgres::Client;

use crate::joined::{FORMAT, away, identity};
use crate::session::{PROMPT, Session};
use crate::settings::Settings;

/// The tables.
pub const SCHEMA: &str = include_str!("schema.sql");

/// What each role may.
pub const ROLES: &str = include_str!("roles.sql");

/// Makes the tables where there are none, and grants what each role may; whether it made them.
///
/// # Errors
/// The account may not, PostgreSQL is away, or the tables are of another program.
pub fn migrate(settings: &Settings) -> Result<bool, LogError> {
    crate::append::runtime()?.block_on(async {
        let mut session = Session::open(settings).await.map_err(|trouble| away(&trouble))?;
        let exists = async |client: &Client| {
            client.query_one("SELECT to_regclass('head') IS NOT NULL", &[]).await?.try_get::<_, bool>(0)
        };
        let is_there = session.run(PROMPT, exists).await.map_err(|trouble| away(&trouble))?;
        if !is_there {
            let id = random_id()?;
            let tables = format!("BEGIN; {SCHEMA} INSERT INTO meta VALUES (1, '{id}', {FORMAT}); COMMIT;");
            let make = async |client: &Client| client.batch_execute(&tables).await;
            session.run(PROMPT, make).await.map_err(|trouble| {
                LogError::CannotJoin(format!("its tables could not be made: {trouble}"))
            })?;
        }
        identity(&mut session).await?;
        let grant = async |client: &Client| client.batch_execute(ROLES).await;
        session.run(PROMPT, grant).await.map_err(|trouble| {
            LogError::CannotJoin(format!("what each role may could not be granted: {trouble}"))
        })?;
        Ok(!is_there)
    })
}
