//! Log and ledger of this machine: whether they can be written and read, and agree with the clock.

use std::path::Path;
use std::time::Duration;

use cvco_domain::{Bilingual, Timestamp, Worded};
use cvco_ledger::{LedgerError, Reader, SetAside};
use cvco_log::{LogError, LogStore, SqliteLog};
use cvco_mail::Language;
use cvco_pages::Say;

use super::{Line, Verdict};
use crate::config::LedgerSettings;

/// So many entries that are set aside are named.
const SHOWN: u32 = 10;

/// How far the clock may be behind the log without a word.
const CLOCK_TOLERANCE: Duration = Duration::from_mins(1);

/// So little space is full: SQLite writes over what it has for a while, and then nothing more fits.
const ROOM: u64 = 64 * 1024 * 1024;

/// Whether log and ledger have room to grow.
pub(super) fn room(settings: &LedgerSettings) -> Vec<Line> {
    let mut folders: Vec<&Path> =
        [&settings.log, &settings.path].into_iter().filter_map(|file| file.parent()).collect();
    folders.dedup();
    let full = folders.into_iter().filter_map(|folder| {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let disk = rustix::fs::statvfs(folder).ok()?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        (free < ROOM).then(|| {
            let (free, folder) = (free / 1_000_000, folder.display());
            let what = (
                format!(
                    "il reste {free} Mo là où se trouve {folder}\u{a0}: libérez de la place, sinon les appels reçoivent un 503"
                ),
                format!("{free} MB are left where {folder} is: make room, or calls get 503"),
            );
            Line::new(("disque", "disk"), Verdict::Wrong, what)
        })
    });
    full.collect()
}

/// Whether the log can be written, and whether its dates and the clock agree.
pub(super) fn log(settings: &LedgerSettings, now: Timestamp) -> Vec<Line> {
    let path = &settings.log;
    let line = |verdict, remark: Bilingual| vec![Line::new(("journal", "log"), verdict, remark)];
    let mut log = match SqliteLog::open(path) {
        Ok(log) => log,
        Err(LogError::NoLog(_)) => {
            let beside = [&settings.path, &settings.payload_key_file].into_iter().find(|file| file.exists());
            return match beside {
                Some(beside) => {
                    let lost = LogError::LogLost { log: path.clone(), beside: beside.clone() };
                    line(Verdict::Wrong, lost.words())
                }
                None if has_folder(path) => line(Verdict::Good, made_at_start(path)),
                None => line(Verdict::Wrong, no_folder(path)),
            };
        }
        Err(error) => return line(Verdict::Wrong, error.words()),
    };
    let shown = path.display();
    let mut lines = match log.prove_writable() {
        Ok(()) => line(
            Verdict::Good,
            Bilingual::new(
                format!("{shown} est accessible en écriture, et ce qui est écrit est synchronisé"),
                format!("{shown} can be written, and what is written is synced"),
            ),
        ),
        Err(error) => line(
            Verdict::Wrong,
            Bilingual::new(
                format!(
                    "il n’est pas accessible en écriture, aucun appel n’est donc acquitté\u{a0}: {}",
                    error.in_french()
                ),
                format!("it cannot be written, so no call is acknowledged: {error}"),
            ),
        ),
    };
    match log.head() {
        Ok(head) => lines.push(clock(head.at, now)),
        Err(error) => lines.extend(line(Verdict::Wrong, error.words())),
    }
    lines
}

fn made_at_start(file: &Path) -> Bilingual {
    let file = file.display();
    Bilingual::new(
        format!("{file} sera créé au premier démarrage"),
        format!("{file} will be made at the first start"),
    )
}

fn no_folder(file: &Path) -> Bilingual {
    let file = file.display();
    Bilingual::new(
        format!("le dossier de {file} n’existe pas\u{a0}: créez-le"),
        format!("the folder of {file} does not exist: make it"),
    )
}

/// The clock must not be behind what was written already.
fn clock(last: Timestamp, now: Timestamp) -> Line {
    let behind = last.since(now);
    let (time, last) = (now.paris_text(), last.paris_text());
    let line = |verdict, remark: Bilingual| Line::new(("horloge", "clock"), verdict, remark);
    if behind <= CLOCK_TOLERANCE {
        return line(Verdict::Good, Bilingual::new(format!("il est {time}"), format!("it is {time}")));
    }
    let lasts = |language| Say(language).span(behind);
    let (of_french, of_english) = (lasts(Language::French), lasts(Language::English));
    line(
        Verdict::Wrong,
        Bilingual::new(
            format!(
                "il est {time}, et la dernière entrée du journal est datée du {last}\u{a0}: l’horloge retarde de {of_french} sur elle. \
                 Elle est fausse maintenant, ou l’était alors. Si elle est fausse maintenant, réglez-la\u{a0}; si elle est juste, le \
                 service corrige de lui-même les dates du journal"
            ),
            format!(
                "it is {time}, and the last entry of the log is dated {last}: the clock is {of_english} behind it. It is wrong now, or was \
                 wrong then. If it is wrong now, set it; if it is right, the daemon corrects the log's dates by itself"
            ),
        ),
    )
}

