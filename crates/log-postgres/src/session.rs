//! One connection to PostgreSQL, driven by whoever uses it, so that each warning is heard in its place.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_postgres::error::{DbError, Severity, SqlState};
use tokio_postgres::{AsyncMessage, Client, Connection, Error, Socket};

use crate::settings::Settings;
use crate::tls::{Secured, Tls};

/// How each session is set, whatever the server's defaults are. Nothing may cut a COMMIT off: what a timeout ends there was
/// stored all the same. A machine that stands still while it holds the end of the log is let go of in less time than a call
/// waits.
const MANNERS: &str = "
    SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET synchronous_commit = on;
    SET statement_timeout = 0;
    SET lock_timeout = '8s';
    SET idle_in_transaction_session_timeout = '5s';
    SET client_connection_check_interval = '2s';
    SET client_min_messages = warning;
    SET standard_conforming_strings = on";

/// The first version that can end a whole transaction after a time.
const ENDS_TRANSACTIONS: i64 = 170_000;

/// The oldest version that is known to do.
const OLDEST: i64 = 140_000;

/// How long a statement may take that waits for nobody.
pub(crate) const PROMPT: Duration = Duration::from_secs(10);

/// How long one server may take to let us in: TCP, TLS, login, and whether it takes writes.
const PER_SERVER: Duration = Duration::from_secs(3);

/// What went wrong with a statement.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The server refused it.
    Refused(Box<DbError>),
    /// Nothing is known of it: no connection, or no answer in time.
    Lost(String),
}

impl Trouble {
    /// Whether the server refused it for this reason.
    pub(crate) fn is(&self, state: &SqlState) -> bool {
        matches!(self, Self::Refused(error) if error.code() == state)
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(error) => write!(f, "{} ({})", error.message(), error.code().code()),
            Self::Lost(why) => f.write_str(why),
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        use std::error::Error as _;
        match error.as_db_error() {
            Some(refused) => Self::Refused(Box::new(refused.clone())),
            None => Self::Lost(match error.source() {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            }),
        }
    }
}

/// A connection.
pub(crate) struct Session {
    client: Client,
    connection: Connection<Socket, Secured<Socket>>,
    /// What the server warned of since somebody looked.
    warnings: Vec<String>,
    /// Whether the log is said to have grown since somebody looked.
    has_news: bool,
    /// Why the connection is at its end.
    ended: Option<String>,
}

impl Session {
    /// Connects, and sets the session.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, Trouble> {
        let tls = if settings.is_near() {
            Tls::trusting_nobody()
        } else {
            Tls::trusting(settings.ca_file.as_deref())
        };
        let tls = tls.map_err(Trouble::Lost)?;
        let (client, connection) = connect(settings, &tls).await?;
        let mut session = Self { client, connection, warnings: Vec::new(), has_news: false, ended: None };
        let manners = async |client: &Client| {
            client.batch_execute(MANNERS).await?;
            let row = client.query_one("SELECT current_setting('server_version_num')::bigint", &[]).await?;
            let version: i64 = row.try_get(0)?;
            if version >= ENDS_TRANSACTIONS {
                client.batch_execute("SET transaction_timeout = 0").await?;
            }
            Ok(version)
        };
        let version = session.run(PROMPT, manners).await?;
        if version < OLDEST {
            return Err(Trouble::Lost(format!(
                "it is PostgreSQL {}; 14 or later is needed",
                version / 10_000
            )));
        }
        Ok(session)
    }

    /// Does a piece of work over the connection. After an error that is no refusal, or when the time is over, the session is
    /// of no more use.
    pub(crate) async fn run<T>(
        &mut self,
        within: Duration,
        work: impl AsyncFnOnce(&Client) -> Result<T, Error>,
    ) -> Result<T, Trouble> {
        let Self { client, connection, warnings, has_news, ended } = self;
        let mut work = pin!(work(client));
        let driven = poll_fn(|cx| {
            hear(connection, warnings, has_news, ended, cx);
            match (work.as_mut().poll(cx).map_err(Trouble::from), &*ended) {
                // It would wait for an answer that cannot come any more.
                (Poll::Pending, Some(why)) => Poll::Ready(Err(Trouble::Lost(why.clone()))),
                // The connection knows better why.
                (Poll::Ready(Err(Trouble::Lost(_))), Some(why)) => {
                    Poll::Ready(Err(Trouble::Lost(why.clone())))
                }
                (answer, _) => answer,
            }
        });
        let answered = timeout(within, driven).await;
        answered.unwrap_or_else(|_| {
            let why = "no answer in time".to_owned();
            *ended = Some(why.clone());
            Err(Trouble::Lost(why))
        })
    }

    /// Waits until the log is said to have grown, at most for so long; an error if the connection ends.
    pub(crate) async fn listen(&mut self, until: Instant) -> Result<(), Trouble> {
        let Self { connection, warnings, has_news, ended, .. } = self;
        let heard = poll_fn(|cx| {
            hear(connection, warnings, has_news, ended, cx);
            match ended {
                Some(why) => Poll::Ready(Err(Trouble::Lost(why.clone()))),
                None if std::mem::take(has_news) => Poll::Ready(Ok(())),
                None => Poll::Pending,
            }
        });
        tokio::time::timeout_at(until, heard).await.unwrap_or(Ok(()))
    }

    /// What the server warned of since the last look.
    pub(crate) fn warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Whether it is of no more use.
    pub(crate) const fn is_over(&self) -> bool {
        self.ended.is_some()
    }
}

/// A connection to the first server that takes writes.
async fn connect(
    settings: &Settings,
    tls: &Tls,
) -> Result<(Client, Connection<Socket, Secured<Socket>>), Trouble> {
    let mut why = Trouble::Lost("no server is named".to_owned());
    for (place, server) in settings.servers() {
        match timeout(PER_SERVER, server.connect(tls.clone())).await {
            Ok(Ok(connected)) => {
                settings.takes_writes(place);
                return Ok(connected);
            }
            Ok(Err(error)) => why = error.into(),
            Err(_) => why = Trouble::Lost("a server does not answer".to_owned()),
        }
    }
    Err(why)
}

/// Moves bytes both ways, and hears what the server says unasked.
fn hear(
    connection: &mut Connection<Socket, Secured<Socket>>,
    warnings: &mut Vec<String>,
    has_news: &mut bool,
    ended: &mut Option<String>,
    cx: &mut Context<'_>,
) {
    while ended.is_none() {
        match connection.poll_message(cx) {
            Poll::Ready(Some(Ok(AsyncMessage::Notice(notice)))) => {
                if matches!(notice.parsed_severity(), Some(Severity::Warning)) {
                    warnings.push(notice.message().to_owned());
                }
            }
            Poll::Ready(Some(Ok(AsyncMessage::Notification(_)))) => *has_news = true,
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(Some(Err(error))) => *ended = Some(Trouble::from(error).to_string()),
            Poll::Ready(None) => *ended = Some("the connection was closed".to_owned()),
            Poll::Pending => return,
        }
    }
}
