//! Log lines: to systemd's journal where it listens, else to standard error.

use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How log lines look on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Starts logging, once; a second call changes nothing.
pub fn init(level: LevelFilter, format: LogFormat) {
    // At debug level lettre logs what it says to the server, the password included.
    let filter = Targets::new().with_target("lettre", LevelFilter::INFO.min(level)).with_default(level);
    let journal = stderr_is_the_journal().then(|| tracing_journald::layer().ok()).flatten();
    // Without its `F_` before each: the fields are those of docs/logging.md.
    let journal = journal.map(|layer| layer.with_field_prefix(None));
    let to_stderr = journal.is_none();
    let text = (to_stderr && format == LogFormat::Text).then(|| {
        let colours = std::io::stderr().is_terminal();
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false).with_ansi(colours)
    });
    let json = (to_stderr && format == LogFormat::Json)
        .then(|| tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr));
    let layers = journal.with_filter(filter.clone());
    // Refused only if a subscriber is there already, as in tests.
    drop(
        tracing_subscriber::registry()
            .with(layers)
            .with(text.with_filter(filter.clone()))
            .with(json.with_filter(filter))
            .try_init(),
    );
}

/// Whether standard error leads to the journal. Its variable alone does not tell: a terminal that systemd started
/// hands it down (systemd.exec(5), `JOURNAL_STREAM`).
fn stderr_is_the_journal() -> bool {
    let Some(journal) = std::env::var_os("JOURNAL_STREAM") else { return false };
    std::fs::metadata("/proc/self/fd/2")
        .is_ok_and(|file| journal == *format!("{}:{}", file.dev(), file.ino()))
}
