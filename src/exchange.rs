//! The accountant's folder: a statement that is put into `in` is imported, with a receipt beside it, and the files of each
//! month that is closed appear in `out`. All of it is done by the commands that she could give herself, in her name.

mod receipt;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use cvco_domain::{Day, Period};
use cvco_ledger::{LedgerError, Reader};
use cvco_log::Log;
use rustix::fs::OFlags;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::account;
use crate::admin::AdminSettings;
use crate::admin::commands::{Desk, End, Errand, Errands, Frame, INPUT_BYTES, Say};
use crate::clock::Clock;
use crate::config::DeskSettings;
use crate::follower::Followed;
use receipt::Receipt;

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A file that has not changed for so many looks is whole.
const LOOKS_UNCHANGED: u32 = 3;

/// So many files are looked at; a person clears a folder that holds more.
const FILES: usize = 1000;

/// The files of so many months are put into `out`, the latest.
const MONTHS: usize = 12;

/// Before the first instant of a month lies the one before it.
const A_MOMENT: Duration = Duration::from_millis(1);

/// How names end while their files are still being written.
const UNFINISHED: [&str; 7] = ["~", ".tmp", ".part", ".partial", ".crdownload", ".filepart", ".swp"];

/// Looks after the folder.
pub struct Exchange {
    /// What commands go by, as last loaded.
    pub settings: watch::Receiver<Arc<AdminSettings>>,
    /// Where they write.
    pub log: Log,
    /// How far the ledger has followed.
    pub followed: Followed,
    /// The time.
    pub clock: Clock,
    /// Carries them out.
    pub errands: Arc<dyn Errands>,
}

impl Exchange {
    /// Works until `stop`; a file under way is finished.
    pub async fn run(self, stop: CancellationToken) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut seen = Seen::default();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            let desk = Desk {
                settings: self.settings.borrow().desk.clone(),
                log: self.log.clone(),
                followed: self.followed.clone(),
                clock: self.clock.clone(),
                runtime: Handle::current(),
            };
            let errands = Arc::clone(&self.errands);
            let looked = tokio::task::spawn_blocking(move || {
                let folder = Folder { desk: &desk, errands: &*errands };
                if let Err(error) = folder.look(&mut seen) {
                    seen.tell(&error.to_string());
                }
                seen
            });
            match looked.await {
                Ok(back) => seen = back,
                Err(error) => {
                    return tracing::error!(%error, "the exchange folder is not looked after any more");
                }
            }
        }
    }
}

/// What is known of the folder from earlier looks.
#[derive(Default)]
struct Seen {
    files: BTreeMap<OsString, Known>,
    trouble: Option<String>,
}

impl Seen {
    fn tell(&mut self, trouble: &str) {
        if self.trouble.as_deref() != Some(trouble) {
            tracing::error!(trouble, "the exchange folder cannot be looked after");
            self.trouble = Some(trouble.to_owned());
        }
    }
}

/// A file, as it was seen last.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    size: u64,
    changed: (i64, i64),
    inode: u64,
    /// For how many looks it has been so.
    looks: u32,
}

impl Known {
    fn of(meta: &fs::Metadata) -> Self {
        Self { size: meta.len(), changed: (meta.ctime(), meta.ctime_nsec()), inode: meta.ino(), looks: 1 }
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.size, self.changed, self.inode) == (other.size, other.changed, other.inode)
    }
}

/// The folder, while it is looked at.
struct Folder<'d> {
    desk: &'d Desk,
    errands: &'d dyn Errands,
}

