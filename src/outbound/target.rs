//! Where a call goes.

use cvco_psp::api::CallFailure;
use hyper::Uri;
use hyper::http::uri::PathAndQuery;

/// An address, taken apart.
#[derive(Debug)]
pub(super) struct Target {
    /// Whether TLS is spoken there.
    pub(super) secure: bool,
    /// Host and port as the address has them; for the `Host` header and for people.
    pub(super) authority: String,
    /// The host; an IPv6 address in its brackets.
    pub(super) host: String,
    /// The port.
    pub(super) port: u16,
    /// What is asked for there.
    pub(super) path: PathAndQuery,
    /// The name that its certificate must be for, where it is called by another.
    pub(super) name: Option<String>,
}

impl Target {
    /// Takes an address apart. The error does not show it: there may be a token in it.
    pub(super) fn of(url: &str) -> Result<Self, CallFailure> {
        let wrong = || CallFailure::Connect {
            host: "the API".to_owned(),
            why: "its address is not one of https:// or http://".to_owned(),
        };
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(wrong()),
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let authority = authority.ok_or_else(wrong)?;
        Ok(Self {
            secure,
            authority: authority.to_string(),
            host: authority.host().to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            path: uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")),
            name: None,
        })
    }

    /// The same place, asked for by a name; a port in it is none of the certificate's.
    pub(super) fn named(mut self, name: Option<&str>) -> Self {
        self.name = name.map(|name| name.split(':').next().unwrap_or(name).to_owned());
        self
    }

    /// The name that a certificate must be for.
    pub(super) fn certified(&self) -> &str {
        self.name.as_deref().unwrap_or(self.bare_host())
    }

    /// The host without the brackets of an IPv6 address.
    pub(super) fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// `host:port`, as a proxy wants it.
    pub(super) fn with_port(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Whether it is this machine, which no proxy can reach for us.
    pub(super) fn is_here(&self) -> bool {
        self.host == "localhost"
            || self.bare_host().parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// There is no connection to it.
    pub(super) fn unreachable(&self, why: impl Into<String>) -> CallFailure {
        CallFailure::Connect { host: self.authority.clone(), why: why.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let target = Target::of("https://api.example/v2/x?a=b").expect("an address");
        assert!(target.secure);
        assert_eq!(
            (target.authority.as_str(), target.with_port().as_str()),
            ("api.example", "api.example:443")
        );
        assert_eq!(target.path, "/v2/x?a=b");
        assert!(!target.is_here());

        let here = Target::of("http://[::1]:8080").expect("an address");
        assert_eq!(
            (here.bare_host(), here.with_port().as_str(), here.path.as_str()),
            ("::1", "[::1]:8080", "/")
        );
        assert!(here.is_here() && !here.secure);
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_shown() {
        for wrong in ["", "/path", "api.example", "ftp://h/", "https://user:secret@h/", "https://h/ secret"] {
            let failure = Target::of(wrong).expect_err(wrong).to_string();
            assert!(!failure.contains("secret"), "{failure}");
        }
    }
}
