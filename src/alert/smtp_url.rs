//! The mail server's address as the configuration writes it.

use std::net::IpAddr;

use cvco_domain::Worded;
use percent_encoding::percent_decode_str;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Not at all.
    Plain,
    /// By STARTTLS if the server offers it.
    Opportunistic,
    /// By STARTTLS, or there is no mail.
    Required,
    /// By TLS from the first byte.
    Wrapped,
}

/// `smtp://[user@]host[:port][?starttls=required|opportunistic]` or `smtps://[user@]host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SmtpUrl {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: Option<String>,
    pub(super) encryption: Encryption,
}

/// What is wrong with `alerts.smtp`. No message repeats the address, which may hold a password by mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmtpUrlError {
    /// Another scheme, or none.
    #[error("it must begin with smtp:// or smtps://, for instance smtp://127.0.0.1:25 or smtps://user@host")]
    Scheme,
    /// A password between `:` and `@`.
    #[error("it must not contain the password: give it as alerts.password_file (or alerts.password)")]
    Password,
    /// A user name that is empty or is not UTF-8 once decoded.
    #[error("the user name before @ must not be empty; its special characters are written %XX (@ is %40)")]
    User,
    /// No host, or not one.
    #[error("the host must be a name, an IPv4 address or an IPv6 address in brackets, such as [::1]")]
    Host,
    /// Not a port.
    #[error("the port must be a number from 1 to 65535")]
    Port,
    /// Something after the host and its port.
    #[error("after the host and its port only ?starttls=required or ?starttls=opportunistic may follow")]
    Option,
    /// STARTTLS asked of a connection that is encrypted already.
    #[error("smtps:// is encrypted from the start: leave ?starttls away, or write smtp://")]
    StartTlsInTls,
}

impl Worded for SmtpUrlError {
    fn in_french(&self) -> String {
        match self {
            Self::Scheme => {
                "l’adresse commence par smtp:// ou smtps://, par exemple smtp://127.0.0.1:25 ou smtps://user@host"
            }
            Self::Password => {
                "l’adresse ne doit pas contenir le mot de passe\u{a0}: donnez-le par alerts.password_file (ou \
                 alerts.password)"
            }
            Self::User => {
                "le nom d’utilisateur devant @ ne doit pas être vide\u{a0}; ses caractères spéciaux s’écrivent %XX (@ s’écrit \
                 %40)"
            }
            Self::Host => {
                "l’hôte est un nom, une adresse IPv4 ou une adresse IPv6 entre crochets, comme [::1]"
            }
            Self::Port => "le port est un nombre de 1 à 65535",
            Self::Option => {
                "après l’hôte et son port ne peut suivre que ?starttls=required ou ?starttls=opportunistic"
            }
            Self::StartTlsInTls => {
                "smtps:// est chiffré dès le début\u{a0}: retirez ?starttls, ou écrivez smtp://"
            }
        }
        .to_owned()
    }
}

impl SmtpUrl {
    /// Reads the address. Without a port it is 465 for `smtps://`, else 587 (submission, RFC 6409) where there
    /// is a user and 25 where there is none.
    pub(super) fn parse(text: &str) -> Result<Self, SmtpUrlError> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(SmtpUrlError::Scheme)?;
        let (authority, option) = match rest.split_once('?') {
            Some((authority, option)) => (authority, Some(option)),
            None => (rest, None),
        };
        let encryption = match (scheme.to_ascii_lowercase().as_str(), option) {
            ("smtps", None) => Encryption::Wrapped,
            ("smtps", Some(_)) => return Err(SmtpUrlError::StartTlsInTls),
            ("smtp", None) => Encryption::Plain,
            ("smtp", Some("starttls=required")) => Encryption::Required,
            ("smtp", Some("starttls=opportunistic")) => Encryption::Opportunistic,
            ("smtp", Some(_)) => return Err(SmtpUrlError::Option),
            _ => return Err(SmtpUrlError::Scheme),
        };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(user_name(user)?), address),
            None => (None, authority),
        };
        let (host, port) = host_and_port(address)?;
        let port = port.unwrap_or(match (encryption, &user) {
            (Encryption::Wrapped, _) => 465,
            (Encryption::Plain | Encryption::Opportunistic | Encryption::Required, Some(_)) => 587,
            (Encryption::Plain | Encryption::Opportunistic | Encryption::Required, None) => 25,
        });
        Ok(Self { host, port, user, encryption })
    }

    /// Whether nobody between this daemon and the server can read what they say to each other.
    pub(super) fn keeps_secrets(&self) -> bool {
        match self.encryption {
            Encryption::Required | Encryption::Wrapped => true,
            // Who sits in between can strip the offer of STARTTLS.
            Encryption::Plain | Encryption::Opportunistic => self.is_loopback(),
        }
    }

    fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

