//! The way out by e-mail: one SMTP conversation per mail, with the first server that takes it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use cvco_domain::Timestamp;
use cvco_mail::{RenderedMail, one_line};
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::smtp_url::{Encryption, SmtpUrl, SmtpUrlError};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a whole conversation may take. Longer than [`CONNECT`], since a mail that the server took after we
/// left is sent twice.
const CONVERSATION: Duration = Duration::from_secs(30);

/// The mail part of `[alerts]`, as the configuration has it.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// `from`.
    pub from: String,
    /// `to`.
    pub to: Vec<String>,
    /// The servers, the first before the others.
    pub servers: Vec<ServerSettings>,
}

/// One mail server, as the configuration has it.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Its table, for what is wrong with it: `alerts`, or `alerts.fallback[0]`.
    pub table: String,
    /// `smtp`.
    pub smtp_url: String,
    /// `password`, or what `password_file` holds.
    pub password: Option<SecretString>,
}

/// What is wrong with the settings: the key, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The sender.
    #[error("alerts.from: {0:?} is not an e-mail address; write for instance cvco@camping.example")]
    From(String),
    /// One of the recipients.
    #[error("{key}: {address:?} is not an e-mail address; write for instance [\"compta@camping.example\"]")]
    To {
        /// The key that names it.
        key: String,
        /// What stands there.
        address: String,
    },
    /// Nobody to write to.
    #[error("{key} is empty; name at least one recipient, for instance [\"compta@camping.example\"]")]
    NoRecipient {
        /// The key that names nobody.
        key: String,
    },
    /// The server.
    #[error("{table}.smtp: {error}")]
    Smtp {
        /// Its table.
        table: String,
        /// What is wrong.
        error: SmtpUrlError,
    },
    /// A user without a password.
    #[error("{table}.smtp names a user, but there is no {table}.password_file (nor {table}.password)")]
    PasswordMissing {
        /// Its table.
        table: String,
    },
    /// A password without a user.
    #[error("{table}.password is set, but {table}.smtp names no user; write for instance smtps://user@host")]
    UserMissing {
        /// Its table.
        table: String,
    },
    /// A password that the network would see.
    #[error(
        "{table}.smtp would send the password readable over the network; write smtps://user@host, or \
         smtp://user@host?starttls=required"
    )]
    PasswordExposed {
        /// Its table.
        table: String,
    },
    /// TLS does not work on this host.
    #[error("{table}.smtp: TLS cannot be set up ({why}); is the package ca-certificates installed?")]
    Tls {
        /// Its table.
        table: String,
        /// The reason.
        why: String,
    },
}

/// Why a message did not leave; what gives most hope stands first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum SendError {
    /// The server holds unknown senders off at first, and will take it in some minutes.
    #[error("greylisted, it is taken later: {0}")]
    Greylisted(String),
    /// The server does not want this message, or one of its recipients, for now.
    #[error("refused for now: {0}")]
    Temporary(String),
    /// The server is not there, or fails, or does not let us in: that is not about this message.
    #[error("the server cannot be used: {0}")]
    Unreachable(String),
    /// The server will never take this message.
    #[error("refused for good: {0}")]
    Permanent(String),
}

/// Sends mails to the configured recipients.
#[derive(Clone)]
pub struct Mailer {
    from: Mailbox,
    to: Vec<Mailbox>,
    servers: Arc<[Server]>,
}

/// One server, ready for use.
struct Server {
    /// Host and port.
    name: String,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("from", &self.from).field("to", &self.to).finish_non_exhaustive()
    }
}

impl TryFrom<&MailSettings> for Mailer {
    type Error = MailError;

    fn try_from(settings: &MailSettings) -> Result<Self, MailError> {
        let from = settings.from.parse().map_err(|_| MailError::From(settings.from.clone()))?;
        let to = mailboxes(&settings.to, "alerts.to")?;
        let servers = settings.servers.iter().map(Server::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { from, to, servers: servers.into() })
    }
}

impl TryFrom<&ServerSettings> for Server {
    type Error = MailError;

    fn try_from(settings: &ServerSettings) -> Result<Self, MailError> {
        let table = settings.table.clone();
        let url = SmtpUrl::parse(&settings.smtp_url)
            .map_err(|error| MailError::Smtp { table: table.clone(), error })?;
        let name = format!("{}:{}", url.host, url.port);
        Ok(Self { name, transport: transport(&url, settings.password.as_ref(), &table)? })
    }
}