/// Whether the ledger can be read, and what of the log it could not take in.
pub(super) fn ledger(settings: &LedgerSettings) -> Vec<Line> {
    let path = &settings.path;
    let line = |verdict, remark: Bilingual| vec![Line::new(("registre", "ledger"), verdict, remark)];
    let shown = path.display();
    let reader = match Reader::open(path) {
        Ok(reader) => reader,
        Err(LedgerError::NoLedger(_)) if settings.log.exists() => {
            return line(
                Verdict::Unwise,
                Bilingual::new(
                    format!("{shown} manque\u{a0}; le service le refait à partir du journal"),
                    format!("{shown} is missing; the daemon makes it again from the log"),
                ),
            );
        }
        Err(LedgerError::NoLedger(_)) if has_folder(path) => return line(Verdict::Good, made_at_start(path)),
        Err(LedgerError::NoLedger(_)) => return line(Verdict::Wrong, no_folder(path)),
        Err(error) => return line(Verdict::Wrong, error.words()),
    };
    let standing = || Ok((reader.folded()?.0, reader.set_aside()?, reader.latest_set_aside(None, SHOWN)?));
    match standing() {
        Ok((folded, all, latest)) => {
            let mut lines = line(
                Verdict::Good,
                Bilingual::new(
                    format!("{shown}, établi à partir du journal jusqu’à l’entrée {folded}"),
                    format!("{shown}, made of the log up to entry {folded}"),
                ),
            );
            lines.extend(set_aside(all, &latest));
            lines
        }
        Err::<_, LedgerError>(error) => line(Verdict::Wrong, error.words()),
    }
}

/// The entries that the ledger had to pass over, by number and reason.
fn set_aside(all: i64, latest: &[SetAside]) -> Vec<Line> {
    let line = |entry: &SetAside| {
        let SetAside { seq, kind, reason, .. } = entry;
        Line::new(
            (format!("entrée {seq} du journal"), format!("log entry {seq}")),
            Verdict::Unwise,
            (
                format!("mise de côté ({kind}, en anglais\u{a0}: {reason})"),
                format!("set aside ({kind}): {reason}"),
            ),
        )
    };
    let mut lines: Vec<Line> = latest.iter().map(line).collect();
    let more = all.saturating_sub(i64::try_from(latest.len()).unwrap_or(i64::MAX));
    if more > 0 {
        let remark = (
            format!("{more} plus anciennes sont mises de côté\u{a0}; `SELECT * FROM set_aside` les montre"),
            format!("{more} earlier ones are set aside; `SELECT * FROM set_aside` shows them"),
        );
        lines.push(Line::new(("entrées du journal", "log entries"), Verdict::Unwise, remark));
    }
    lines
}

/// Whether the file could be made; a bare name belongs in the current folder.
fn has_folder(file: &Path) -> bool {
    file.parent().is_some_and(|folder| folder.as_os_str().is_empty() || folder.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_behind_the_log_is_told_in_words() {
        let now = Timestamp::parse("2026-03-01T12:00:00Z").expect("a time");
        assert_eq!(clock(now.after(Duration::from_secs(30)), now).verdict, Verdict::Good);
        let behind = clock(now.after(Duration::from_hours(3)), now);
        assert_eq!(behind.verdict, Verdict::Wrong);
        assert!(
            behind.remark.english.contains("the clock is 3\u{a0}h\u{a0}00 behind it"),
            "{}",
            behind.remark
        );
        assert!(
            behind.remark.french.contains("l’horloge retarde de 3\u{a0}h\u{a0}00"),
            "{}",
            behind.remark.french
        );
    }

    #[test]
    fn a_relative_ledger_beside_its_configuration_can_be_made() {
        assert!(has_folder(Path::new("ledger.sqlite")));
        assert!(has_folder(Path::new("/ledger.sqlite")));
        assert!(!has_folder(Path::new("/no/such/folder/ledger.sqlite")));
    }
}
