//! What is measured without HTTP: the daemon's ledger by itself, and a bare SQLite loop.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use cvco_domain::crypto::sha256;
use cvco_reconciled::clock::Clock;
use cvco_reconciled::config::Config;
use cvco_reconciled::ledger::{Arrival, Envelope, Ledger, Notification, Origin, Store, Writer};
use rusqlite::Connection;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::report::Sample;
use crate::traffic::Message;

/// About what the ledger keeps of a notification.
const ROW_BYTES: usize = 1200;

/// One thread that writes rows of 1.2 KB, so many to a commit, under the ledger's own durability.
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

/// The ledger with its writer and group commit, fed by so many callers at once with notifications that were
/// proven and read beforehand.
pub(crate) fn ledger_alone(
    runtime: &Runtime,
    config: &Config,
    file: &Path,
    messages: &[Message],
    callers: usize,
) -> Result<Sample> {
    let arrivals = messages.iter().map(|message| arrival(config, message)).collect::<Result<Vec<_>>>()?;
    let store = Store::open(file, &file.with_file_name(crate::servers::KEY_FILE))?;
    let (writer, ledger) = Writer::start(store)?;
    let arrivals = Arc::new(arrivals);
    let warm = arrivals.len() / 10;
    let sample = runtime.block_on(async {
        feed(&ledger, &arrivals, 0..warm, callers).await?;
        feed(&ledger, &arrivals, warm..arrivals.len(), callers).await
    })?;
    drop(ledger);
    writer.join()?;
    Ok(sample)
}

async fn feed(
    ledger: &Ledger,
    arrivals: &Arc<Vec<Arrival>>,
    range: Range<usize>,
    callers: usize,
) -> Result<Sample> {
    let next = Arc::new(AtomicUsize::new(range.start));
    let mut loops = JoinSet::new();
    let start = Instant::now();
    for _ in 0..callers {
        let (ledger, arrivals, next) = (ledger.clone(), Arc::clone(arrivals), Arc::clone(&next));
        loops.spawn(async move {
            let (clock, mut latencies) = (Clock::system(), Vec::new());
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= range.end {
                    return anyhow::Ok(latencies);
                }
                let arrival = arrivals.get(number).context("too few notifications")?.clone();
                let began = Instant::now();
                ledger.store(clock.now(), arrival).await?;
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

/// What the listener makes of a message once it is proven.
fn arrival(config: &Config, message: &Message) -> Result<Arrival> {
    let endpoint = config.endpoints.iter().find(|e| e.psp == message.psp).context("no endpoint")?;
    let request = message.wire.as_request();
    let reading = endpoint.adapter.read(&request)?;
    let method = if request.body.is_empty() { "GET" } else { "POST" };
    Ok(Arrival {
        envelope: Envelope {
            method: method.to_owned(),
            query: request.query.to_vec(),
            body: request.body.to_vec(),
            peer: "127.0.0.1".to_owned(),
            user_agent: String::new(),
            headers: Vec::new(),
        },
        notification: Notification {
            shop: endpoint.shop.clone(),
            endpoint: endpoint.id.clone(),
            psp: endpoint.psp,
            mode: endpoint.mode,
            origin: Origin::Call,
            events: reading.events,
            questions: reading.questions,
            remark: reading.remark,
            payload_sha256: sha256(&[request.payload()]).to_string(),
        },
    })
}
