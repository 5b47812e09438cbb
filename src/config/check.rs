//! What the values of the file must be like. All that is wrong is collected, so that one run tells everything.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cvco_domain::{Bilingual, Worded};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};

use super::secrets::{self, Source};
use super::{ConfigError, PLACEHOLDER, Problem};

/// What a configuration is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The daemon: every secret is needed.
    Serve,
    /// A demonstration: keys that everybody knows may stand for those of production.
    Demonstration,
    /// A command that reads or asks what endpoints would: nobody calls it, so the tokens of their URLs are not needed.
    Command,
}

/// Collects what is wrong, so that one run tells everything.
pub(super) struct Check<'p> {
    pub(super) purpose: Purpose,
    /// The folder of the file: relative paths start there.
    pub(super) folder: &'p Path,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    /// The files of secrets, but for systemd's credentials: those are copies, as old as the service.
    pub(super) secret_files: BTreeSet<PathBuf>,
}

impl<'p> Check<'p> {
    pub(super) fn new(path: &'p Path) -> Self {
        Self {
            purpose: Purpose::Serve,
            folder: folder_of(path),
            problems: Vec::new(),
            warnings: Vec::new(),
            secret_files: BTreeSet::new(),
        }
    }

    /// Whatever is noted meanwhile is about this endpoint.
    pub(super) fn about<T>(&mut self, endpoint: &str, note: impl FnOnce(&mut Self) -> T) -> T {
        let (problems, warnings) = (self.problems.len(), self.warnings.len());
        let noted = note(self);
        let new = self.problems.iter_mut().skip(problems).chain(self.warnings.iter_mut().skip(warnings));
        for problem in new {
            problem.endpoint = Some(endpoint.to_owned());
        }
        noted
    }

    pub(super) fn wrong(&mut self, key: impl Into<String>, what: impl Into<Bilingual>) {
        self.problems.push(Problem { endpoint: None, key: key.into(), what: what.into() });
    }

    pub(super) fn unwise(&mut self, key: impl Into<String>, what: impl Into<Bilingual>) {
        self.warnings.push(Problem { endpoint: None, key: key.into(), what: what.into() });
    }

    /// Notes a value in production that everybody knows.
    pub(super) fn known_to_all(&mut self, key: &str, what: impl Into<Bilingual>) {
        if self.purpose != Purpose::Demonstration {
            self.wrong(key, what);
        }
    }

    /// Notes a file that others can read than it is for. `others`: the bits of its mode that they need.
    pub(super) fn readable(&mut self, file: &Path, others: u32) {
        let mode = std::fs::metadata(file).map_or(0, |metadata| metadata.permissions().mode());
        if mode & others != 0 {
            let (file, mode) = (file.display(), mode & 0o777);
            let right = if others & 0o070 == 0 { "o-rwx" } else { "600" };
            self.unwise(
                "permissions",
                (
                    format!("{file} peut être lu par d’autres (mode {mode:o})\u{a0}: chmod {right}"),
                    format!("{file} can be read by others (mode {mode:o}): chmod {right}"),
                ),
            );
        }
    }

    /// Takes a value, or notes why it is none.
    pub(super) fn value<T, E: Worded>(&mut self, key: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.wrong(key, error.words())).ok()
    }

    pub(super) fn networks(&mut self, key: &str, texts: &[String]) -> Vec<IpNet> {
        texts
            .iter()
            .filter_map(|text| {
                let network = text
                    .parse::<IpNet>()
                    .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                    .map_err(|_| not(text, ("un réseau", "a network"), "\"194.50.38.0/24\""));
                self.value(key, network)
            })
            .collect()
    }

    pub(super) fn address(&mut self, key: &str, text: Option<&str>, default: &str) -> Option<SocketAddr> {
        let text = text.unwrap_or(default);
        let address = text
            .parse()
            .map_err(|_| not(text, ("de la forme adresse:port", "address:port"), &format!("\"{default}\"")));
        self.value(key, address)
    }

    pub(super) fn duration(&mut self, key: &str, text: Option<&str>, default: Duration) -> Duration {
        let Some(text) = text else { return default };
        let parsed = humantime::parse_duration(text)
            .map_err(|_| not(text, ("une durée", "a time span"), "\"20m\", \"4d\", \"0s\""));
        self.value(key, parsed).unwrap_or(default)
    }

    pub(super) fn secret(&mut self, key: &str, source: Source<'_>) -> Option<SecretString> {
        match secrets::read(source, self.folder) {
            Ok(secret) => {
                if secret.as_ref().is_some_and(|secret| secret.expose_secret() == PLACEHOLDER) {
                    self.unwise(
                        key,
                        (
                            "c’est encore le texte provisoire écrit par `init`\u{a0}; mettez le secret dans son fichier",
                            "still the placeholder that `init` wrote; put the secret into its file",
                        ),
                    );
                }
                if let Some(Ok(file)) = source.file().map(|file| secrets::path(file, self.folder)) {
                    self.readable(&file, OTHERS);
                    if !source.is_credential() {
                        self.secret_files.insert(file);
                    }
                }
                secret
            }
            Err(what) => {
                self.wrong(key, what);
                None
            }
        }
    }

    /// The value, if nothing was wrong with the file at this path.
    pub(super) fn finish<T>(self, path: &Path, value: Option<T>) -> Result<T, ConfigError> {
        let problems = self.problems;
        match value {
            Some(value) if problems.is_empty() => Ok(value),
            Some(_) | None => Err(ConfigError::Wrong { path: PathBuf::from(path), problems }),
        }
    }
}

/// That a text is not of a kind, and an example of what would be right.
pub(super) fn not(text: &str, kind: impl Into<Bilingual>, example: &str) -> Bilingual {
    let Bilingual { french, english } = kind.into();
    Bilingual::new(
        format!("«\u{a0}{text}\u{a0}» n’est pas {french}\u{a0}; écrivez par exemple {example}"),
        format!("{text:?} is not {english}; write for instance {example}"),
    )
}

/// That a key is missing, and what it would hold.
pub(super) fn missing(what: impl Into<Bilingual>) -> Bilingual {
    let Bilingual { french, english } = what.into();
    Bilingual::new(format!("manque\u{a0}: {french}"), format!("missing: {english}"))
}

/// That something bears the id of an earlier one of its kind.
pub(super) fn taken(id: impl fmt::Display, kind: impl Into<Bilingual>) -> Bilingual {
    let Bilingual { french, english } = kind.into();
    Bilingual::new(
        format!("{id} est déjà l’identifiant d’{french}, plus haut\u{a0}; donnez à chacun le sien"),
        format!("{id} is the id of an earlier {english}; give each its own"),
    )
}

/// That a secret stands both in the configuration and in a file of its own.
pub(super) fn given_twice() -> Bilingual {
    Bilingual::new(
        "donné deux fois, en clair et par un fichier\u{a0}; gardez l’un des deux",
        "given twice, inline and as a file; keep one",
    )
}

/// The bits of a file's mode for those who are neither its owner nor of its group.
pub(super) const OTHERS: u32 = 0o007;

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}
