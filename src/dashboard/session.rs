//! Who signed in, as their browser says it again with each call: a cookie that the daemon knows again by its stamp and keeps
//! nothing about. The same key makes it valid on every machine; another password, or another token, makes it void.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use cvco_domain::Timestamp;
use cvco_domain::crypto::{SealError, StampKey, random_id};

/// How long somebody stays signed in.
pub(super) const LASTS: Duration = Duration::from_hours(12);

/// The cookie's name. The prefix keeps another host of the same domain from setting it where the connection is secured.
pub(super) const fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-cvco" } else { "cvco" }
}

/// Somebody who signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    /// The name; none of whoever came with the admin token.
    pub(super) name: Option<String>,
    /// Until when it is valid.
    expires: Timestamp,
    /// Tells two of one person apart.
    nonce: String,
}

impl Session {
    /// Begins one.
    ///
    /// # Errors
    /// The system gave no random numbers.
    pub(super) fn begin(name: Option<String>, now: Timestamp) -> Result<Self, SealError> {
        Ok(Self { name, expires: now.after(LASTS), nonce: random_id()? })
    }

    /// The cookie's value. `credential` is what the person proved to have.
    pub(super) fn sealed(&self, key: &StampKey, credential: &[u8]) -> String {
        let Self { name, expires, nonce } = self;
        let kind = if name.is_some() { "u" } else { "t" };
        let name = BASE64.encode(name.as_deref().unwrap_or_default());
        let stamp = BASE64.encode(self.stamp(key, credential));
        format!("{kind}.{name}.{}.{nonce}.{stamp}", expires.millis())
    }

    /// Reads a cookie, whose stamp is still to be looked at.
    pub(super) fn read(cookie: &str, now: Timestamp) -> Option<(Self, Vec<u8>)> {
        let mut parts = cookie.split('.');
        let (kind, name, expires, nonce, stamp) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let name = String::from_utf8(BASE64.decode(name).ok()?).ok()?;
        let name = match kind {
            "u" => Some(name),
            "t" if name.is_empty() => None,
            _ => return None,
        };
        let expires = Timestamp::from_millis(expires.parse().ok()?);
        let is_whole = parts.next().is_none() && expires > now && expires <= now.after(LASTS);
        is_whole.then_some((Self { name, expires, nonce: nonce.to_owned() }, BASE64.decode(stamp).ok()?))
    }

    /// Whether its stamp is ours.
    pub(super) fn is_ours(&self, key: &StampKey, credential: &[u8], stamp: &[u8]) -> bool {
        key.knows(&self.parts(&self.expires.millis().to_be_bytes(), credential), stamp)
    }

    /// What forms on its pages carry.
    pub(super) fn form_token(&self, key: &StampKey) -> String {
        BASE64.encode(key.stamp(&[
            b"form",
            self.nonce.as_bytes(),
            self.name.as_deref().unwrap_or_default().as_bytes(),
        ]))
    }

    fn stamp(&self, key: &StampKey, credential: &[u8]) -> [u8; 32] {
        key.stamp(&self.parts(&self.expires.millis().to_be_bytes(), credential))
    }

    fn parts<'p>(&'p self, expires: &'p [u8; 8], credential: &'p [u8]) -> [&'p [u8]; 6] {
        let kind: &[u8] = if self.name.is_some() { b"user" } else { b"token" };
        let name = self.name.as_deref().unwrap_or_default().as_bytes();
        [b"session", kind, name, expires, self.nonce.as_bytes(), credential]
    }
}

#[cfg(test)]
mod tests {
    use cvco_domain::crypto::SealKey;

    use super::*;

    fn key() -> SealKey {
        SealKey::parse(&SealKey::generate().expect("random")).expect("a key")
    }

    #[test]
    fn a_cookie_is_known_again_until_it_is_over_and_only_with_the_same_credential() {
        let (key, now) = (key(), Timestamp::from_millis(1_780_000_000_000));
        let session = Session::begin(Some("marie.d".to_owned()), now).expect("random");
        let cookie = session.sealed(key.stamps(), b"hash");
        let (read, stamp) = Session::read(&cookie, now).expect("a session");
        assert_eq!(read, session);
        assert!(read.is_ours(key.stamps(), b"hash", &stamp));
        assert!(!read.is_ours(key.stamps(), b"another hash", &stamp), "another password");
        assert!(Session::read(&cookie, now.after(LASTS)).is_none(), "over");
        let longer = cookie.replace(
            &read.expires.millis().to_string(),
            &read.expires.before(Duration::from_secs(1)).millis().to_string(),
        );
        let (changed, stamp) = Session::read(&longer, now).expect("still a form of it");
        assert!(!changed.is_ours(key.stamps(), b"hash", &stamp));
    }

    #[test]
    fn nobody_turns_a_name_into_the_token() {
        let (key, now) = (key(), Timestamp::from_millis(1_780_000_000_000));
        let cookie = Session::begin(Some(String::new()), now).expect("random").sealed(key.stamps(), b"x");
        let (session, stamp) = Session::read(&cookie.replacen('u', "t", 1), now).expect("a form of it");
        assert!(session.name.is_none() && !session.is_ours(key.stamps(), b"x", &stamp));
        for wrong in ["", "u", "u.bWFyaWU.1.n.s", "x.y.z", "t.bWFyaWU.1780000000001.n.s", "u.....", "......"]
        {
            assert!(Session::read(wrong, now).is_none(), "{wrong}");
        }
    }
}
