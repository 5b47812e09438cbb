//! What a person does on a page is a command in their name, carried out as the command line would.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body_util::channel::{Channel, Sender};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use cvco_pages::Role;

use super::Dashboard;
use super::files::as_file;
use super::refusal::Refusal;
use super::visit::Visit;
use crate::admin::commands::{End, Errand, Frame, Say};

/// What came of a command.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// What it printed.
    pub(super) lines: Vec<String>,
    /// What it warned of.
    pub(super) warnings: Vec<String>,
    /// Its exit code.
    pub(super) exit: u8,
    /// Why it could not be done.
    pub(super) complaint: Option<String>,
    /// Whether that is in the language of the page.
    is_explained: bool,
}

impl Done {
    /// What it printed, as one text.
    pub(super) fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// Why it could not be done, as the page says it.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        let complaint = self.complaint.clone()?;
        Some(if self.is_explained { Refusal::Explained(complaint) } else { Refusal::Failed(complaint) })
    }
}

impl Say for Done {
    fn say(&mut self, frame: &Frame) -> std::io::Result<()> {
        match frame {
            Frame::Line(text) => self.lines.push(text.clone()),
            Frame::Warning(what) => self.warnings.push(what.clone()),
            Frame::End(End { exit, complaint, is_explained }) => {
                self.exit = *exit;
                self.complaint.clone_from(complaint);
                self.is_explained = *is_explained;
            }
            Frame::Question(question) => {
                self.exit = 3;
                self.complaint = Some(question.clone());
            }
            // A command that writes files is asked for by `download`.
            Frame::File(_) | Frame::Data(_) | Frame::Whole(_) => {}
        }
        Ok(())
    }
}

/// A file on its way to a browser. It begins with its first bytes: a command that fails before is answered with a page.
struct Download {
    name: String,
    /// Told the file's name, or why there is none.
    begun: Option<oneshot::Sender<Result<String, Option<String>>>>,
    pieces: Option<Sender<Bytes, std::io::Error>>,
    runtime: Handle,
}

impl Download {
    fn begin(&mut self) -> std::io::Result<()> {
        let Some(begun) = self.begun.take() else { return Ok(()) };
        begun.send(Ok(std::mem::take(&mut self.name))).map_err(|_| gone())
    }
}

/// Nobody waits for it any more.
fn gone() -> std::io::Error {
    std::io::ErrorKind::BrokenPipe.into()
}

impl Say for Download {
    fn say(&mut self, frame: &Frame) -> std::io::Result<()> {
        match frame {
            Frame::File(name) => self.name.clone_from(name),
            Frame::Data(piece) => {
                self.begin()?;
                let bytes = BASE64.decode(piece).map_err(std::io::Error::other)?;
                let pieces = self.pieces.as_mut().ok_or_else(gone)?;
                self.runtime.block_on(pieces.send_data(bytes.into())).map_err(|_| gone())?;
            }
            Frame::Whole(_) => self.begin()?,
            Frame::End(End { complaint, .. }) => match (self.begun.take(), complaint) {
                (Some(begun), complaint) => begun.send(Err(complaint.clone())).map_err(|_| gone())?,
                // The connection ends before the file does, so that its reader sees it.
                (None, Some(_)) => {
                    if let Some(pieces) = self.pieces.take() {
                        pieces.abort(gone());
                    }
                }
                (None, None) => {}
            },
            Frame::Line(_) | Frame::Warning(_) | Frame::Question(_) => {}
        }
        Ok(())
    }
}

impl Dashboard {
    /// Carries a command out, to its end.
    pub(super) async fn carry_out(
        &self,
        visit: &Visit,
        arguments: Vec<String>,
        input: Vec<u8>,
    ) -> Result<Done, Refusal> {
        let Ok(place) = Arc::clone(&self.admin.commands).acquire_owned().await else {
            return Err(Refusal::Trouble);
        };
        let desk = self.admin.desk(Handle::current());
        let errands = Arc::clone(&self.admin.errands);
        let is_admin = visit.must_be(Role::Admin).is_ok();
        let errand = Errand { arguments, input, by: visit.by(), is_admin, language: Some(visit.say.0) };
        tell(&errand);
        let carried = tokio::task::spawn_blocking(move || {
            let mut done = Done::default();
            errands.carry_out(&errand, &desk, &mut done);
            drop(place);
            done
        });
        carried.await.map_err(|error| {
            tracing::error!(%error, "a command of the dashboard failed; please report it");
            Refusal::Trouble
        })
    }

    /// Hands on the file that a command writes, while it is written; or says why there is none, in English.
    pub(super) async fn download(
        &self,
        visit: &Visit,
        arguments: Vec<String>,
    ) -> Result<Result<Response, String>, Refusal> {
        let Ok(place) = Arc::clone(&self.admin.commands).acquire_owned().await else {
            return Err(Refusal::Trouble);
        };
        let runtime = Handle::current();
        let desk = self.admin.desk(runtime.clone());
        let errands = Arc::clone(&self.admin.errands);
        let (input, language) = (Vec::new(), Some(visit.say.0));
        let errand = Errand { arguments, input, by: visit.by(), is_admin: false, language };
        tell(&errand);
        let (begun, begins) = oneshot::channel();
        let (pieces, body) = Channel::<Bytes, std::io::Error>::new(4);
        tokio::task::spawn_blocking(move || {
            let mut download =
                Download { name: String::new(), begun: Some(begun), pieces: Some(pieces), runtime };
            errands.carry_out(&errand, &desk, &mut download);
            drop(place);
        });
        match begins.await {
            Ok(Ok(name)) => Ok(Ok(as_file(&name, content_type(&name), Body::new(body)))),
            Ok(Err(complaint)) => Ok(Err(complaint.unwrap_or_default())),
            Err(_) => Err(Refusal::Trouble),
        }
    }
}

fn tell(errand: &Errand) {
    let command: Vec<&str> = errand.arguments.iter().take(2).map(String::as_str).collect();
    tracing::info!(user = errand.by, ?command, "a command came from the dashboard");
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("csv") => "text/csv; charset=utf-8",
        Some("json") => "application/json",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => "text/plain; charset=utf-8",
    }
}
