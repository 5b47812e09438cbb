//! A small SMTP server that keeps what it receives: the mailbox of `demo` and of tests. It believes every
//! sender and every login; it is no mail server.

mod message;
mod session;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

pub use message::ReceivedMail;

/// What the sink does with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// Takes it and keeps it.
    Accept,
    /// Closes each connection before a word is said.
    RefuseConnections,
    /// Answers 535 to a login.
    RefuseLogin,
    /// Answers 550 to this recipient and takes others.
    RefuseRecipient(String),
    /// Answers 452 to this recipient and takes others.
    DeferRecipient(String),
    /// Answers 450 to each recipient, as a server does that does not know the sender yet.
    Greylist,
    /// Answers 451 to the mail.
    TemporaryFailure,
    /// Answers 554 to the mail.
    PermanentFailure,
    /// Keeps the mail, but closes the connection instead of saying so.
    CutAfterData,
    /// Keeps the mail, and says so when it behaves otherwise.
    HoldAnswer,
}

/// A running sink; it stops when it is dropped.
#[derive(Debug)]
pub struct MailSink {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    mails: watch::Sender<Vec<ReceivedMail>>,
    behaviour: watch::Sender<Behaviour>,
}

impl MailSink {
    /// Listens there; port 0 takes any free port.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (mails, _) = watch::channel(Vec::new());
        let (behaviour, _) = watch::channel(Behaviour::Accept);
        let shared = Arc::new(Shared { mails, behaviour });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, server })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it received, oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.shared.mails.borrow().clone()
    }

    /// What it will do from now on, in running conversations too.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.shared.behaviour.send_replace(behaviour);
    }

    /// Waits until it has received `count` mails, and returns all of them.
    pub async fn wait_for(&self, count: usize) -> Vec<ReceivedMail> {
        self.wait_until(|mails| mails.len() >= count).await
    }

    /// Waits until `as_wished` accepts the received mails, and returns all of them.
    pub async fn wait_until(&self, as_wished: impl Fn(&[ReceivedMail]) -> bool) -> Vec<ReceivedMail> {
        let mut mails = self.shared.mails.subscribe();
        match mails.wait_for(|mails| as_wished(mails)).await {
            Ok(mails) => mails.clone(),
            // `self` holds the sender, so the channel cannot be closed.
            Err(_) => self.mails(),
        }
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Accepts until it is dropped; its conversations end with it.
async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if shared.behaviour() != Behaviour::RefuseConnections => {
                    sessions.spawn(session::converse(stream, Arc::clone(&shared)));
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "the mail sink could not accept a connection"),
            },
            Some(ended) = sessions.join_next() => if let Ok(Err(error)) = ended {
                tracing::debug!(%error, "a conversation with the mail sink broke off");
            },
        }
    }
}

impl Shared {
    fn behaviour(&self) -> Behaviour {
        self.behaviour.borrow().clone()
    }

    async fn behaves_otherwise_than(&self, behaviour: &Behaviour) {
        let mut now = self.behaviour.subscribe();
        // The sender lives as long as `self`.
        drop(now.wait_for(|now| now != behaviour).await);
    }

    fn add(&self, mail: ReceivedMail) {
        self.mails.send_modify(|mails| mails.push(mail));
    }
}

#[cfg(test)]
mod tests;
