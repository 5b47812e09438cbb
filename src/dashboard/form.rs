//! What a browser sends: the query of an address, or the fields of a form.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::refusal::Refusal;

/// The fields of a form, or of an address. Of two of one name the last counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    all: Vec<(String, String)>,
}

/// No honest form has more.
const MOST: usize = 2000;

impl Fields {
    /// Reads what stands behind the `?` of an address, or in a form's body.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let all: Vec<(String, String)> = serde_urlencoded::from_bytes(text).ok()?;
        (all.len() <= MOST).then_some(Self { all })
    }

    /// Fields that were read otherwise.
    pub(super) const fn of(all: Vec<(String, String)>) -> Self {
        Self { all }
    }

    pub(super) fn of_body(body: &Bytes) -> Result<Self, Refusal> {
        Self::read(body)
            .ok_or(Refusal::Senseless("Le formulaire n’a pas pu être lu.", "The form could not be read."))
    }

    /// A field without blanks around it; empty where there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.all.iter().rev().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// A field that must be read as something; `None` where it is empty.
    pub(super) fn parse<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        match self.get(name) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                Refusal::Senseless(
                    "L’adresse ou le formulaire contient une valeur qui n’a pas de sens ici.",
                    "The address or the form holds a value that makes no sense here.",
                )
            }),
        }
    }
}

/// The form that came with a call: [`super::around`] has read it.
impl<S: Sync> FromRequestParts<S> for Fields {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// The cookies of a call.
pub(super) fn cookies(parts: &Parts) -> BTreeMap<String, String> {
    let headers = parts.headers.get_all(axum::http::header::COOKIE).into_iter();
    headers
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// A path of ours to go back to; the first page in place of anything else.
pub(super) fn path_back(text: &str) -> String {
    let is_ours = text.starts_with('/')
        && !text.starts_with("//")
        && !text.starts_with("/\\")
        && text.len() <= 2000
        && text.bytes().all(|b| b.is_ascii_graphic());
    if is_ours { text.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_ours_lead_back() {
        for ours in ["/", "/orders?q=a%20b&state=balanced", "/discrepancies/3#act"] {
            assert_eq!(path_back(ours), ours);
        }
        for other in
            ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nSet-Cookie: x", "orders"]
        {
            assert_eq!(path_back(other), "/", "{other}");
        }
    }

    #[test]
    fn the_last_field_of_a_name_counts() {
        let fields = Fields::read(b"id=1&id=2&q=+a%20").expect("fields");
        assert_eq!((fields.get("id"), fields.get("q"), fields.get("none")), ("2", "a", ""));
        assert_eq!(fields.parse::<u32>("id"), Ok(Some(2)));
        assert!(fields.parse::<u32>("q").is_err());
        assert!(Fields::read(&b"a=1&".repeat(3000)).is_none());
    }
}
