//! The way out: one SMTP conversation per mail.

use std::fmt;
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
    #[error("alerts.to: {0:?} is not an e-mail address; write for instance [\"compta@camping.example\"]")]
    To(String),
    /// One of those who are mailed the anchors.
    #[error(
        "ledger.anchor_to: {0:?} is not an e-mail address; write for instance [\"compta@camping.example\"]"
    )]
    AnchorTo(String),
    /// Nobody to write to.
    #[error("alerts.to is empty; name at least one recipient, for instance [\"compta@camping.example\"]")]
    NoRecipient,
    /// The server.
    #[error("alerts.smtp: {0}")]
    Smtp(#[from] SmtpUrlError),
    /// A user without a password.
    #[error("alerts.smtp names a user, but there is no alerts.password_file (nor alerts.password)")]
    PasswordMissing,
    /// A password without a user.
    #[error("alerts.password is set, but alerts.smtp names no user; write for instance smtps://user@host")]
    UserMissing,
    /// A password that the network would see.
    #[error(
        "alerts.smtp would send the password readable over the network; write smtps://user@host, or \
         smtp://user@host?starttls=required"
    )]
    PasswordExposed,
    /// TLS does not work on this host.
    #[error("alerts.smtp: TLS cannot be set up ({0}); is the package ca-certificates installed?")]
    Tls(String),
}

/// Why a mail did not leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Worth another try later.
    #[error("the mail did not leave this time: {0}")]
    Transient(String),
    /// The server will never take this mail.
    #[error("the mail server refuses the mail for good: {0}")]
    Permanent(String),
}

/// Sends mails to the configured recipients.
#[derive(Clone)]
pub struct Mailer {
    from: Mailbox,
    to: Vec<Mailbox>,
    /// Host and port.
    server: String,
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
        let to = mailboxes(&settings.to, MailError::To)?;
        if to.is_empty() {
            return Err(MailError::NoRecipient);
        }
        let url = SmtpUrl::parse(&settings.smtp_url)?;
        let server = format!("{}:{}", url.host, url.port);
        Ok(Self { from, to, server, transport: transport(&url, settings.password.as_ref())? })
    }
}

fn mailboxes(addresses: &[String], wrong: fn(String) -> MailError) -> Result<Vec<Mailbox>, MailError> {
    addresses.iter().map(|address| address.parse().map_err(|_| wrong(address.clone()))).collect()
}

fn transport(
    url: &SmtpUrl,
    password: Option<&SecretString>,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
    // lettre takes rustls' installed provider, or else ring, and asks the system which authorities to trust.
    let parameters =
        || TlsParameters::new_rustls(url.host.clone()).map_err(|e| MailError::Tls(e.to_string()));
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
        (Some(_), None) => return Err(MailError::PasswordMissing),
        (None, Some(_)) => return Err(MailError::UserMissing),
        (Some(_), Some(_)) if !url.keeps_secrets() => return Err(MailError::PasswordExposed),
        (Some(user), Some(password)) => {
            builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()))
        }
    };
    Ok(builder.build())
}

impl Mailer {
    /// Where mails are handed over: host and port.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The same way out, to those who are mailed the anchors.
    ///
    /// # Errors
    /// One of them is no address.
    pub fn for_anchors(&self, to: &[String]) -> Result<Self, MailError> {
        Ok(Self { to: mailboxes(to, MailError::AnchorTo)?, ..self.clone() })
    }

    /// Sends one mail to all recipients. `message_id` and `in_reply_to` are written without angle brackets; the
    /// same id for the same mail lets a mail reader recognise a repetition, and `in_reply_to` threads.
    ///
    /// # Errors
    /// [`SendError::Permanent`] if no recipient can ever get it. A recipient whom the server refuses does not
    /// keep the others from their mail; it is logged.
    pub async fn send(
        &self,
        mail: &RenderedMail,
        message_id: &str,
        in_reply_to: Option<&str>,
        at: Timestamp,
    ) -> Result<(), SendError> {
        let bytes = self.message(mail, message_id, in_reply_to, at)?.formatted();
        let everyone = self.to.iter().map(|to| to.email.clone()).collect();
        match self.deliver(everyone, &bytes).await {
            Err(SendError::Permanent(_)) if self.to.len() > 1 => self.deliver_one_by_one(&bytes).await,
            result => result,
        }
    }

    /// Whether the server answers, and takes the login if there is one.
    ///
    /// # Errors
    /// What the server or the network says.
    pub async fn test_connection(&self) -> Result<(), SendError> {
        match timeout(CONVERSATION, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(SendError::Transient("the server does not answer NOOP".to_owned())),
            Ok(Err(error)) => Err(SendError::of(&error)),
            Err(_) => Err(SendError::too_slow()),
        }
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

    async fn deliver(&self, to: Vec<Address>, bytes: &[u8]) -> Result<(), SendError> {
        let envelope = Envelope::new(Some(self.from.email.clone()), to)
            .map_err(|error| SendError::Permanent(error.to_string()))?;
        match timeout(CONVERSATION, self.transport.send_raw(&envelope, bytes)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(SendError::of(&error).at(&self.server)),
            Err(_) => Err(SendError::too_slow().at(&self.server)),
        }
    }

    /// A server refuses a whole conversation for one bad recipient. Where one of the others should be tried
    /// again later, the whole mail is: better twice than never.
    async fn deliver_one_by_one(&self, bytes: &[u8]) -> Result<(), SendError> {
        let mut refused = None;
        let mut accepted = false;
        for to in &self.to {
            match self.deliver(vec![to.email.clone()], bytes).await {
                Ok(()) => accepted = true,
                Err(error @ SendError::Transient(_)) => return Err(error),
                Err(error @ SendError::Permanent(_)) => {
                    tracing::warn!(recipient = %to.email, %error, "a recipient is refused");
                    refused = Some(error);
                }
            }
        }
        match refused {
            Some(error) if !accepted => Err(error),
            Some(_) | None => Ok(()),
        }
    }
}

impl SendError {
    /// A 5xx answer is permanent, apart from those about the login (RFC 4954, section 6): they are about the
    /// configuration, and once that is corrected the mail is still wanted.
    fn of(error: &lettre::transport::smtp::Error) -> Self {
        const LOGIN: [u16; 4] = [530, 534, 535, 538];
        let about_login = error.status().is_some_and(|code| LOGIN.contains(&u16::from(code)));
        let text = one_line(&error.to_string());
        if error.is_permanent() && !about_login { Self::Permanent(text) } else { Self::Transient(text) }
    }

    /// The same, with the address that was tried.
    fn at(self, server: &str) -> Self {
        match self {
            Self::Transient(why) => Self::Transient(format!("{server}: {why}")),
            Self::Permanent(why) => Self::Permanent(format!("{server}: {why}")),
        }
    }

    fn too_slow() -> Self {
        Self::Transient(format!("the mail server took more than {} s", CONVERSATION.as_secs()))
    }
}

#[cfg(test)]
mod tests;