fn user_name(encoded: &str) -> Result<String, SmtpUrlError> {
    if encoded.contains(':') {
        return Err(SmtpUrlError::Password);
    }
    match percent_decode_str(encoded).decode_utf8() {
        Ok(user) if !user.is_empty() && !user.contains(char::is_control) => Ok(user.into_owned()),
        Ok(_) | Err(_) => Err(SmtpUrlError::User),
    }
}

fn host_and_port(address: &str) -> Result<(String, Option<u16>), SmtpUrlError> {
    let (host, port) = match address.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed.split_once(']').ok_or(SmtpUrlError::Host)?;
            let is_ipv6 = host.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6());
            let port = match after.strip_prefix(':') {
                Some(port) => Some(port),
                None if after.is_empty() => None,
                None => return Err(SmtpUrlError::Option),
            };
            (if is_ipv6 { host } else { return Err(SmtpUrlError::Host) }, port)
        }
        None => match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    if host.contains('/') || port.is_some_and(|port| port.contains('/')) {
        return Err(SmtpUrlError::Option);
    }
    let in_a_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':');
    if host.is_empty() || !host.bytes().all(in_a_name) {
        return Err(SmtpUrlError::Host);
    }
    let port = match port.map(str::parse) {
        None => None,
        Some(Ok(0) | Err(_)) => return Err(SmtpUrlError::Port),
        Some(Ok(port)) => Some(port),
    };
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_understood() {
        for (text, host, port, user, encryption) in [
            ("smtp://127.0.0.1", "127.0.0.1", 25, None, Encryption::Plain),
            ("smtp://mail.example:2525/", "mail.example", 2525, None, Encryption::Plain),
            ("SMTP://localhost", "localhost", 25, None, Encryption::Plain),
            ("smtp://[::1]:1025", "::1", 1025, None, Encryption::Plain),
            ("smtp://[::1]", "::1", 25, None, Encryption::Plain),
            ("smtp://mx.example?starttls=opportunistic", "mx.example", 25, None, Encryption::Opportunistic),
            ("smtp://u@mx.example?starttls=required", "mx.example", 587, Some("u"), Encryption::Required),
            ("smtp://u@mx.example:25?starttls=required", "mx.example", 25, Some("u"), Encryption::Required),
            ("smtps://mx.example", "mx.example", 465, None, Encryption::Wrapped),
            (
                "smtps://u%40v.example@mx.example:4465",
                "mx.example",
                4465,
                Some("u@v.example"),
                Encryption::Wrapped,
            ),
            ("smtps://u@v.example@mx.example", "mx.example", 465, Some("u@v.example"), Encryption::Wrapped),
        ] {
            let expected = SmtpUrl { host: host.to_owned(), port, user: user.map(str::to_owned), encryption };
            assert_eq!(SmtpUrl::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn addresses_that_are_refused() {
        for (text, error) in [
            ("127.0.0.1:25", SmtpUrlError::Scheme),
            ("http://mx.example", SmtpUrlError::Scheme),
            ("", SmtpUrlError::Scheme),
            ("smtp://u:secret@mx.example", SmtpUrlError::Password),
            ("smtp://@mx.example", SmtpUrlError::User),
            ("smtp://%ff@mx.example", SmtpUrlError::User),
            ("smtp://", SmtpUrlError::Host),
            ("smtp://mx example", SmtpUrlError::Host),
            ("smtp://[mx.example]", SmtpUrlError::Host),
            ("smtp://[::1", SmtpUrlError::Host),
            ("smtp://mx.example:", SmtpUrlError::Port),
            ("smtp://mx.example:0", SmtpUrlError::Port),
            ("smtp://mx.example:65536", SmtpUrlError::Port),
            ("smtp://::1", SmtpUrlError::Host),
            ("smtp://mx.example/helo", SmtpUrlError::Option),
            ("smtp://mx.example?tls=required", SmtpUrlError::Option),
            ("smtp://mx.example?starttls=yes", SmtpUrlError::Option),
            ("smtps://mx.example?starttls=required", SmtpUrlError::StartTlsInTls),
        ] {
            assert_eq!(SmtpUrl::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn only_tls_or_this_host_keeps_a_password_secret() {
        for (text, safe) in [
            ("smtp://u@localhost", true),
            ("smtp://u@127.8.0.1", true),
            ("smtp://u@[::1]", true),
            ("smtps://u@mx.example", true),
            ("smtp://u@mx.example?starttls=required", true),
            ("smtp://u@mx.example?starttls=opportunistic", false),
            ("smtp://u@mx.example", false),
            ("smtp://u@localhost.example", false),
            ("smtp://u@192.168.1.1", false),
        ] {
            assert_eq!(SmtpUrl::parse(text).map(|url| url.keeps_secrets()), Ok(safe), "{text}");
        }
    }
}
