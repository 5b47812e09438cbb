//! `backup` and `restore`: log and ledger outlive the machine. A backup is a folder with copies of one moment, proven, and
//! `backup.json`, which says what they are; it gets its name when it is whole.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use clap::Args;
use cvco_domain::crypto::Sha256Writer;
use cvco_domain::{Bilingual, Timestamp, Worded};
use cvco_ledger::{Anchor, Ledger, Proof, Reader, Yardstick};
use cvco_log::SqliteLog;
use cvco_mail::lists;
use serde::{Deserialize, Serialize};

use super::output::pair;
use super::proof::{Bars, readable_key};
use super::site::{Here, Site};
use super::{Failure, Outcome, ReportFormat, ledger_settings, output};
use crate::clock::Clock;
use crate::config::LedgerSettings;

/// The names in a backup.
const LOG: &str = "log.sqlite";
const LEDGER: &str = "ledger.sqlite";
const KEY: &str = "payload.key";
const MANIFEST: &str = "backup.json";

/// What the name of a backup begins with while it is being made.
const UNFINISHED: &str = ".unfinished-";

#[derive(Debug, Args)]
pub(super) struct BackupOptions {
    /// The folder for backups; each becomes a folder in it, named by its time. It is made if it is missing.
    folder: PathBuf,
    /// Keep so many, and delete older ones.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// With the key that opens the payloads. Whoever gets hold of such a backup reads them.
    #[arg(long)]
    with_key: bool,
    /// The form of the report.
    #[arg(long, default_value = "table")]
    format: ReportFormat,
}

#[derive(Debug, Args)]
pub(super) struct RestoreOptions {
    /// The folder of one backup, such as /var/backups/cvco/2026-03-01T043000Z.
    folder: PathBuf,
    /// What an anchor mail said of the chain: the number of an entry and its hash. May be repeated.
    #[arg(long = "anchor", value_name = "NUMBER:HASH")]
    anchors: Vec<Anchor>,
    /// Restore although the backup is older than an anchor or than the ledger that was there: entries are lost.
    #[arg(long)]
    accept_loss: bool,
}

/// What a backup is.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    /// The program that made it.
    program: String,
    /// When.
    made_at: Timestamp,
    /// Which log it is of.
    log_id: String,
    /// How many entries it has.
    entries: i64,
    /// The last link of its chain.
    head: String,
    /// SHA-256 of each file.
    files: BTreeMap<String, String>,
}

pub(super) fn backup(path: &Path, options: &BackupOptions) -> Result<Outcome, Failure> {
    let settings = ledger_settings(path)?;
    let language = Here::new(path).language()?;
    let now = Clock::system().now();
    let name = now.to_string().split('.').next().unwrap_or_default().replace(':', "") + "Z";
    let (whole, unfinished) =
        (options.folder.join(&name), options.folder.join(format!("{UNFINISHED}{name}")));
    let failed = || Failure::io(options.folder.display().to_string());
    DirBuilder::new().recursive(true).mode(0o700).create(&options.folder).map_err(failed())?;
    if whole.exists() {
        return Err(Failure::Refused(format!("{} is there already: try again in a second", whole.display())));
    }
    clear_unfinished(&options.folder)?;
    DirBuilder::new().mode(0o700).create(&unfinished).map_err(failed())?;
    let made = make(&settings, &unfinished, options.with_key, now);
    let manifest = match made {
        Ok(manifest) => manifest,
        Err(failure) => {
            drop(fs::remove_dir_all(&unfinished));
            return Err(failure);
        }
    };
    fs::rename(&unfinished, &whole).and_then(|()| sync(&options.folder)).map_err(failed())?;
    let dropped = match options.keep {
        Some(keep) => drop_old(&options.folder, keep)?,
        None => 0,
    };
    if options.format == ReportFormat::Json {
        output::json(&manifest)?;
    } else {
        let say = |fr: &str, en: &str| output::line(pair(language, fr, en));
        let Manifest { entries, head, .. } = &manifest;
        let (whole, key) = (whole.display(), settings.payload_key_file.display());
        say(
            &format!("{whole}\u{a0}: {entries} entrées, vérifiées\u{a0}; dernier maillon {head}"),
            &format!("{whole}: {entries} entries, proven; chain head {head}"),
        )?;
        if options.with_key {
            say(
                &format!("avec {key}\u{a0}: qui a cette sauvegarde peut lire les messages scellés"),
                &format!("with {key}: whoever has this backup can read the payloads"),
            )?;
        } else {
            say(
                &format!("sans {key}, qui ouvre les messages scellés\u{a0}: gardez-en une copie ailleurs"),
                &format!("without {key}, which opens the payloads: keep a copy of it somewhere else"),
            )?;
        }
        if dropped > 0 {
            say(
                &format!("sauvegardes plus anciennes supprimées\u{a0}: {dropped}"),
                &format!("{dropped} older backups deleted"),
            )?;
        }
    }
    Ok(Outcome::Fine)
}

