//! Secrets: inline for trials, a file for service. Never printed, never logged.

use std::io;
use std::path::{Path, PathBuf};

use cvco_domain::text_file::utf8;
use cvco_domain::{Bilingual, Worded};
use secrecy::SecretString;

use super::check::given_twice;

/// Where a secret is: `X`, `X_file`, both (which is wrong) or neither.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    inline: Option<&'a SecretString>,
    file: Option<&'a str>,
}

impl<'a> Source<'a> {
    pub(super) const fn new(inline: Option<&'a SecretString>, file: Option<&'a str>) -> Self {
        Self { inline, file }
    }

    pub(super) const fn is_given(&self) -> bool {
        self.inline.is_some() || self.file.is_some()
    }

    /// The file that it is in.
    pub(super) const fn file(&self) -> Option<&'a str> {
        self.file
    }

    /// Whether systemd hands it to the service.
    pub(super) fn is_credential(&self) -> bool {
        self.file.is_some_and(|file| file.starts_with("%d/"))
    }

    pub(super) const fn is_inline(&self) -> bool {
        self.inline.is_some()
    }
}

/// Reads a secret; a line end after it is not part of it, nor is what Windows programs put before it.
pub(super) fn read(source: Source<'_>, folder: &Path) -> Result<Option<SecretString>, Bilingual> {
    match (source.inline, source.file) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(given_twice()),
        (Some(secret), None) => Ok(Some(secret.clone())),
        (None, Some(file)) => {
            let path = path(file, folder)?;
            let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
            let shown = path.display();
            let text = std::str::from_utf8(&utf8(&bytes))
                .map_err(|_| {
                    Bilingual::new(
                        format!("{shown} n’est pas du texte en UTF-8"),
                        format!("{shown} is not text in UTF-8"),
                    )
                })?
                .to_owned();
            let secret = text.trim_end_matches(['\r', '\n']);
            if secret.is_empty() {
                return Err(Bilingual::new(format!("{shown} est vide"), format!("{shown} is empty")));
            }
            Ok(Some(secret.to_owned().into()))
        }
    }
}

/// That a file cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Bilingual {
    let path = path.display();
    Bilingual::new(
        format!("impossible de lire {path}\u{a0}: {}", error.in_french()),
        format!("cannot read {path}: {error}"),
    )
}

/// Resolves a path of the configuration: `%d/` is systemd's credentials directory, and what is relative starts
/// at the folder of the configuration file.
pub(super) fn path(text: &str, folder: &Path) -> Result<PathBuf, Bilingual> {
    if text.is_empty() {
        return Err(Bilingual::new(
            "un chemin vide\u{a0}; indiquez où est le fichier",
            "an empty path; write where the file is",
        ));
    }
    match text.strip_prefix("%d/") {
        None => Ok(folder.join(text)),
        Some(name) => std::env::var_os("CREDENTIALS_DIRECTORY")
            .map(|directory| PathBuf::from(directory).join(name))
            .ok_or_else(|| {
                let command = format!(
                    "systemd-run --pipe --wait --collect -p User=cvco-reconciled \
                     -p LoadCredential={name}:/etc/cvco-reconciled/secrets/{name} cvco-reconciled …"
                );
                Bilingual::new(
                    format!(
                        "{text} est un secret du service systemd, que seul le service voit\u{a0}; lancez la commande ainsi\u{a0}: \
                         {command}, avec un LoadCredential pour chaque ligne LoadCredential de l’unité du service"
                    ),
                    format!(
                        "{text} is a credential of the systemd service, which only the service sees; run the command as \
                         {command}, with one LoadCredential for each line of it in the service's unit"
                    ),
                )
            }),
    }
}
