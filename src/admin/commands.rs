//! `POST /api/v1/commands`, on the Unix socket alone: commands of people who may open neither the configuration nor the
//! log. The daemon carries them out as they would themselves, and in their name; it opens no file for them: what a command
//! reads comes with the call, and what it writes goes back with the answer.

pub mod client;
mod frame;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use cvco_domain::Bilingual;
use cvco_log::Log;
use cvco_mail::Language;
use cvco_psp::Diagnosis;
use http_body_util::channel::{Channel, Sender};
use http_body_util::{BodyExt, Limited};
use hyper::{Response, StatusCode, header};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use super::{Admin, Answer, BODY, Caller};
use crate::account;
use crate::clock::Clock;
use crate::config::{DeskSettings, Endpoint};
use crate::follower::Followed;
pub use frame::{End, Frame, Order};

/// Where commands are given.
pub(super) const PATH: &str = "/api/v1/commands";

/// The largest file that a command may hand over.
pub const INPUT_BYTES: usize = 32 * 1024 * 1024;

/// So many commands are carried out at a time: each may hold a file in memory.
pub(super) const AT_A_TIME: usize = 2;

/// So many pieces of an answer may wait for whoever reads it.
const PIECES: usize = 16;

/// What a command is carried out with.
pub struct Desk {
    /// The settings that commands need; no secret is among them.
    pub settings: DeskSettings,
    /// Where it writes.
    pub log: Log,
    /// How far the ledger has followed.
    pub followed: Followed,
    /// The time.
    pub clock: Clock,
    /// Where it waits for the two.
    pub runtime: Handle,
}

/// A command of somebody.
pub struct Errand {
    /// The command line, without the program's name.
    pub arguments: Vec<String>,
    /// What the file holds that it names.
    pub input: Vec<u8>,
    /// The account whose command it is.
    pub by: String,
    /// Whether they may also do what only an administrator does.
    pub is_admin: bool,
    /// Their language, where it is known; else the configuration's counts.
    pub language: Option<Language>,
}

/// Carries commands out.
pub trait Errands: Send + Sync {
    /// Carries one out to its end, on a thread that may wait.
    fn carry_out(&self, errand: &Errand, desk: &Desk, answer: &mut dyn Say);

    /// Says why a message that somebody saved does or does not verify at an endpoint.
    ///
    /// # Errors
    /// It is no message.
    fn diagnose(&self, endpoint: &Endpoint, message: &[u8]) -> Result<Diagnosis, Bilingual>;
}

/// Where an answer goes, piece by piece.
pub trait Say {
    /// Takes a piece.
    ///
    /// # Errors
    /// Nobody takes any more.
    fn say(&mut self, frame: &Frame) -> std::io::Result<()>;
}

/// Back over the socket.
struct Reply {
    pieces: Sender<Bytes>,
    runtime: Handle,
}

impl Say for Reply {
    fn say(&mut self, frame: &Frame) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(frame)?;
        line.push(b'\n');
        let gone = |_| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        self.runtime.block_on(self.pieces.send_data(line.into())).map_err(gone)
    }
}

impl Admin {
    pub(super) async fn take_command(&self, request: Request, caller: Caller) -> Response<Body> {
        match self.command(request, caller).await {
            Ok(response) => response,
            Err(refusal) => refusal.into(),
        }
    }

    async fn command(&self, request: Request, caller: Caller) -> Result<Response<Body>, Answer> {
        let Caller::Account { uid } = caller else {
            return Err(Answer::error(
                StatusCode::FORBIDDEN,
                "commands come over the admin socket, which tells whose they are",
            ));
        };
        let busy = |_| Answer::error(StatusCode::SERVICE_UNAVAILABLE, "the daemon stops");
        let place = Arc::clone(&self.commands).acquire_owned().await.map_err(busy)?;
        let body = Limited::new(request.into_body(), INPUT_BYTES.saturating_add(Order::BYTES)).collect();
        let Ok(Ok(body)) = tokio::time::timeout(BODY, body).await else {
            let message = format!("too large, or too slow; at most {} MiB are taken", INPUT_BYTES >> 20);
            return Err(Answer::error(StatusCode::PAYLOAD_TOO_LARGE, message));
        };
        let (order, input) =
            Order::read(&body.to_bytes()).map_err(|what| Answer::error(StatusCode::BAD_REQUEST, what))?;
        let (pieces, answer) = Channel::new(PIECES);
        self.carry_out(uid, order, input, pieces, place);
        let mut response = Response::new(Body::new(answer));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/x-ndjson"));
        Ok(response)
    }

    /// What a command is carried out with.
    pub(crate) fn desk(&self, runtime: Handle) -> Desk {
        Desk {
            settings: self.settings.borrow().desk.clone(),
            log: self.log.clone(),
            followed: self.followed.clone(),
            clock: self.clock.clone(),
            runtime,
        }
    }

    fn carry_out(
        &self,
        uid: u32,
        order: Order,
        input: Vec<u8>,
        pieces: Sender<Bytes>,
        place: OwnedSemaphorePermit,
    ) {
        let runtime = Handle::current();
        let desk = self.desk(runtime.clone());
        let errands = Arc::clone(&self.errands);
        tokio::task::spawn_blocking(move || {
            let errand = Errand {
                arguments: order.arguments,
                input,
                by: account::name_of(uid),
                is_admin: false,
                language: None,
            };
            let command: Vec<&str> = errand.arguments.iter().take(2).map(String::as_str).collect();
            tracing::info!(account = errand.by, ?command, "a command came over the admin socket");
            errands.carry_out(&errand, &desk, &mut Reply { pieces, runtime });
            drop(place);
        });
    }
}
