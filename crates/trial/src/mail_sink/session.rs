//! One SMTP conversation (RFC 5321), from the server's side.

use std::io;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::message::ReceivedMail;
use super::{Behaviour, Shared};

/// The longest line taken, of a command as of a mail (RFC 5321 4.5.3.1.6 asks for 1000).
const LONGEST_LINE: u64 = 4096;

/// The largest mail taken, in bytes.
const LARGEST_MAIL: usize = 2 * 1024 * 1024;

/// The most recipients of one mail (RFC 5321 4.5.3.1.8).
const MOST_RECIPIENTS: usize = 100;

/// What one conversation has said so far about the mail to come.
#[derive(Default)]
struct Envelope {
    from: Option<String>,
    to: Vec<String>,
}

/// Converses until the client leaves.
pub(super) async fn converse(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let mut wire = Wire(BufReader::new(stream));
    wire.say("220 sink ESMTP").await?;
    let mut envelope = Envelope::default();
    let mut login = None;
    while let Some(line) = wire.line().await? {
        let line = String::from_utf8_lossy(&line).into_owned();
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => wire.say("250-sink\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN").await?,
            "HELO" | "NOOP" => wire.say("250 OK").await?,
            "RSET" => {
                envelope = Envelope::default();
                wire.say("250 OK").await?;
            }
            "AUTH" if shared.behaviour() == Behaviour::RefuseLogin => wire.say("535 no such login").await?,
            "AUTH" => {
                login = user_of(rest);
                wire.say(if login.is_some() { "235 welcome" } else { "504 only AUTH PLAIN" }).await?;
            }
            "MAIL" => {
                envelope = Envelope { from: path(rest), to: Vec::new() };
                wire.say(if envelope.from.is_some() { "250 OK" } else { "501 MAIL FROM:<address>" }).await?;
            }
            "RCPT" => wire.say(envelope.add(path(rest), &shared.behaviour())).await?,
            "DATA" if envelope.to.is_empty() => wire.say("503 RCPT first").await?,
            "DATA" => {
                wire.say("354 go on").await?;
                let Some(raw) = wire.mail().await? else {
                    return wire.say("552 too large").await;
                };
                let Envelope { from, to } = std::mem::take(&mut envelope);
                let mail = ReceivedMail::new(from.unwrap_or_default(), to, login.clone(), raw);
                match shared.behaviour() {
                    Behaviour::TemporaryFailure => wire.say("451 try again later").await?,
                    Behaviour::PermanentFailure => wire.say("554 not wanted").await?,
                    Behaviour::CutAfterData => {
                        shared.add(mail);
                        return Ok(());
                    }
                    Behaviour::HoldAnswer => {
                        shared.add(mail);
                        shared.behaves_otherwise_than(&Behaviour::HoldAnswer).await;
                        wire.say("250 kept").await?;
                    }
                    Behaviour::Accept
                    | Behaviour::RefuseConnections
                    | Behaviour::RefuseLogin
                    | Behaviour::RefuseRecipient(_)
                    | Behaviour::DeferRecipient(_)
                    | Behaviour::Greylist => {
                        shared.add(mail);
                        wire.say("250 kept").await?;
                    }
                }
            }
            "QUIT" => return wire.say("221 bye").await,
            _ => wire.say("502 not known here").await?,
        }
    }
    Ok(())
}

impl Envelope {
    fn add(&mut self, recipient: Option<String>, behaviour: &Behaviour) -> &'static str {
        match recipient {
            _ if self.from.is_none() => "503 MAIL first",
            None => "501 RCPT TO:<address>",
            Some(to) if matches!(behaviour, Behaviour::RefuseRecipient(refused) if *refused == to) => {
                "550 no such mailbox"
            }
            Some(to) if matches!(behaviour, Behaviour::DeferRecipient(deferred) if *deferred == to) => {
                "452 mailbox full"
            }
            Some(_) if *behaviour == Behaviour::Greylist => {
                "450 4.2.0 Recipient address rejected: Greylisted"
            }
            Some(_) if self.to.len() >= MOST_RECIPIENTS => "452 too many recipients",
            Some(to) => {
                self.to.push(to);
                "250 OK"
            }
        }
    }
}

/// The address of `FROM:<a@b> BODY=8BITMIME`.
fn path(argument: &str) -> Option<String> {
    let (_, after) = argument.split_once('<')?;
    let (address, _) = after.split_once('>')?;
    Some(address.to_owned())
}

/// The user of `PLAIN base64(NUL user NUL password)` (RFC 4616).
fn user_of(argument: &str) -> Option<String> {
    let (mechanism, response) = argument.split_once(' ')?;
    let response = STANDARD.decode(response).ok().filter(|_| mechanism.eq_ignore_ascii_case("PLAIN"))?;
    let user = response.split(|byte| *byte == 0).nth(1)?;
    Some(String::from_utf8_lossy(user).into_owned())
}

/// The client, line by line.
struct Wire(BufReader<TcpStream>);

impl Wire {
    async fn say(&mut self, answer: &str) -> io::Result<()> {
        self.0.write_all(format!("{answer}\r\n").as_bytes()).await
    }

    /// The next line without its end; `None` once the client has left.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        (&mut self.0).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.pop() != Some(b'\n') {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long or cut off"));
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(line))
    }

    /// The lines up to a lone dot, without the dots that the client doubled (RFC 5321 4.5.2); `None` for a mail
    /// that is too large.
    async fn mail(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut mail = Vec::new();
        loop {
            let line = self.line().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let line = match line.strip_prefix(b".") {
                Some([]) => return Ok(Some(mail)),
                Some(undoubled) => undoubled,
                None => &line,
            };
            if mail.len() + line.len() > LARGEST_MAIL {
                return Ok(None);
            }
            mail.extend_from_slice(line);
            mail.extend_from_slice(b"\r\n");
        }
    }
}
