//! A key that a command needs and the configuration does not hold. What stands on a command line is seen by everybody on
//! the machine, and stays in the shell's history.

use std::io::Read;
use std::path::{Path, PathBuf};

use cvco_domain::Bilingual;
use cvco_domain::text_file::utf8;
use cvco_mail::Language;
use secrecy::SecretString;

use super::{Failure, output};

/// No key is longer.
const LONGEST: u64 = 64 * 1024;

/// The places of a key, the first of which that holds one counts.
pub(super) struct Places<'k> {
    /// The option, `--key`.
    pub(super) option: &'static str,
    /// The environment variable.
    pub(super) variable: &'static str,
    /// From the command line.
    pub(super) given: Option<&'k str>,
    /// A file; `-` is standard input.
    pub(super) file: Option<&'k PathBuf>,
}

impl Places<'_> {
    /// Reads the key. `message` is the file of the message, which cannot come from standard input as well.
    pub(super) fn read(&self, message: &Path, language: Language) -> Result<SecretString, Failure> {
        let Self { option, variable, .. } = self;
        if let Some(file) = self.file {
            if file == Path::new("-") && message == Path::new("-") {
                return Err(Failure::Misused(Bilingual::new(
                    format!(
                        "{option}-file et FICHIER sont tous deux l’entrée standard\u{a0}: mettez l’un des deux dans un fichier"
                    ),
                    format!("{option}-file and FILE are both standard input: put one of them into a file"),
                )));
            }
            return taken(&bytes(file)?, &format!("{option}-file {}", file.display()));
        }
        if let Some(given) = self.given {
            output::caution(
                language,
                &Bilingual::new(
                    format!(
                        "{option} sur la ligne de commande est visible de tous sur cette machine et reste dans l’historique du \
                         shell\u{a0}; {option}-file FICHIER (- pour l’entrée standard) ou la variable {variable} le cachent"
                    ),
                    format!(
                        "{option} on the command line is seen by everybody on this machine and kept in the shell's history; \
                         {option}-file FILE (- for standard input) or the variable {variable} hide it"
                    ),
                ),
            );
            return Ok(given.to_owned().into());
        }
        match std::env::var_os(variable) {
            Some(value) => taken(value.as_encoded_bytes(), variable),
            None => Err(Failure::Misused(Bilingual::new(
                format!(
                    "quelle clé\u{a0}? donnez {option}-file FICHIER (- pour l’entrée standard), ou mettez-la dans la variable {variable}"
                ),
                format!(
                    "which key? give {option}-file FILE (- for standard input), or put it into the variable {variable}"
                ),
            ))),
        }
    }
}

/// A key as an editor saved it: without its mark and its line end.
fn taken(bytes: &[u8], place: &str) -> Result<SecretString, Failure> {
    let bytes = utf8(bytes);
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| {
            Failure::Misused(Bilingual::new(
                format!("{place}\u{a0}: ce n’est pas du texte en UTF-8"),
                format!("{place}: not text in UTF-8"),
            ))
        })?
        .trim();
    if text.is_empty() {
        return Err(Failure::Misused(Bilingual::new(
            format!("{place}\u{a0}: vide"),
            format!("{place}: empty"),
        )));
    }
    Ok(text.to_owned().into())
}

fn bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(LONGEST).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
    };
    read.map_err(Failure::io(file.display().to_string()))?;
    Ok(bytes)
}
