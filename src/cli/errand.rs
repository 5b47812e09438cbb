//! Commands over the admin socket, at both ends: [`ask`] gives one to the daemon, and [`Accountant`] is who carries it out there.

use std::fmt::Display;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::FromArgMatches;
use cvco_domain::Bilingual;
use cvco_mail::Language;
use cvco_psp::Diagnosis;
use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::append::Writer;
use super::site::{self, Place, Site, WriteFile};
use super::{Command, CommandLine, Failure, Outcome, command, diagnose, output, relay};
use crate::admin::commands::client::{Conversation, SocketError};
use crate::admin::commands::{Desk, End, Errand, Errands, Frame, INPUT_BYTES, Order, Say};
use crate::config::{ConfigError, DEFAULT_ADMIN_SOCKET, DeskSettings, Endpoint, LedgerSettings, RawConfig};

/// So much of a file goes into one piece of an answer.
const PIECE: usize = 48 * 1024;

/// What a command that the daemon can carry out needs of whoever gives it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Needs<'c> {
    /// Whether it writes into the log.
    pub(super) writes: bool,
    /// The file that it reads.
    pub(super) input: Option<&'c Path>,
    /// Where its files go.
    pub(super) output: Option<Place<'c>>,
}

/// The socket by which the daemon is to be asked; `None` where the caller can do it alone.
pub(super) fn way_around(config: &Path, socket: Option<&Path>, needs: &Needs<'_>) -> Option<PathBuf> {
    let named = |raw: Option<&RawConfig>| {
        let of_file = || raw.and_then(|raw| raw.admin_socket(config));
        socket.map(Path::to_owned).or_else(of_file).unwrap_or_else(|| DEFAULT_ADMIN_SOCKET.into())
    };
    let raw = match RawConfig::read(config) {
        Err(ConfigError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
            return Some(named(None));
        }
        Err(_) => return None,
        Ok(raw) => raw,
    };
    let ledger = raw.ledger(config).ok()?;
    let refused = if needs.writes {
        access(&ledger.log, Access::READ_OK | Access::WRITE_OK)
    } else {
        access(&ledger.path, Access::READ_OK)
    };
    (refused == Err(Errno::ACCESS)).then(|| named(Some(&raw)))
}

/// Has the daemon carry a command out.
pub(super) fn ask(socket: &Path, needs: &Needs<'_>) -> Result<Outcome, Failure> {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let mut order = Order { arguments: words.collect() };
    let input = needs.input.map(|file| site::read(file, Some(INPUT_BYTES))).transpose()?.unwrap_or_default();
    loop {
        let mut conversation = Conversation::begin(socket, &order, &input)?;
        match hear(&mut conversation, needs)? {
            Heard::Question(question) => {
                if !output::confirm(&question)? {
                    return Err(Failure::Refused("nothing was done".to_owned()));
                }
                order.arguments.push("--yes".to_owned());
            }
            Heard::End(End { exit: 0, .. }) => return Ok(Outcome::Fine),
            Heard::End(End { complaint: None, .. }) => return Ok(Outcome::FoundSomething),
            Heard::End(End { exit, complaint: Some(what), .. }) => return Err(Failure::Told { exit, what }),
        }
    }
}

/// How an answer ended.
enum Heard {
    Question(String),
    End(End),
}

fn hear(conversation: &mut Conversation, needs: &Needs<'_>) -> Result<Heard, Failure> {
    loop {
        match conversation.next_frame()? {
            Frame::Line(text) => output::line(text)?,
            Frame::Warning(what) => output::warn(&what),
            Frame::Question(question) => return Ok(Heard::Question(question)),
            Frame::End(end) => return Ok(Heard::End(end)),
            Frame::File(name) => {
                if let Some(end) = receive(conversation, needs.output, &name)? {
                    return Ok(Heard::End(end));
                }
            }
            Frame::Data(_) | Frame::Whole(_) => return Err(out_of_order().into()),
        }
    }
}

fn out_of_order() -> SocketError {
    SocketError::Cut("it is not in order (another version of the program?)".to_owned())
}

/// Writes a file as it comes in; how the command ended, if it did so before the file was whole.
fn receive(
    conversation: &mut Conversation,
    place: Option<Place<'_>>,
    name: &str,
) -> Result<Option<End>, Failure> {
    let is_plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0']);
    let place = place.filter(|_| is_plain).ok_or_else(out_of_order)?;
    let mut ended = None;
    let mut write = |out: &mut dyn Write| match copy(conversation, out)? {
        Ok(words) => Ok(words),
        Err(end) => {
            ended = Some(end);
            Err(out_of_order().into())
        }
    };
    let written = match place {
        // A reader that pauses must not hold up the daemon.
        Place::Printed => spool(&mut write),
        Place::Named(_) | Place::Folder(_) => place.write(name, &mut write),
    };
    match (ended, written) {
        (Some(end), _) => Ok(Some(end)),
        (None, written) => written.map(|()| None),
    }
}

/// Copies a file's pieces; its description, or the end of a command that failed meanwhile.
fn copy(conversation: &mut Conversation, out: &mut dyn Write) -> Result<Result<String, End>, Failure> {
    loop {
        match conversation.next_frame()? {
            Frame::Data(piece) => {
                let bytes = BASE64.decode(piece).map_err(|_| out_of_order())?;
                out.write_all(&bytes).map_err(Failure::io("the file"))?;
            }
            Frame::Whole(words) => return Ok(Ok(words)),
            Frame::Warning(what) => output::warn(&what),
            Frame::End(end) => return Ok(Err(end)),
            Frame::Line(_) | Frame::Question(_) | Frame::File(_) => return Err(out_of_order().into()),
        }
    }
}

