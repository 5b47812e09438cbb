//! What is measured without HTTP: the daemon's log by itself, and a bare SQLite loop.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use cvco_domain::crypto::SealKey;
use cvco_log::entry::Origin;
use cvco_log::{Appender, Draft, Envelope, Log, SqliteLog, key_file};
use cvco_reconciled::clock::Clock;
use cvco_reconciled::config::Config;
use cvco_reconciled::listener::understand;
use rusqlite::Connection;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::report::Sample;
use crate::traffic::Message;

/// About what the log keeps of a notification.
pub(crate) const ROW_BYTES: usize = 1200;

/// One thread that writes rows of 1.2 KB, so many to a commit, under the log's own durability.
pub(crate) fn bare_sqlite(file: &Path, group: usize, commits: usize) -> Result<Sample> {
    let conn = Connection::open(file)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.execute_batch(
        "CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT",
    )?;
    let row = vec![b'x'; ROW_BYTES];
    let mut commit = |_| -> Result<()> {
        conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for _ in 0..group {
            conn.prepare_cached("INSERT INTO bare (content) VALUES (?1)")?.execute([&row])?;
        }
        conn.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    };
    Sample::repeat(commits / 10, &mut commit)?;
    Ok(Sample::repeat(commits, commit)?.grouped(group))
}

/// The log with its appender and group commit, fed by so many callers at once with notifications that were proven, read
/// and sealed beforehand.
pub(crate) fn log_alone(
    runtime: &Runtime,
    config: &Config,
    folder: &Path,
    messages: &[Message],
    callers: usize,
) -> Result<Sample> {
    let key = key_file::make(&folder.join(format!("alone-{callers}.key")))?;
    let drafts = messages.iter().map(|message| draft(config, &key, message)).collect::<Result<Vec<_>>>()?;
    let store = SqliteLog::open_or_create(&folder.join(format!("alone-{callers}.sqlite")), &[])?;
    let clock = Clock::system();
    let (appender, log) = Appender::start(store, move || clock.now())?;
    let drafts = Arc::new(drafts);
    let warm = drafts.len() / 10;
    let sample = runtime.block_on(async {
        feed(&log, &drafts, 0..warm, callers).await?;
        feed(&log, &drafts, warm..drafts.len(), callers).await
    })?;
    drop(log);
    appender.join()?;
    Ok(sample)
}

async fn feed(log: &Log, drafts: &Arc<Vec<Draft>>, range: Range<usize>, callers: usize) -> Result<Sample> {
    let next = Arc::new(AtomicUsize::new(range.start));
    let mut loops = JoinSet::new();
    let start = Instant::now();
    for _ in 0..callers {
        let (log, drafts, next) = (log.clone(), Arc::clone(drafts), Arc::clone(&next));
        loops.spawn(async move {
            let mut latencies = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= range.end {
                    return anyhow::Ok(latencies);
                }
                let draft = drafts.get(number).context("too few notifications")?.clone();
                let began = Instant::now();
                log.append(draft).await?;
                latencies.push(began.elapsed());
            }
        });
    }
    let mut latencies = Vec::new();
    while let Some(ended) = loops.join_next().await {
        latencies.extend(ended??);
    }
    Ok(Sample::new(start.elapsed(), latencies))
}

/// What the listener makes of a message.
fn draft(config: &Config, key: &SealKey, message: &Message) -> Result<Draft> {
    let endpoint = config.endpoints.iter().find(|e| e.psp == message.psp).context("no endpoint")?;
    let request = message.wire.as_request();
    let entry = understand(endpoint, &request, Origin::Call)?;
    let envelope = Envelope {
        method: if request.body.is_empty() { "GET" } else { "POST" }.to_owned(),
        query: request.query.to_vec(),
        body: request.body.to_vec(),
        peer: "127.0.0.1".to_owned(),
        user_agent: String::new(),
        headers: Vec::new(),
    };
    let payload = envelope.seal(key, request.payload())?;
    Ok(Draft::with_payload(&entry.entry, payload)?)
}