/// Copies log and ledger, brings the ledger's copy to the log's end, and proves both.
fn make(
    settings: &LedgerSettings,
    folder: &Path,
    with_key: bool,
    now: Timestamp,
) -> Result<Manifest, Failure> {
    let (log_copy, ledger_copy) = (folder.join(LOG), folder.join(LEDGER));
    // The ledger first: then the log has everything that the ledger was made of.
    Reader::open(&settings.path)?.copy_to(&ledger_copy)?;
    SqliteLog::open_as_it_is(&settings.log)?.copy_to(&log_copy)?;
    let mut log = SqliteLog::open(&log_copy)?;
    let log_id = log.id()?;
    let mut ledger = Ledger::open(&ledger_copy, &log_id)?;
    ledger.catch_up_all(&mut log)?;
    drop(ledger);
    let proof = prove(settings, &mut log, &ledger_copy, &[])?;
    drop(log);
    if with_key {
        let key = fs::read(&settings.payload_key_file)
            .map_err(Failure::io(settings.payload_key_file.display().to_string()))?;
        write_new(&folder.join(KEY), &mut key.as_slice())?;
    }
    let mut files = BTreeMap::new();
    for name in [LOG, LEDGER, KEY] {
        let file = folder.join(name);
        if file.exists() {
            files.insert(name.to_owned(), digest(&file)?);
        }
    }
    let program = env!("CARGO_PKG_VERSION").to_owned();
    let manifest =
        Manifest { program, made_at: now, log_id, entries: proof.entries, head: proof.head, files };
    let text = serde_json::to_vec_pretty(&manifest).map_err(anyhow::Error::from)?;
    write_new(&folder.join(MANIFEST), &mut text.as_slice())?;
    sync(folder).map_err(Failure::io(folder.display().to_string()))?;
    Ok(manifest)
}

fn prove(
    settings: &LedgerSettings,
    log: &mut SqliteLog,
    ledger: &Path,
    anchors: &[Anchor],
) -> Result<Proof, Failure> {
    let key = readable_key(&settings.payload_key_file)?;
    let kept_since = Clock::system().now().before(settings.payload_retention);
    let yardstick = Yardstick { key: key.as_ref(), kept_since, anchors };
    let mut bars = Bars::default();
    let proof = cvco_ledger::verify(log, ledger, &yardstick, &mut |now| bars.show(now))?;
    bars.clear();
    match proof.flaws.as_slice() {
        [] => Ok(proof),
        [first, rest @ ..] => Err(Failure::Unsound(Bilingual::new(
            format!(
                "des défauts\u{a0}: {} (et {} de plus)\u{a0}: `verify` dit ce qui ne va pas",
                first.in_french(),
                rest.len()
            ),
            format!("not right: {first} (and {} more): `verify` says what is wrong", rest.len()),
        ))),
    }
}