fn spool(write: WriteFile<'_>) -> Result<(), Failure> {
    let mut file = tempfile::tempfile().map_err(Failure::io("a temporary file"))?;
    write(&mut file)?;
    file.seek(SeekFrom::Start(0)).map_err(Failure::io("a temporary file"))?;
    let mut out = io::stdout().lock();
    io::copy(&mut file, &mut out).and_then(|_| out.flush()).map_err(Failure::io("standard output"))
}

/// Carries out what comes over the admin socket.
pub(super) struct Accountant;

/// Who carries commands out in the daemon.
#[must_use]
pub fn errands() -> Arc<dyn Errands> {
    Arc::new(Accountant)
}

impl Errands for Accountant {
    fn diagnose(&self, endpoint: &Endpoint, message: &[u8]) -> Result<Diagnosis, Bilingual> {
        diagnose::at_endpoint(endpoint, message)
    }

    fn carry_out(&self, errand: &Errand, desk: &Desk, answer: &mut dyn Say) {
        let mut site = AtDesk { errand, desk, answer };
        let end = match site.carry_out() {
            Ok(Outcome::Fine) => Frame::End(End { exit: 0, ..End::default() }),
            Ok(Outcome::FoundSomething) => Frame::End(End { exit: 1, ..End::default() }),
            Err(Failure::Asks(question)) => Frame::Question(question),
            Err(failure) => {
                let is_explained = matches!(failure, Failure::Explained(_) | Failure::Hindered(_));
                Frame::End(End {
                    exit: failure.exit_code(),
                    complaint: Some(failure.to_string()),
                    is_explained,
                })
            }
        };
        if site.answer.say(&end).is_err() {
            tracing::debug!(account = errand.by, "whoever gave a command did not wait for its end");
        }
    }
}

/// In the daemon, for an account that gave a command.
struct AtDesk<'d> {
    errand: &'d Errand,
    desk: &'d Desk,
    answer: &'d mut dyn Say,
}

impl AtDesk<'_> {
    fn carry_out(&mut self) -> Result<Outcome, Failure> {
        let words =
            std::iter::once("cvco-reconciled").chain(self.errand.arguments.iter().map(String::as_str));
        let line = command()
            .try_get_matches_from(words)
            .and_then(|matches| CommandLine::from_arg_matches(&matches))
            .map_err(|error| Failure::Usage(error.to_string()))?;
        let refused = || Err(Failure::Refused("the daemon carries out no such command".to_owned()));
        match &line.command {
            Command::Accountant(command) => command.perform(self),
            #[cfg(feature = "postgres")]
            Command::Log(_) => refused(),
            Command::Relay(relay::Command::Retry { named }) if self.errand.is_admin => {
                relay::retry(self, named)
            }
            Command::Init(_)
            | Command::Serve
            | Command::Demo(_)
            | Command::Check(_)
            | Command::Diagnose(_)
            | Command::ImportMail(_)
            | Command::Relay(_)
            | Command::CatchUp(_)
            | Command::Verify(_)
            | Command::Rebuild(_)
            | Command::Reread
            | Command::Backup(_)
            | Command::Restore(_)
            | Command::Simulate(_)
            | Command::UserHash(_) => refused(),
        }
    }

    fn say(&mut self, frame: &Frame) -> Result<(), Failure> {
        self.answer.say(frame).map_err(Failure::io("the admin socket"))
    }
}

impl Site for AtDesk<'_> {
    fn ledger(&self) -> Result<LedgerSettings, Failure> {
        Ok(self.desk.settings.books.ledger.clone())
    }

    fn desk(&self) -> Result<DeskSettings, Failure> {
        Ok(self.desk.settings.clone())
    }

    fn language(&self) -> Result<Language, Failure> {
        Ok(self.errand.language.unwrap_or(self.desk.settings.language))
    }

    fn config(&self) -> Result<&Path, Failure> {
        let what = "only the service's user may: put `sudo -u cvco-reconciled` in front".to_owned();
        Err(Failure::Refused(what))
    }

    fn account(&self) -> String {
        self.errand.by.clone()
    }

    fn writer(&self) -> Result<Writer, Failure> {
        Ok(Writer::in_daemon(self.desk))
    }

    /// It came with the call: the daemon's own rights open no file for anybody.
    fn input(&mut self, _: &Path) -> Result<Vec<u8>, Failure> {
        Ok(self.errand.input.clone())
    }

    fn line(&mut self, text: &dyn Display) -> Result<(), Failure> {
        self.say(&Frame::Line(text.to_string()))
    }

    fn warn(&mut self, what: &str) {
        // What comes next fails as well, and says so.
        drop(self.say(&Frame::Warning(what.to_owned())));
    }

    fn confirm(&mut self, question: &str) -> Result<bool, Failure> {
        Err(Failure::Asks(question.to_owned()))
    }

    fn file(&mut self, _: Place<'_>, name: &str, write: WriteFile<'_>) -> Result<(), Failure> {
        self.say(&Frame::File(name.to_owned()))?;
        let mut out = BufWriter::with_capacity(PIECE, Pieces(self.answer));
        let words = write(&mut out)?;
        out.flush().map_err(Failure::io("the admin socket"))?;
        drop(out);
        self.say(&Frame::Whole(words))
    }

    fn is_watched(&self) -> bool {
        false
    }
}

/// A file on its way out, in pieces.
struct Pieces<'r>(&'r mut dyn Say);

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.chunks(PIECE) {
            self.0.say(&Frame::Data(BASE64.encode(piece)))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
