//! The way out by e-mail: one SMTP conversation per mail, with the first server that takes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use cvco_domain::{Bilingual, Timestamp, Worded};
use cvco_mail::RenderedMail;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

mod error;

use super::smtp_url::{Encryption, SmtpUrl};
pub use error::{MailError, SendError};

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

/// What has become of one mail so far, by recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Those who have it.
    pub taken: BTreeSet<String>,
    /// Those whom the server refuses for good, and its words.
    pub refused: BTreeMap<String, String>,
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
        let from = settings
            .from
            .parse()
            .map_err(|_| MailError::no_address("alerts.from", &settings.from, "cvco@camping.example"))?;
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
            .map_err(|error| MailError::new(format!("{table}.smtp"), error.words()))?;
        let name = format!("{}:{}", url.host, url.port);
        Ok(Self { name, transport: transport(&url, settings.password.as_ref(), &table)? })
    }
}

fn mailboxes(addresses: &[String], key: &str) -> Result<Vec<Mailbox>, MailError> {
    if addresses.is_empty() {
        let what = Bilingual::new(
            "vide\u{a0}: indiquez au moins un destinataire, par exemple [\"compta@camping.example\"]",
            "empty: name at least one recipient, for instance [\"compta@camping.example\"]",
        );
        return Err(MailError::new(key, what));
    }
    let wrong = |address: &String| MailError::no_address(key, address, "[\"compta@camping.example\"]");
    addresses.iter().map(|address| address.parse().map_err(|_| wrong(address))).collect()
}

fn transport(
    url: &SmtpUrl,
    password: Option<&SecretString>,
    table: &str,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
    let wrong = |french: String, english: String| {
        MailError::new(format!("{table}.smtp"), Bilingual::new(french, english))
    };
    // lettre takes rustls' installed provider, or else ring, and asks the system which authorities to trust.
    let parameters = || {
        TlsParameters::new_rustls(url.host.clone()).map_err(|error| {
            wrong(
                format!("TLS ne peut pas être mis en place (en anglais\u{a0}: {error})\u{a0}; le paquet ca-certificates est-il installé\u{a0}?"),
                format!("TLS cannot be set up ({error}); is the package ca-certificates installed?"),
            )
        })
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
        (Some(_), None) => {
            return Err(wrong(
                format!(
                    "un utilisateur est nommé, mais il n’y a pas de {table}.password_file (ni de {table}.password)"
                ),
                format!("names a user, but there is no {table}.password_file (nor {table}.password)"),
            ));
        }
        (None, Some(_)) => {
            return Err(wrong(
                format!(
                    "{table}.password est donné, mais aucun utilisateur n’est nommé\u{a0}; écrivez par exemple smtps://user@host"
                ),
                format!("names no user, but {table}.password is set; write for instance smtps://user@host"),
            ));
        }
        (Some(_), Some(_)) if !url.keeps_secrets() => {
            return Err(wrong(
                "le mot de passe circulerait en clair sur le réseau\u{a0}; écrivez smtps://user@host, ou \
                 smtp://user@host?starttls=required"
                    .to_owned(),
                "would send the password readable over the network; write smtps://user@host, or \
                 smtp://user@host?starttls=required"
                    .to_owned(),
            ));
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
    /// `delivery` is how far that is, before and after.
    ///
    /// # Errors
    /// [`SendError::Permanent`] if no recipient can ever get it. A recipient whom the server refuses does not
    /// keep the others from their mail; one whom it refuses for now is an error.
    pub async fn send(
        &self,
        mail: &RenderedMail,
        message_id: &str,
        in_reply_to: Option<&str>,
        at: Timestamp,
        delivery: &mut Delivery,
    ) -> Result<(), SendError> {
        let bytes = self.message(mail, message_id, in_reply_to, at)?.formatted();
        let is_left = |to: &&Mailbox| !delivery.taken.contains::<str>(to.email.as_ref());
        let left: Vec<Address> = self.to.iter().filter(is_left).map(|to| to.email.clone()).collect();
        if left.is_empty() {
            return Ok(());
        }
        match self.deliver(left.clone(), &bytes).await {
            Ok(()) => {
                delivery.taken.extend(left.iter().map(ToString::to_string));
                Ok(())
            }
            Err(error @ SendError::Unreachable(_)) => Err(error),
            Err(error) => match left.as_slice() {
                [alone] => delivery.after(vec![(alone.clone(), error)]),
                _ => self.deliver_one_by_one(left, &bytes, delivery).await,
            },
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
        delivery: &mut Delivery,
    ) -> Result<(), SendError> {
        let mut refused = Vec::new();
        for to in left {
            match self.deliver(vec![to.clone()], bytes).await {
                Ok(()) => drop(delivery.taken.insert(to.to_string())),
                Err(error @ SendError::Unreachable(_)) => return Err(error),
                Err(error) => refused.push((to, error)),
            }
        }
        delivery.after(refused)
    }
}

impl Delivery {
    /// What comes of it when these were refused: nothing, if others have the mail and these never can.
    fn after(&mut self, refused: Vec<(Address, SendError)>) -> Result<(), SendError> {
        for (to, error) in &refused {
            tracing::warn!(recipient = %to, %error, "a recipient is refused");
            if let SendError::Permanent(why) = error {
                self.refused.insert(to.to_string(), why.clone());
            }
        }
        match refused.into_iter().map(|(_, error)| error).min() {
            Some(SendError::Permanent(_)) if !self.taken.is_empty() => Ok(()),
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