fn mailboxes(addresses: &[String], key: &str) -> Result<Vec<Mailbox>, MailError> {
    if addresses.is_empty() {
        return Err(MailError::NoRecipient { key: key.to_owned() });
    }
    let wrong = |address: &String| MailError::To { key: key.to_owned(), address: address.clone() };
    addresses.iter().map(|address| address.parse().map_err(|_| wrong(address))).collect()
}

fn transport(
    url: &SmtpUrl,
    password: Option<&SecretString>,
    table: &str,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
    let table = || table.to_owned();
    // lettre takes rustls' installed provider, or else ring, and asks the system which authorities to trust.
    let parameters = || {
        TlsParameters::new_rustls(url.host.clone())
            .map_err(|error| MailError::Tls { table: table(), why: error.to_string() })
    };
    let tls = match url.encryption {
        Encryption::Plain => Tls::None,
        Encryption::Opportunistic => Tls::Opportunistic(parameters()?),
        Encryption::Required => Tls::Required(parameters()?),
        Encryption::Wrapped => Tls::Wrapper(parameters()?),
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&url.host)
        .port(url.port)
        .tls(tls)
        .timeout(Some(CONNECT));
    let builder = match (&url.user, password) {
        (None, None) => builder,
        (Some(_), None) => return Err(MailError::PasswordMissing { table: table() }),
        (None, Some(_)) => return Err(MailError::UserMissing { table: table() }),
        (Some(_), Some(_)) if !url.keeps_secrets() => {
            return Err(MailError::PasswordExposed { table: table() });
        }
        (Some(user), Some(password)) => {
            builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()))
        }
    };
    Ok(builder.build())
}

impl Server {
    async fn deliver(&self, envelope: &Envelope, bytes: &[u8]) -> Result<(), SendError> {
        match timeout(CONVERSATION, self.transport.send_raw(envelope, bytes)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(SendError::of(&error).at(&self.name)),
            Err(_) => Err(SendError::too_slow().at(&self.name)),
        }
    }
}

impl Mailer {
    /// The same way out, to others. `key` names them in the configuration.
    ///
    /// # Errors
    /// One of them is no address, or there are none.
    pub fn to(&self, to: &[String], key: &str) -> Result<Self, MailError> {
        Ok(Self { to: mailboxes(to, key)?, ..self.clone() })
    }