impl Folder<'_> {
    const fn settings(&self) -> &DeskSettings {
        &self.desk.settings
    }

    fn look(&self, seen: &mut Seen) -> io::Result<()> {
        let folder = &self.settings().books.ledger.exchange;
        let (incoming, outgoing) = (folder.join("in"), folder.join("out"));
        if incoming.is_dir() {
            self.look_into(&incoming, seen)?;
        }
        if outgoing.is_dir() {
            self.put_out(&outgoing)?;
        }
        seen.trouble = None;
        Ok(())
    }

    fn look_into(&self, incoming: &Path, seen: &mut Seen) -> io::Result<()> {
        let mut there = BTreeMap::new();
        for entry in fs::read_dir(incoming)?.take(FILES) {
            let entry = entry?;
            let name = entry.file_name();
            // Not followed: whoever may write here leads the daemon to no other file.
            let Ok(meta) = entry.path().symlink_metadata() else { continue };
            if !is_for_us(&name.to_string_lossy()) || !meta.is_file() || meta.nlink() != 1 {
                continue;
            }
            let mut now = Known::of(&meta);
            if let Some(before) = seen.files.get(&name).filter(|before| before.is_same(&now)) {
                now.looks = before.looks.saturating_add(1);
            }
            there.insert(name, now);
        }
        for (name, known) in &there {
            if known.looks == LOOKS_UNCHANGED {
                self.take(incoming, &name.to_string_lossy(), &incoming.join(name), known)?;
            }
        }
        seen.files = there;
        Ok(())
    }

    /// Imports a file, unless a receipt says that it was dealt with.
    fn take(&self, incoming: &Path, name: &str, path: &Path, known: &Known) -> io::Result<()> {
        let language = self.settings().language;
        let target = incoming.join(Receipt::name(language, name));
        let is_newer = |meta: fs::Metadata| (meta.ctime(), meta.ctime_nsec()) >= known.changed;
        if target.symlink_metadata().is_ok_and(is_newer) {
            return Ok(());
        }
        let mut receipt = Receipt::new(language, name, self.desk.clock.now());
        match read(path, known) {
            Err(Unread::TooLarge(bytes)) => receipt.refuse(&receipt::too_large(language, bytes)),
            Err(Unread::Io(error)) => receipt.refuse(&error.to_string()),
            Ok(None) => return Ok(()),
            Ok(Some(Content { by, bytes })) => match self.layout(name) {
                Err(what) => receipt.refuse(&what),
                Ok(layout) => {
                    let words = ["statement", "import", "--layout", &layout, "--", name];
                    let arguments = words.map(str::to_owned).to_vec();
                    let errand = Errand { arguments, input: bytes, by, is_admin: false, language: None };
                    self.errands.carry_out(&errand, self.desk, &mut receipt);
                    tracing::info!(
                        account = errand.by,
                        file = name,
                        "a statement was put into the exchange folder"
                    );
                }
            },
        }
        let mut beside = tempfile::NamedTempFile::new_in(incoming)?;
        beside.write_all(receipt.text().as_bytes())?;
        beside.as_file().set_permissions(fs::Permissions::from_mode(0o640))?;
        beside.persist(&target).map(drop).map_err(|error| error.error)
    }

    /// By which `[[statement]]` a file is read: the only one, or the one with whose id its name begins.
    fn layout(&self, name: &str) -> Result<String, String> {
        let ids: Vec<&str> =
            self.settings().books.statements.iter().map(|layout| layout.profile.id.as_str()).collect();
        let begins = |id: &&&str| {
            name.split_at_checked(id.len()).is_some_and(|(beginning, rest)| {
                beginning.eq_ignore_ascii_case(id) && !rest.starts_with(char::is_alphanumeric)
            })
        };
        match ids.as_slice() {
            [] => Err(receipt::no_layout(self.settings().language)),
            [only] => Ok((*only).to_owned()),
            ids => ids
                .iter()
                .filter(begins)
                .max_by_key(|id| id.len())
                .map(|id| (*id).to_owned())
                .ok_or_else(|| receipt::which_layout(self.settings().language, ids)),
        }
    }

    /// Puts the files of closed months out that are not there yet.
    fn put_out(&self, outgoing: &Path) -> io::Result<()> {
        let months = closed(&self.settings().books.ledger.path).map_err(io::Error::other)?;
        for month in months {
            let target = outgoing.join(month.to_string());
            if target.symlink_metadata().is_ok() {
                continue;
            }
            let unfinished = outgoing.join(format!(".{month}"));
            if unfinished.is_dir() {
                fs::remove_dir_all(&unfinished)?;
            }
            DirBuilder::new().mode(0o750).create(&unfinished)?;
            let month_text = month.to_string();
            let words = ["close", "--period", &month_text, "--yes", "--output", "out"];
            let errand = Errand {
                arguments: words.map(str::to_owned).to_vec(),
                input: Vec::new(),
                by: "cvco-reconciled".to_owned(),
                is_admin: false,
                language: None,
            };
            let mut month_files = Shelf { folder: &unfinished, file: None, trouble: None };
            self.errands.carry_out(&errand, self.desk, &mut month_files);
            match month_files.trouble {
                None => fs::rename(&unfinished, &target)?,
                Some(trouble) => {
                    fs::remove_dir_all(&unfinished)?;
                    return Err(io::Error::other(trouble));
                }
            }
        }
        Ok(())
    }
}

