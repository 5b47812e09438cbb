//! The way out, where a network has only one.

use cvco_domain::Worded;
use secrecy::SecretString;

/// A proxy that tunnels TLS (`CONNECT`).
#[derive(Debug, Clone)]
pub struct Proxy {
    /// `host:port`.
    pub(super) authority: String,
    /// User and password, where it asks for them.
    pub(super) credentials: Option<(String, SecretString)>,
}

/// Why a text is not the address of a proxy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// Not `http://[user@]host:port`.
    #[error("{0:?} is not an address like http://proxy.example:3128 or http://user@proxy.example:3128")]
    Shape(String),
    /// A user without a password, or the reverse.
    #[error("a user and proxy_password (or proxy_password_file) go together")]
    HalfCredentials,
}

impl Worded for ProxyError {
    fn in_french(&self) -> String {
        match self {
            Self::Shape(text) => format!(
                "«\u{a0}{text}\u{a0}» n’est pas une adresse comme http://proxy.example:3128 ou http://user@proxy.example:3128"
            ),
            Self::HalfCredentials => {
                "un utilisateur et proxy_password (ou proxy_password_file) vont ensemble".to_owned()
            }
        }
    }
}

impl Proxy {
    /// Reads an address.
    ///
    /// # Errors
    /// It is none, or only half of the credentials is there.
    pub fn parse(text: &str, password: Option<SecretString>) -> Result<Self, ProxyError> {
        // What stands before the @ may be a password.
        let shown = || text.rsplit('@').next().unwrap_or_default().chars().take(100).collect();
        let shape = || ProxyError::Shape(shown());
        let rest = text.trim_end_matches('/').strip_prefix("http://").ok_or_else(shape)?;
        let (user, authority) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
        let sound = authority.parse::<hyper::http::uri::Authority>().is_ok_and(|a| a.port().is_some());
        if !sound || user.is_some_and(|user| user.is_empty() || user.contains(':')) {
            return Err(shape());
        }
        let credentials = match (user, password) {
            (None, None) => None,
            (Some(user), Some(password)) => Some((user.to_owned(), password)),
            (Some(_), None) | (None, Some(_)) => return Err(ProxyError::HalfCredentials),
        };
        Ok(Self { authority: authority.to_owned(), credentials })
    }

    /// Where it listens; an IPv6 address without its brackets.
    pub(super) fn host_and_port(&self) -> (&str, u16) {
        let (host, port) = self.authority.rsplit_once(':').unwrap_or((&self.authority, ""));
        (host.trim_start_matches('[').trim_end_matches(']'), port.parse().unwrap_or(3128))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_by_host_and_port() {
        let proxy = |text: &str| Proxy::parse(text, None).expect(text);
        assert_eq!(proxy("http://proxy.example:3128/").host_and_port(), ("proxy.example", 3128));
        assert_eq!(proxy("http://[::1]:8080").host_and_port(), ("::1", 8080));
        for wrong in
            ["", "proxy.example:3128", "https://proxy.example:3128", "http://proxy.example", "http://@h:1"]
        {
            assert!(matches!(Proxy::parse(wrong, None), Err(ProxyError::Shape(_))), "{wrong}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        let told = Proxy::parse("http://me:secret@proxy.example:3128", None).expect_err("not taken");
        assert_eq!(told, ProxyError::Shape("proxy.example:3128".to_owned()));
    }

    #[test]
    fn a_user_and_a_password_go_together() {
        let password = || Some(SecretString::from("secret"));
        let proxy = Proxy::parse("http://me@proxy.example:3128", password()).expect("a proxy");
        assert_eq!(proxy.credentials.map(|(user, _)| user).as_deref(), Some("me"));
        for (text, password) in
            [("http://me@proxy.example:3128", None), ("http://proxy.example:3128", password())]
        {
            assert_eq!(Proxy::parse(text, password).map(|_| ()), Err(ProxyError::HalfCredentials), "{text}");
        }
    }
}
