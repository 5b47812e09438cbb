//! Where a command of the accountant is carried out: here, with the rights of whoever runs it, or by the daemon, for somebody
//! who may open neither the configuration nor the log. What the command does is the same.

use std::fmt::Display;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use cvco_mail::Language;
use serde::Serialize;

use super::append::Writer;
use super::extract::in_place;
use super::{Failure, output, who};
use crate::config::{DeskSettings, LedgerSettings, RawConfig};

/// What a command has around it.
pub(super) trait Site {
    /// `[ledger]`: all that most commands need.
    fn ledger(&self) -> Result<LedgerSettings, Failure>;

    /// All that commands of the accountant need.
    fn desk(&self) -> Result<DeskSettings, Failure>;

    /// The language of lists.
    fn language(&self) -> Result<Language, Failure>;

    /// The configuration's file, for what needs its secrets.
    fn config(&self) -> Result<&Path, Failure>;

    /// The account whose command it is.
    fn account(&self) -> String;

    /// The log for writing, and the ledger that follows it.
    fn writer(&self) -> Result<Writer, Failure>;

    /// What the file holds that the command names; `-` is standard input.
    fn input(&mut self, file: &Path) -> Result<Vec<u8>, Failure>;

    /// Prints a line, or several.
    fn line(&mut self, text: &dyn Display) -> Result<(), Failure>;

    /// Says what a person should know, though the command goes on.
    fn warn(&mut self, what: &str);

    /// Asks, where somebody could answer.
    fn confirm(&mut self, question: &str) -> Result<bool, Failure>;

    /// Writes a file: `write` returns in words what it holds.
    fn file(&mut self, place: Place<'_>, name: &str, write: WriteFile<'_>) -> Result<(), Failure>;

    /// Whether somebody sees how far long work has come.
    fn is_watched(&self) -> bool;
}

/// Writes a file's content, and says in words what it holds.
pub(super) type WriteFile<'w> = &'w mut dyn FnMut(&mut dyn Write) -> Result<String, Failure>;

/// Where a file goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'p> {
    /// To standard output.
    Printed,
    /// Where a person says: a file, or a folder for it; it is said where it went.
    Named(&'p Path),
    /// Into a folder of files that belong together, which is made where it is missing.
    Folder(&'p Path),
}

impl<'p> Place<'p> {
    /// Of `-o`.
    pub(super) fn of(output: Option<&'p Path>) -> Self {
        output.filter(|file| *file != Path::new("-")).map_or(Self::Printed, Self::Named)
    }

    /// Writes a file there as whoever runs this process.
    pub(super) fn write(self, name: &str, write: WriteFile<'_>) -> Result<(), Failure> {
        match self {
            Self::Printed => {
                let mut out = BufWriter::new(std::io::stdout().lock());
                write(&mut out)?;
                out.flush().map_err(Failure::io("standard output"))
            }
            Self::Named(output) => {
                let target = target(output, name)?;
                let written = in_place(&target, write)?;
                output::line(format!("{}: {written}", target.display()))
            }
            Self::Folder(folder) => {
                std::fs::create_dir_all(folder).map_err(Failure::io(folder.display().to_string()))?;
                in_place(&folder.join(name), write).map(drop)
            }
        }
    }
}

/// The file that is written. What could be meant for a folder must not become a file that the next export overwrites.
fn target(output: &Path, name: &str) -> Result<PathBuf, Failure> {
    let make = |folder: &Path| {
        std::fs::create_dir_all(folder).map_err(Failure::io(format!("the folder {}", folder.display())))
    };
    if output.is_dir() {
        return Ok(output.join(name));
    }
    if output.as_os_str().as_encoded_bytes().ends_with(b"/") {
        make(output)?;
        return Ok(output.join(name));
    }
    if output.extension().is_none() {
        let shown = output.display();
        return Err(Failure::Usage(if output.exists() {
            format!("{shown} is a file, and its name has no ending: name a folder, or a file such as {name}")
        } else {
            format!(
                "there is no folder {shown}: write {shown}/ to have it made; or name a file with its ending, such as {name}"
            )
        }));
    }
    if let Some(folder) = output.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make(folder)?;
    }
    Ok(output.to_owned())
}

/// Reads a file, or standard input where it is called `-`; no more than `limit` bytes, if there is one.
pub(super) fn read(file: &Path, limit: Option<usize>) -> Result<Vec<u8>, Failure> {
    let limit = limit.and_then(|limit| u64::try_from(limit).ok()).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    }
    .map_err(Failure::io(file.display().to_string()))?;
    Ok(bytes)
}

/// Prints a value as JSON, for programs.
pub(super) fn json(site: &mut dyn Site, value: &impl Serialize) -> Result<(), Failure> {
    site.line(&serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?)
}

/// Here, with the rights of whoever runs the command.
pub(super) struct Here<'p> {
    config: &'p Path,
}

impl<'p> Here<'p> {
    pub(super) const fn new(config: &'p Path) -> Self {
        Self { config }
    }
}

impl Site for Here<'_> {
    fn ledger(&self) -> Result<LedgerSettings, Failure> {
        Ok(RawConfig::read(self.config)?.ledger(self.config)?)
    }

    fn desk(&self) -> Result<DeskSettings, Failure> {
        Ok(RawConfig::read(self.config)?.desk(self.config)?)
    }

    fn language(&self) -> Result<Language, Failure> {
        Ok(RawConfig::read(self.config)?.language(self.config)?)
    }

    fn config(&self) -> Result<&Path, Failure> {
        Ok(self.config)
    }

    fn account(&self) -> String {
        who::account()
    }

    fn writer(&self) -> Result<Writer, Failure> {
        Writer::open(&self.ledger()?)
    }

    fn input(&mut self, file: &Path) -> Result<Vec<u8>, Failure> {
        read(file, None)
    }

    fn line(&mut self, text: &dyn Display) -> Result<(), Failure> {
        output::line(text)
    }

    fn warn(&mut self, what: &str) {
        output::warn(what);
    }

    fn confirm(&mut self, question: &str) -> Result<bool, Failure> {
        output::confirm(question)
    }

    fn file(&mut self, place: Place<'_>, name: &str, write: WriteFile<'_>) -> Result<(), Failure> {
        place.write(name, write)
    }

    fn is_watched(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_is_made_or_refused_and_never_becomes_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let target = |path: PathBuf| target(&path, "registre.csv").map_err(|failure| failure.to_string());
        assert_eq!(target(folder.path().to_owned()), Ok(at("registre.csv")));
        assert_eq!(target(at("mars/")), Ok(at("mars/registre.csv")));
        assert!(at("mars").is_dir());
        assert_eq!(target(at("mars")), Ok(at("mars/registre.csv")));
        assert_eq!(target(at("a/b/r.csv")), Ok(at("a/b/r.csv")));
        assert!(at("a/b").is_dir());
        let told = target(at("avril")).expect_err("ambiguous");
        assert!(told.contains("there is no folder") && told.contains("avril/"), "{told}");
        assert!(!at("avril").exists());
        fs::write(at("mai"), "").expect("a file");
        assert!(target(at("mai")).expect_err("a file").contains("is a file"));
    }
}
