//! What is wrong with a configuration, and in which language to say so.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cvco_domain::text_file::utf8;
use cvco_domain::{Bilingual, Worded};
use cvco_mail::Language;

use crate::alert::MailError;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}; {}", remedy(source).english)]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, or a value of another type; with line and column.
    #[error("{path}: {message}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, what, and what would be right.
        message: Bilingual,
    },
    /// Well-formed, but wrong: every problem, one a line.
    #[error("{}", problems.iter().map(|p| format!("{}: {p}", path.display())).collect::<Vec<_>>().join("\n"))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problems: Vec<Problem>,
    },
}

impl Worded for ConfigError {
    fn in_french(&self) -> String {
        match self {
            Self::Unreadable { path, source } => format!(
                "impossible de lire {}\u{a0}: {}\u{a0}; {}",
                path.display(),
                source.in_french(),
                remedy(source).french
            ),
            Self::Syntax { path, message } => format!("{}\u{a0}: {}", path.display(), message.french),
            Self::Wrong { path, problems } => {
                let line = |problem: &Problem| format!("{}\u{a0}: {}", path.display(), problem.in_french());
                problems.iter().map(line).collect::<Vec<_>>().join("\n")
            }
        }
    }
}

/// What to do about a configuration that cannot be read.
fn remedy(error: &std::io::Error) -> Bilingual {
    if error.kind() == ErrorKind::PermissionDenied {
        Bilingual::new(
            "seul l’utilisateur du service y a accès\u{a0}: mettez `sudo -u cvco-reconciled` devant la commande",
            "only the service's user may: put `sudo -u cvco-reconciled` in front",
        )
    } else {
        Bilingual::new("indiquez un autre fichier avec --config", "name another file with --config")
    }
}

/// A wrong value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The endpoint, where it is about one: people know it by its id, and not by its place in the file.
    pub endpoint: Option<String>,
    /// The key, with its table, as in `shop[0].endpoint[1].site_id`; empty for an endpoint as a whole.
    pub key: String,
    /// What is wrong and what would be right.
    pub what: Bilingual,
}

impl Problem {
    /// What it is about.
    #[must_use]
    pub fn place(&self) -> Bilingual {
        match &self.endpoint {
            None => Bilingual::same(self.key.as_str()),
            Some(id) if self.key.is_empty() => {
                Bilingual::new(format!("point d’entrée {id}"), format!("endpoint {id}"))
            }
            Some(id) => Bilingual::new(
                format!("point d’entrée {id}\u{a0}: {}", self.key),
                format!("endpoint {id}: {}", self.key),
            ),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place().english, self.what.english)
    }
}

impl Worded for Problem {
    fn in_french(&self) -> String {
        format!("{}\u{a0}: {}", self.place().french, self.what.french)
    }
}

impl From<&MailError> for Problem {
    fn from(error: &MailError) -> Self {
        Self { endpoint: None, key: error.key.clone(), what: error.what.clone() }
    }
}

/// The language in which to speak of a configuration that is wrong: the one that it names, as far as it can be read; else that
/// of the system of whoever gives the command.
pub(crate) fn spoken_language(path: &Path) -> Language {
    let variable = |name: &str| std::env::var_os(name)?.into_string().ok();
    named_language(path).unwrap_or_else(|| system_language(variable))
}

/// The language that a file names, or would have by default.
fn named_language(path: &Path) -> Option<Language> {
    let bytes = std::fs::read(path).ok()?;
    let text = String::from_utf8(utf8(&bytes).into_owned()).ok()?;
    let (table, is_whole): (toml::Table, bool) = match text.parse() {
        Ok(table) => (table, true),
        Err(error) => {
            let (lines_before, _) = text.get(..error.span()?.start)?.rsplit_once('\n')?;
            (lines_before.parse().ok()?, false)
        }
    };
    match table.get("alerts").and_then(|alerts| alerts.get("language")) {
        Some(named) => named.as_str()?.parse().ok(),
        None => is_whole.then_some(Language::French),
    }
}

/// The language of the locale (POSIX: the first of these variables that is not empty).
fn system_language(variable: impl Fn(&str) -> Option<String>) -> Language {
    let mut named = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(variable);
    match named.find(|locale| !locale.is_empty()) {
        Some(locale) if locale.starts_with("fr") => Language::French,
        Some(_) | None => Language::English,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language_of(text: &str) -> Option<Language> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).expect("file");
        named_language(&path)
    }

    #[test]
    fn a_file_says_its_language_as_far_as_it_can_be_read() {
        let english = "[alerts]\nlanguage = \"en\"\n";
        assert_eq!(language_of(english), Some(Language::English));
        assert_eq!(language_of(&format!("{english}[[shop]\n")), Some(Language::English), "broken below it");
        assert_eq!(language_of(&format!("[[shop]\n{english}")), None, "broken above it");
        assert_eq!(language_of("[ledger]\n"), Some(Language::French), "as for every list");
        assert_eq!(language_of("[alerts]\nlanguage = \"de\"\n"), None);
        assert_eq!(named_language(Path::new("/no/such/file")), None);
    }

    #[test]
    fn the_locale_says_the_language_of_whoever_gives_the_command() {
        let of = |pairs: &[(&str, &str)]| {
            system_language(|name| {
                pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(&[("LANG", "fr_FR.UTF-8")]), Language::French);
        assert_eq!(of(&[("LC_ALL", ""), ("LANG", "fr_FR.UTF-8")]), Language::French);
        assert_eq!(of(&[("LC_ALL", "C"), ("LANG", "fr_FR.UTF-8")]), Language::English);
        assert_eq!(of(&[]), Language::English);
    }
}
