//! The limit: what a server of this kind cannot do without. hyper, a form read, one HMAC, one row in a SQLite file with the
//! same durability, answered after the commit. It proves nothing, knows no order, and keeps no chain: whatever else a
//! program does for a notification comes on top.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use bytes::Bytes;
use cvco_domain::crypto::hmac_sha256;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use rusqlite::{Connection, params};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};

use crate::servers;
use crate::writers::ROW_BYTES;

/// As many as the daemon's own appender takes.
const GROUP: usize = 512;

struct Row {
    content: Vec<u8>,
    stored: oneshot::Sender<()>,
}

/// Starts the server, and the thread that writes.
pub(crate) fn start(runtime: &Runtime, file: &Path) -> Result<SocketAddr> {
    let conn = Connection::open(file)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.execute_batch("CREATE TABLE limits (id INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT")?;
    let (rows, queue) = mpsc::channel(1024);
    // Where writing fails, the queue closes, and the bench ends at an answer that is not 200.
    std::thread::spawn(move || drop(write(&conn, queue)));
    servers::start(runtime, move |stream| {
        let rows = rows.clone();
        servers::connection(stream, service_fn(move |request| answer(request, rows.clone())))
    })
}

fn write(conn: &Connection, mut queue: mpsc::Receiver<Row>) -> Result<()> {
    let mut group = Vec::with_capacity(GROUP);
    while queue.blocking_recv_many(&mut group, GROUP) > 0 {
        let tx = conn.unchecked_transaction()?;
        for row in &group {
            conn.prepare_cached("INSERT INTO limits (content) VALUES (?1)")?.execute(params![row.content])?;
        }
        tx.commit()?;
        for row in group.drain(..) {
            row.stored.send(()).ok().context("the connection is gone")?;
        }
    }
    Ok(())
}

async fn answer(
    request: Request<Incoming>,
    rows: mpsc::Sender<Row>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let text = if body.is_empty() { head.uri.query().unwrap_or_default().as_bytes() } else { &body };
    let form: HashMap<String, String> = serde_urlencoded::from_bytes(text).unwrap_or_default();
    let tag = hmac_sha256(b"key", text);
    let mut content = vec![u8::try_from(form.len()).unwrap_or(u8::MAX); ROW_BYTES];
    content.extend_from_slice(&tag);
    let (stored, is_stored) = oneshot::channel();
    let sent = rows.send(Row { content, stored }).await;
    let status = if sent.is_ok() && is_stored.await.is_ok() { 200 } else { 503 };
    let mut response = Response::new(Full::new(Bytes::from_static(b"OK\n")));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    Ok(response)
}