pub(super) fn restore(path: &Path, options: &RestoreOptions) -> Result<Outcome, Failure> {
    let settings = ledger_settings(path)?;
    let manifest = manifest(&options.folder)?;
    let source = |name: &str| options.folder.join(name);
    for (name, stated) in &manifest.files {
        let is_known = [LOG, LEDGER, KEY].contains(&name.as_str());
        if !is_known || digest(&source(name))? != *stated {
            return Err(Failure::Refused(format!(
                "{} is not what {MANIFEST} says: take another backup",
                source(name).display()
            )));
        }
    }
    if SqliteLog::lease(&settings.log)?.is_none() {
        return Err(Failure::Refused("a daemon runs on these files: stop it first".to_owned()));
    }
    for place in [&settings.log, &settings.path] {
        if place.symlink_metadata().is_ok() {
            return Err(Failure::Refused(format!(
                "{} is there, and `restore` overwrites nothing: move it away, with what stands beside it (`-wal`, `-shm`)",
                place.display()
            )));
        }
    }
    let newest = options.anchors.iter().max_by_key(|anchor| anchor.seq);
    if let Some(anchor) = newest.filter(|anchor| anchor.seq.get() > manifest.entries && !options.accept_loss)
    {
        return Err(Failure::Refused(format!(
            "the backup ends with entry {}, and an anchor mail knows entry {}: it is older. Take a newer backup; if there is \
             none, --accept-loss restores it, and what came after it is lost",
            manifest.entries, anchor.seq
        )));
    }
    let log = beside(&settings.log);
    let ledger = beside(&settings.path);
    let restored = put_back(&settings, options, &manifest, &log, &ledger);
    if restored.is_err() {
        for leftover in [&log, &ledger] {
            drop(fs::remove_file(leftover));
        }
    }
    let has_key = restored?;
    let language = Here::new(path).language()?;
    let say = |fr: &str, en: &str| output::line(pair(language, fr, en));
    let (entries, until) = (manifest.entries, lists::paris(language, manifest.made_at));
    say(
        &format!("restauré\u{a0}: {entries} entrées, jusqu’au {until}, vérifiées"),
        &format!("restored: {entries} entries, up to {until}, proven"),
    )?;
    if !has_key {
        let key = settings.payload_key_file.display();
        say(
            &format!(
                "il manque {key}, qui ouvre les messages scellés\u{a0}: remettez-y sa copie avant de démarrer le service"
            ),
            &format!(
                "{key} is missing, which opens the payloads: put its copy there before you start the daemon"
            ),
        )?;
    }
    let day = manifest.made_at.paris_day();
    say(
        &format!(
            "ensuite\u{a0}: démarrez le service, et demandez aux prestataires ce qui est venu depuis\u{a0}: catch-up --since {day}"
        ),
        &format!("next: start the daemon, and ask the PSPs for what came since then: catch-up --since {day}"),
    )?;
    Ok(Outcome::Fine)
}

/// Puts the files into their places once they are proven; whether the payload key is there.
fn put_back(
    settings: &LedgerSettings,
    options: &RestoreOptions,
    manifest: &Manifest,
    log: &Path,
    ledger: &Path,
) -> Result<bool, Failure> {
    let source = |name: &str| options.folder.join(name);
    for (name, target) in [(LOG, log), (LEDGER, ledger)] {
        let from = source(name);
        let mut file = File::open(&from).map_err(Failure::io(from.display().to_string()))?;
        write_new(target, &mut file)?;
    }
    let within: Vec<Anchor> =
        options.anchors.iter().filter(|anchor| anchor.seq.get() <= manifest.entries).cloned().collect();
    let mut opened = SqliteLog::open(log)?;
    prove(settings, &mut opened, ledger, &within)?;
    drop(opened);
    let key = &settings.payload_key_file;
    if source(KEY).exists() && !key.exists() {
        let from = source(KEY);
        let mut file = File::open(&from).map_err(Failure::io(from.display().to_string()))?;
        write_new(key, &mut file)?;
        give_to_service(key)?;
    }
    // The log first: a ledger that is missing can be made again, and a log cannot.
    for (from, to, mode) in [(log, &settings.log, 0o600), (ledger, &settings.path, 0o640)] {
        let failed = || Failure::io(to.display().to_string());
        fs::set_permissions(from, std::os::unix::fs::PermissionsExt::from_mode(mode)).map_err(failed())?;
        give_to_service(from)?;
        fs::rename(from, to).map_err(failed())?;
        sync(folder_of(to)).map_err(failed())?;
    }
    Ok(key.exists())
}