/// The latest months that are closed for good.
fn closed(ledger: &Path) -> Result<Vec<Period>, LedgerError> {
    Reader::open(ledger)?.extract(|extract| {
        let mut months = Vec::new();
        let mut next = extract.closed_through()?.map(Day::period);
        while let Some(month) = next.filter(|_| months.len() < MONTHS) {
            if !extract.is_witnessed(month)? {
                break;
            }
            months.push(month);
            next = Some(month.first().start().before(A_MOMENT).paris_day().period());
        }
        Ok(months)
    })
}

/// Whether a file may be a statement, by its name.
fn is_for_us(name: &str) -> bool {
    let lower = name.to_lowercase();
    let is_aside = lower.starts_with(['.', '~']) || UNFINISHED.iter().any(|end| lower.ends_with(end));
    !is_aside && !Receipt::is_name(name) && !name.contains(char::is_control)
}

/// A file's bytes, and the account that it belongs to.
struct Content {
    by: String,
    bytes: Vec<u8>,
}

/// Why a file was not read.
enum Unread {
    /// It has so many bytes.
    TooLarge(u64),
    Io(io::Error),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads a file, if it is still the one that was seen.
fn read(path: &Path, known: &Known) -> Result<Option<Content>, Unread> {
    // Neither a link nor a pipe that took the name meanwhile.
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() || !Known::of(&meta).is_same(known) {
        return Ok(None);
    }
    let limit = u64::try_from(INPUT_BYTES).unwrap_or(u64::MAX);
    if meta.len() > limit {
        return Err(Unread::TooLarge(meta.len()));
    }
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(Some(Content { by: account::name_of(meta.uid()), bytes }))
}

/// Where the files of a month go.
struct Shelf<'f> {
    folder: &'f Path,
    file: Option<File>,
    trouble: Option<String>,
}

impl Say for Shelf<'_> {
    fn say(&mut self, frame: &Frame) -> io::Result<()> {
        match frame {
            Frame::File(name) => {
                let path: PathBuf = self.folder.join(name);
                let file = OpenOptions::new().write(true).create_new(true).mode(0o640).open(path)?;
                file.set_permissions(fs::Permissions::from_mode(0o640))?;
                self.file = Some(file);
            }
            Frame::Data(piece) => {
                if let Some(file) = &mut self.file {
                    file.write_all(&BASE64.decode(piece).map_err(io::Error::other)?)?;
                }
            }
            Frame::Whole(_) => {
                if let Some(file) = self.file.take() {
                    file.sync_all()?;
                }
            }
            Frame::End(End { complaint: Some(what), .. }) => self.trouble = Some(what.clone()),
            Frame::Line(_) | Frame::Warning(_) | Frame::Question(_) | Frame::End(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_still_being_written_and_our_own_receipts_are_left_alone() {
        for name in ["releve.csv", "ancv-000123.CSV", "été.txt", "-rf", "a b.csv"] {
            assert!(is_for_us(name), "{name}");
        }
        for name in [
            ".releve.csv",
            "releve.csv.part",
            "releve.csv.TMP",
            "~$releve.csv",
            "releve.csv~",
            "x.csv.recu.txt",
            "a\nb",
        ] {
            assert!(!is_for_us(name), "{name}");
        }
    }
}
