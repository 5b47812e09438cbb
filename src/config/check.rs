//! What the values of the file must be like. All that is wrong is collected, so that one run tells everything.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

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

    /// Says of which endpoint something is wrong: people know it by its id, and not by its place in the file.
    pub(super) fn name_since(&mut self, (problems, warnings): (usize, usize), endpoint: &str) {
        let new = self.problems.iter_mut().skip(problems).chain(self.warnings.iter_mut().skip(warnings));
        for problem in new {
            problem.key = format!("endpoint {endpoint}: {}", problem.key);
        }
    }

    pub(super) fn wrong(&mut self, key: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem { key: key.into(), what: what.into() });
    }

    pub(super) fn unwise(&mut self, key: impl Into<String>, what: impl Into<String>) {
        self.warnings.push(Problem { key: key.into(), what: what.into() });
    }

    /// Notes a value in production that everybody knows.
    pub(super) fn known_to_all(&mut self, key: &str, what: &str) {
        if self.purpose != Purpose::Demonstration {
            self.wrong(key, what);
        }
    }

    /// Notes a file that others can read than it is for. `others`: the bits of its mode that they need.
    pub(super) fn readable(&mut self, file: &Path, others: u32) {
        let mode = std::fs::metadata(file).map_or(0, |metadata| metadata.permissions().mode());
        if mode & others != 0 {
            let what = format!(
                "{} can be read by others (mode {:o}): chmod {}",
                file.display(),
                mode & 0o777,
                if others & 0o070 == 0 { "o-rwx" } else { "600" }
            );
            self.unwise("permissions", what);
        }
    }

    /// Takes a value, or notes why it is none.
    pub(super) fn value<T, E: std::fmt::Display>(&mut self, key: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.wrong(key, error.to_string())).ok()
    }

    pub(super) fn networks(&mut self, key: &str, texts: &[String]) -> Vec<IpNet> {
        texts
            .iter()
            .filter_map(|text| {
                let network = text
                    .parse::<IpNet>()
                    .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                    .map_err(|_| format!("{text:?} is not a network; write for instance \"194.50.38.0/24\""));
                self.value(key, network)
            })
            .collect()
    }

    pub(super) fn address(&mut self, key: &str, text: Option<&str>, default: &str) -> Option<SocketAddr> {
        let text = text.unwrap_or(default);
        let address = text
            .parse()
            .map_err(|_| format!("{text:?} is not address:port; write for instance \"{default}\""));
        self.value(key, address)
    }

    pub(super) fn duration(&mut self, key: &str, text: Option<&str>, default: Duration) -> Duration {
        let Some(text) = text else { return default };
        let parsed = humantime::parse_duration(text).map_err(|_| {
            format!("{text:?} is not a time span; write for instance \"20m\", \"4d\" or \"0s\"")
        });
        self.value(key, parsed).unwrap_or(default)
    }

    pub(super) fn secret(&mut self, key: &str, source: Source<'_>) -> Option<SecretString> {
        match secrets::read(source, self.folder) {
            Ok(secret) => {
                if secret.as_ref().is_some_and(|secret| secret.expose_secret() == PLACEHOLDER) {
                    self.unwise(key, "still the placeholder that `init` wrote; put the secret into its file");
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

/// The bits of a file's mode for those who are neither its owner nor of its group.
pub(super) const OTHERS: u32 = 0o007;

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}