    /// The same way out, to these and to others as well.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        let mut to = self.to.clone();
        for other in &others.to {
            if !to.iter().any(|known| known.email == other.email) {
                to.push(other.clone());
            }
        }
        Self { to, ..self.clone() }
    }

    /// Whether both write to the same people.
    #[must_use]
    pub fn has_same_readers(&self, other: &Self) -> bool {
        self.to == other.to
    }

    /// Whom it writes to.
    #[must_use]
    pub fn readers(&self) -> Vec<String> {
        self.to.iter().map(|to| to.email.to_string()).collect()
    }

    /// Sends one mail to all recipients that have not got it. `message_id` and `in_reply_to` are written without angle
    /// brackets; the same id for the same mail lets a mail reader recognise a repetition, and `in_reply_to` threads.
    /// `delivered` are those who have it, before and after.
    ///
    /// # Errors
    /// [`SendError::Permanent`] if no recipient can ever get it. A recipient whom the server refuses does not
    /// keep the others from their mail; one whom it refuses for good is logged, one whom it refuses for now is an error.
    pub async fn send(
        &self,
        mail: &RenderedMail,
        message_id: &str,
        in_reply_to: Option<&str>,
        at: Timestamp,
        delivered: &mut BTreeSet<String>,
    ) -> Result<(), SendError> {
        let bytes = self.message(mail, message_id, in_reply_to, at)?.formatted();
        let is_left = |to: &&Mailbox| !delivered.contains::<str>(to.email.as_ref());
        let left: Vec<Address> = self.to.iter().filter(is_left).map(|to| to.email.clone()).collect();
        if left.is_empty() {
            return Ok(());
        }
        match self.deliver(left.clone(), &bytes).await {
            Ok(()) => {
                delivered.extend(left.iter().map(ToString::to_string));
                Ok(())
            }
            Err(error @ SendError::Unreachable(_)) => Err(error),
            Err(_) if left.len() > 1 => self.deliver_one_by_one(left, &bytes, delivered).await,
            Err(SendError::Permanent(why)) if !delivered.is_empty() => {
                tracing::warn!(%why, "the last recipient of a mail is refused for good");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Whether each server answers, and takes the login if there is one; by its name.
    pub async fn test_connections(&self) -> Vec<(String, Result<(), SendError>)> {
        let mut tested = Vec::new();
        for server in self.servers.iter() {
            let outcome = match timeout(CONVERSATION, server.transport.test_connection()).await {
                Ok(Ok(true)) => Ok(()),
                Ok(Ok(false)) => Err(SendError::Unreachable("the server does not answer NOOP".to_owned())),
                Ok(Err(error)) => Err(SendError::of(&error)),
                Err(_) => Err(SendError::too_slow()),
            };
            tested.push((server.name.clone(), outcome));
        }
        tested
    }

    fn message(
        &self,
        mail: &RenderedMail,
        message_id: &str,
        in_reply_to: Option<&str>,
        at: Timestamp,
    ) -> Result<Message, SendError> {
        let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(at.millis()).unwrap_or(0));
        // RFC 3834: keeps holiday notices from answering.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut builder = Message::builder()
            .from(self.from.clone())
            .date(date)
            .message_id(Some(format!("<{message_id}>")))
            .subject(&mail.subject)
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        // No one standard: Outlook reads the first two, RFC 2156 has the third.
        if mail.urgent {
            for (name, value) in [("X-Priority", "1"), ("Importance", "high"), ("Priority", "urgent")] {
                let name = HeaderName::new_from_ascii_str(name);
                builder = builder.raw_header(HeaderValue::new(name, value.to_owned()));
            }
        }
        if let Some(parent) = in_reply_to {
            builder = builder.in_reply_to(format!("<{parent}>")).references(format!("<{parent}>"));
        }
        builder
            .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
            .map_err(|error| SendError::Permanent(error.to_string()))
    }

    /// Hands the mail to the first server that takes it. Another may take what one refuses for good: that one may not know
    /// us.
    async fn deliver(&self, to: Vec<Address>, bytes: &[u8]) -> Result<(), SendError> {
        let envelope = Envelope::new(Some(self.from.email.clone()), to)
            .map_err(|error| SendError::Permanent(error.to_string()))?;
        let mut errors = Vec::new();
        for server in self.servers.iter() {
            match server.deliver(&envelope, bytes).await {
                Ok(()) => return Ok(()),
                Err(error) => errors.push(error),
            }
        }
        Err(errors.into_iter().min().unwrap_or_else(SendError::no_server))
    }

    /// A server refuses a whole conversation for one bad recipient.
    async fn deliver_one_by_one(
        &self,
        left: Vec<Address>,
        bytes: &[u8],
        delivered: &mut BTreeSet<String>,
    ) -> Result<(), SendError> {
        let mut refused: Vec<SendError> = Vec::new();
        for to in left {
            match self.deliver(vec![to.clone()], bytes).await {
                Ok(()) => drop(delivered.insert(to.to_string())),
                Err(error @ SendError::Unreachable(_)) => return Err(error),
                Err(error) => {
                    tracing::warn!(recipient = %to, %error, "a recipient is refused");
                    refused.push(error);
                }
            }
        }
        match refused.into_iter().min() {
            Some(SendError::Permanent(_)) if !delivered.is_empty() => Ok(()),
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

impl SendError {
    /// A 5xx answer is permanent, apart from those about the login (RFC 4954, section 6): they are about the
    /// configuration, and once that is corrected the mail is still wanted. 421 closes the connection (RFC 5321, 3.8).
    fn of(error: &lettre::transport::smtp::Error) -> Self {
        const ABOUT_THE_SERVER: [u16; 6] = [421, 454, 530, 534, 535, 538];
        let text = one_line(&error.to_string());
        let lower = text.to_ascii_lowercase();
        let code = error.status().map(u16::from);
        match code {
            Some(code) if code < 500 && (lower.contains("greylist") || lower.contains("graylist")) => {
                Self::Greylisted(text)
            }
            Some(code) if ABOUT_THE_SERVER.contains(&code) => Self::Unreachable(text),
            Some(400..=499) => Self::Temporary(text),
            Some(500..) => Self::Permanent(text),
            Some(_) | None => Self::Unreachable(text),
        }
    }

    /// The same, with the address that was tried.
    fn at(self, server: &str) -> Self {
        let with = |why: String| format!("{server}: {why}");
        match self {
            Self::Greylisted(why) => Self::Greylisted(with(why)),
            Self::Temporary(why) => Self::Temporary(with(why)),
            Self::Unreachable(why) => Self::Unreachable(with(why)),
            Self::Permanent(why) => Self::Permanent(with(why)),
        }
    }

    fn no_server() -> Self {
        Self::Unreachable("no server is configured".to_owned())
    }

    fn too_slow() -> Self {
        Self::Unreachable(format!("the mail server took more than {} s", CONVERSATION.as_secs()))
    }
}

#[cfg(test)]
mod tests;
