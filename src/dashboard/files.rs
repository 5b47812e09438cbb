//! Lists as files. They leave while they are read: no more than a piece of one is held at a time.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use cvco_ledger::{LedgerError, Reader};
use cvco_pages::csv::{self, Listed};
use http_body_util::channel::Channel;

use super::Dashboard;
use super::visit::Visit;

pub(super) const CSV: &str = "text/csv; charset=utf-8";

/// A piece of a list.
pub(super) struct Part<R, P> {
    /// Its rows.
    pub(super) rows: Vec<R>,
    /// After which place the list goes on; `None` at its end.
    pub(super) next: Option<P>,
}

impl<R, P> Part<R, P> {
    /// Of a list that is read so many rows at a time.
    pub(super) fn of(rows: Vec<R>, at_most: u32, place: impl FnOnce(&R) -> P) -> Self {
        let is_last = rows.len() < at_most as usize;
        let next = rows.last().filter(|_| !is_last).map(place);
        Self { rows, next }
    }

    /// All of a list that is short.
    pub(super) const fn all(rows: Vec<R>) -> Self {
        Self { rows, next: None }
    }
}

impl Dashboard {
    /// Answers with a list; `read` reads what comes after a place.
    pub(super) fn list_as_file<const COLUMNS: usize, R, P, F>(
        self: &Arc<Self>,
        visit: &Visit,
        name: &str,
        read: F,
    ) -> Response
    where
        R: Listed<COLUMNS> + Send + 'static,
        P: Send + 'static,
        F: Fn(&Reader, Option<P>) -> Result<Part<R, P>, LedgerError> + Send + Sync + 'static,
    {
        let (mut pieces, body) = Channel::<Bytes, std::io::Error>::new(2);
        let (t, dashboard, read) = (visit.say, Arc::clone(self), Arc::new(read));
        tokio::spawn(async move {
            let mut text = csv::head::<COLUMNS, R>(t);
            let mut after = None;
            loop {
                let read = Arc::clone(&read);
                let part = dashboard.read(move |reader| read(reader, after)).await;
                // A file that breaks off is one that its reader sees to be broken.
                let Ok(Part { rows, next }) = part else {
                    return pieces.abort(std::io::ErrorKind::Other.into());
                };
                text.push_str(&csv::rows(t, &rows));
                let sent = pieces.send_data(Bytes::from(std::mem::take(&mut text))).await;
                if sent.is_err() || next.is_none() {
                    return;
                }
                after = next;
            }
        });
        as_file(&named(visit, name), CSV, Body::new(body))
    }
}

/// The name of a list's file.
pub(super) fn named(visit: &Visit, name: &str) -> String {
    format!("{name}-{}.csv", visit.now.paris_day())
}

/// An answer that a browser saves under a name.
pub(super) fn as_file(name: &str, content_type: &'static str, body: Body) -> Response {
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{}\"", plain(name)))
        .unwrap_or(HeaderValue::from_static("attachment"));
    (
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
            (header::CONTENT_DISPOSITION, disposition),
        ],
        body,
    )
        .into_response()
}

/// A file's name of plain letters, digits and a few signs.
pub(super) fn plain(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect()
}
