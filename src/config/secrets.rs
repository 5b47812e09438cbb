//! Secrets: inline for trials, a file for service. Never printed, never logged.

use std::path::{Path, PathBuf};

use cvco_domain::text_file::utf8;
use secrecy::SecretString;

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
pub(super) fn read(source: Source<'_>, folder: &Path) -> Result<Option<SecretString>, String> {
    match (source.inline, source.file) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err("given twice, inline and as a file; keep one".to_owned()),
        (Some(secret), None) => Ok(Some(secret.clone())),
        (None, Some(file)) => {
            let path = path(file, folder)?;
            let bytes =
                std::fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            let text = std::str::from_utf8(&utf8(&bytes))
                .map_err(|_| format!("{} is not text in UTF-8", path.display()))?
                .to_owned();
            let secret = text.trim_end_matches(['\r', '\n']);
            if secret.is_empty() {
                return Err(format!("{} is empty", path.display()));
            }
            Ok(Some(secret.to_owned().into()))
        }
    }
}

/// Resolves a path of the configuration: `%d/` is systemd's credentials directory, and what is relative starts
/// at the folder of the configuration file.
pub(super) fn path(text: &str, folder: &Path) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("an empty path; write where the file is".to_owned());
    }
    match text.strip_prefix("%d/") {
        None => Ok(folder.join(text)),
        Some(name) => std::env::var_os("CREDENTIALS_DIRECTORY")
            .map(|directory| PathBuf::from(directory).join(name))
            .ok_or_else(|| {
                format!(
                    "{text} is a credential of the systemd service, which only the service sees; run the command as \
                     systemd-run --pipe --wait --collect -p User=cvco-reconciled \
                     -p LoadCredential={name}:/etc/cvco-reconciled/secrets/{name} cvco-reconciled …, with one \
                     LoadCredential for each line of it in the service's unit"
                )
            }),
    }
}
