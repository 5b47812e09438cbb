//! A panic is a fault of this program. What it was doing is given up, and everything else goes on; a part without which the
//! daemon is none ends it, and the service manager starts it again. Either way it is logged and counted, and a note of it stays
//! beside the ledger until a person was told, be it by the next start.

use std::io::ErrorKind;
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::telemetry::Metrics;

/// So much of a panic's own words is kept.
const WORDS: usize = 400;

/// Where the last fault is noted that nobody was told of.
#[derive(Debug, Clone)]
pub struct Note(PathBuf);

impl Note {
    /// The note of a daemon with this ledger.
    #[must_use]
    pub fn beside(ledger: &Path) -> Self {
        Self(ledger.with_file_name("fault.txt"))
    }

    /// From now on every panic of this process is logged, counted and noted, before what was done about it so far.
    pub fn watch(&self, metrics: Arc<Metrics>) {
        let note = self.clone();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            note.take(panic, &metrics);
            before(panic);
        }));
    }

    /// What is noted.
    #[must_use]
    pub fn read(&self) -> Option<String> {
        std::fs::read_to_string(&self.0).ok().filter(|text| !text.trim().is_empty())
    }

    /// A person was told.
    pub fn told(&self) {
        if let Err(error) = std::fs::remove_file(&self.0)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(file = %self.0.display(), %error, "the note of a fault stays, and is told again");
        }
    }

    fn take(&self, panic: &PanicHookInfo<'_>, metrics: &Metrics) {
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("a thread without a name");
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let words: String = panic.payload_as_str().unwrap_or_default().chars().take(WORDS).collect();
        metrics.panics.inc();
        tracing::error!(thread, at, words, "the program has a fault; please report it");
        let version = env!("CARGO_PKG_VERSION");
        if let Err(error) = std::fs::write(&self.0, format!("{version}, {thread}, {at}: {words}\n")) {
            tracing::error!(file = %self.0.display(), %error, "the fault was not noted");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_any_thread_is_counted_and_noted_until_it_was_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let note = Note::beside(&folder.path().join("ledger.sqlite"));
        assert_eq!(note.read(), None);
        let metrics = Arc::new(Metrics::default());
        note.watch(Arc::clone(&metrics));
        // The hook is the process's: a thread of another test may panic in between.
        let noted = (0..50).find_map(|_| {
            let thread = std::thread::Builder::new().name("some-worker".to_owned());
            let ended = thread.spawn(|| assert_eq!(1, 2, "a bug")).expect("a thread").join();
            assert!(ended.is_err());
            note.read().filter(|noted| noted.contains("some-worker"))
        });
        drop(std::panic::take_hook());
        assert!(metrics.panics.get() >= 1);
        let noted = noted.expect("a note");
        assert!(noted.contains("some-worker, src/fault.rs:") && noted.contains("a bug"), "{noted}");
        note.told();
        assert_eq!(note.read(), None);
    }
}