fn manifest(folder: &Path) -> Result<Manifest, Failure> {
    let path = folder.join(MANIFEST);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let hint = backups(folder)?.pop().map_or_else(
                || "name the folder of one backup".to_owned(),
                |newest| format!("its newest backup is {}", folder.join(newest).display()),
            );
            return Err(Failure::Usage(format!("{} is no backup: {hint}", folder.display())));
        }
        Err(error) => return Err(Failure::io(path.display().to_string())(error)),
    };
    serde_json::from_slice(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

/// The backups in a folder, the oldest first.
fn backups(folder: &Path) -> Result<Vec<String>, Failure> {
    let failed = || Failure::io(folder.display().to_string());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_backup_name(&name) && entry.path().join(MANIFEST).exists() {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

/// Only what `backup` itself named is ever deleted: `2026-03-01T043000Z`.
fn is_backup_name(name: &str) -> bool {
    let shape = |(n, byte): (usize, u8)| match n {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        17 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    name.len() == 18 && name.bytes().enumerate().all(shape)
}

fn drop_old(folder: &Path, keep: u32) -> Result<usize, Failure> {
    let mut found = backups(folder)?;
    let old = found.len().saturating_sub(usize::try_from(keep).unwrap_or(usize::MAX));
    for name in found.drain(..old) {
        let path = folder.join(name);
        fs::remove_dir_all(&path).map_err(Failure::io(path.display().to_string()))?;
    }
    Ok(old)
}

/// What a backup left that could not end.
fn clear_unfinished(folder: &Path) -> Result<(), Failure> {
    let failed = || Failure::io(folder.display().to_string());
    for entry in fs::read_dir(folder).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.strip_prefix(UNFINISHED).is_some_and(is_backup_name) {
            fs::remove_dir_all(entry.path()).map_err(failed())?;
        }
    }
    Ok(())
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension("restoring")
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all())
}

/// Makes a file that nobody else can read, and that is durable.
fn write_new(path: &Path, from: &mut dyn io::Read) -> Result<(), Failure> {
    let failed = || Failure::io(path.display().to_string());
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed())?;
    io::copy(from, &mut file).map_err(failed())?;
    file.sync_all().map_err(failed())
}

/// Run by root, what is restored belongs to whom the folder belongs to: the service's user.
fn give_to_service(path: &Path) -> Result<(), Failure> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let failed = || Failure::io(path.display().to_string());
    let folder = folder_of(path).metadata().map_err(failed())?;
    chown(path, Some(folder.uid()), Some(folder.gid())).map_err(failed())
}

fn digest(path: &Path) -> Result<String, Failure> {
    let failed = || Failure::io(path.display().to_string());
    let mut hashed = Sha256Writer::default();
    io::copy(&mut File::open(path).map_err(failed())?, &mut hashed).map_err(failed())?;
    Ok(hashed.finish().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_deleted_but_what_backup_itself_named() {
        assert!(is_backup_name("2026-03-01T043000Z"));
        for name in ["", "..", "2026-03-01", "2026-03-01T043000Zx", "x026-03-01T043000Z", "mars"] {
            assert!(!is_backup_name(name), "{name}");
        }
    }
}
