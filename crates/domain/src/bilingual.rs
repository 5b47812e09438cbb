//! What people read, in each of their languages.

use std::fmt;
use std::io::{self, ErrorKind};

use serde::{Deserialize, Serialize};

/// One text in French and in English: whoever words it writes both, and whoever shows it takes one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bilingual {
    /// For French readers.
    pub french: String,
    /// For all others, and for log lines.
    pub english: String,
}

impl Bilingual {
    /// A text in both languages.
    #[must_use]
    pub fn new(french: impl Into<String>, english: impl Into<String>) -> Self {
        Self { french: french.into(), english: english.into() }
    }

    /// What is the same in every language: a name, an address.
    #[must_use]
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { french: text.clone(), english: text }
    }

    /// What a library or a server says, which speaks English alone.
    #[must_use]
    pub fn in_english_alone(text: impl fmt::Display) -> Self {
        Self::new(format!("(en anglais\u{a0}: {text})"), text.to_string())
    }
}

/// In French and in English.
impl<F: Into<String>, E: Into<String>> From<(F, E)> for Bilingual {
    fn from((french, english): (F, E)) -> Self {
        Self::new(french, english)
    }
}

impl fmt::Display for Bilingual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english)
    }
}

/// Technical words as whoever noticed something noted them: in both languages, where French was known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Noted {
    /// In English alone.
    English(String),
    /// In both languages.
    Both(Bilingual),
}

impl Noted {
    /// What is noted in English, and perhaps in French.
    #[must_use]
    pub fn new(english: &str, french: Option<&str>) -> Self {
        match french {
            Some(french) => Self::Both(Bilingual::new(french, english)),
            None => Self::English(english.to_owned()),
        }
    }

    /// In English.
    #[must_use]
    pub fn english(&self) -> &str {
        match self {
            Self::English(english) | Self::Both(Bilingual { english, .. }) => english,
        }
    }

    /// In French, where that is known.
    #[must_use]
    pub fn french(&self) -> Option<&str> {
        match self {
            Self::English(_) => None,
            Self::Both(Bilingual { french, .. }) => Some(french),
        }
    }
}

impl From<Bilingual> for Noted {
    fn from(both: Bilingual) -> Self {
        Self::Both(both)
    }
}

impl fmt::Display for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.english())
    }
}

/// What can say itself in French, and by its `Display` in English.
pub trait Worded: fmt::Display {
    /// For French readers.
    fn in_french(&self) -> String;

    /// In both languages.
    fn words(&self) -> Bilingual {
        Bilingual::new(self.in_french(), self.to_string())
    }
}

impl Worded for Bilingual {
    fn in_french(&self) -> String {
        self.french.clone()
    }
}

/// The system speaks English; the reasons that people meet are said in French too.
impl Worded for io::Error {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system's own words do for the rest")]
    fn in_french(&self) -> String {
        match self.kind() {
            ErrorKind::NotFound => "fichier ou dossier introuvable".to_owned(),
            ErrorKind::PermissionDenied => "accès refusé".to_owned(),
            ErrorKind::AlreadyExists => "existe déjà".to_owned(),
            ErrorKind::IsADirectory => "c’est un dossier".to_owned(),
            ErrorKind::StorageFull => "le disque est plein".to_owned(),
            ErrorKind::AddrInUse => "l’adresse est déjà prise".to_owned(),
            ErrorKind::ConnectionRefused => "connexion refusée".to_owned(),
            _ => Bilingual::in_english_alone(self).french,
        }
    }
}
