//! The command's side of the admin socket.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use cvco_domain::Worded;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::runtime::{Builder, Runtime};

use super::{Frame, INPUT_BYTES, Order};

/// The longest piece of an answer.
const FRAME_BYTES: usize = 16 * 1024 * 1024;

/// Why the daemon did not answer.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The caller may not open the socket.
    #[error(
        "only root and members of the group cvco-ledger may act through {0}: `sudo usermod --append --groups \
         cvco-ledger NAME` makes one of NAME, from the next login on"
    )]
    Barred(PathBuf),
    /// Nobody listens.
    #[error("the daemon does not listen at {0}: is it running (`systemctl status cvco-reconciled`)?")]
    Nobody(PathBuf),
    /// The file is too large.
    #[error("the file has {0} bytes; at most {INPUT_BYTES} are taken")]
    TooLarge(usize),
    /// The daemon refused the call.
    #[error("the daemon refused the command: {0}")]
    Refused(String),
    /// The conversation broke off.
    #[error(
        "the daemon did not end its answer: {0}; `alerts list`, `records` or `record` show what was done"
    )]
    Cut(String),
}

impl Worded for SocketError {
    fn in_french(&self) -> String {
        match self {
            Self::Barred(path) => format!(
                "seuls root et les membres du groupe cvco-ledger peuvent agir par {}\u{a0}: `sudo usermod --append --groups \
                 cvco-ledger NOM` y ajoute NOM, à partir de sa prochaine connexion",
                path.display()
            ),
            Self::Nobody(path) => format!(
                "le service n’écoute pas à {}\u{a0}: tourne-t-il (`systemctl status cvco-reconciled`)\u{a0}?",
                path.display()
            ),
            Self::TooLarge(bytes) => {
                format!("le fichier compte {bytes} octets\u{a0}; {INPUT_BYTES} au plus sont acceptés")
            }
            Self::Refused(why) => format!("le service a refusé la commande (en anglais\u{a0}: {why})"),
            Self::Cut(why) => format!(
                "le service n’a pas terminé sa réponse (en anglais\u{a0}: {why})\u{a0}; `alerts list`, `records` ou `record` \
                 montrent ce qui a été fait"
            ),
        }
    }
}

/// An answer that is still coming in.
pub struct Conversation {
    runtime: Runtime,
    body: Incoming,
    /// What came in and was not read yet.
    rest: Vec<u8>,
}

impl Conversation {
    /// Gives the daemon an order.
    ///
    /// # Errors
    /// Nobody listens, or the daemon refuses it.
    pub fn begin(socket: &Path, order: &Order, input: &[u8]) -> Result<Self, SocketError> {
        if input.len() > INPUT_BYTES {
            return Err(SocketError::TooLarge(input.len()));
        }
        let cut = |error: &dyn std::error::Error| SocketError::Cut(error.to_string());
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| cut(&error))?;
        let call = order.lay_out(input).map_err(|error| cut(&error))?;
        let answer = runtime.block_on(async {
            let stream = UnixStream::connect(socket).await.map_err(|error| no_way(socket, &error))?;
            let (mut sender, connection) =
                http1::handshake(TokioIo::new(stream)).await.map_err(|error| cut(&error))?;
            // It ends with the runtime.
            tokio::spawn(connection);
            let request = Request::post("/api/v1/commands")
                .header("host", "localhost")
                .body(Full::new(Bytes::from(call)))
                .map_err(|error| cut(&error))?;
            sender.send_request(request).await.map_err(|error| cut(&error))
        })?;
        match answer.status() {
            StatusCode::OK => Ok(Self { runtime, body: answer.into_body(), rest: Vec::new() }),
            _ => Err(SocketError::Refused(runtime.block_on(words(answer)))),
        }
    }

    /// The next piece; the last is [`Frame::End`].
    ///
    /// # Errors
    /// The answer broke off.
    pub fn next_frame(&mut self) -> Result<Frame, SocketError> {
        let cut = |what: &str| SocketError::Cut(what.to_owned());
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return serde_json::from_slice(&line).map_err(|error| SocketError::Cut(error.to_string()));
            }
            if self.rest.len() > FRAME_BYTES {
                return Err(cut("a line is too long"));
            }
            match self.runtime.block_on(self.body.frame()) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.rest.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Err(SocketError::Cut(error.to_string())),
                None => return Err(cut("it broke off")),
            }
        }
    }
}

fn no_way(socket: &Path, error: &io::Error) -> SocketError {
    if error.kind() == io::ErrorKind::PermissionDenied {
        SocketError::Barred(socket.to_owned())
    } else {
        SocketError::Nobody(socket.to_owned())
    }
}

/// What the daemon says of a refusal.
async fn words(answer: Response<Incoming>) -> String {
    let status = answer.status();
    let body =
        answer.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let said: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
    said.and_then(|said| said.get("error")?.as_str().map(str::to_owned)).unwrap_or_else(|| status.to_string())
}
