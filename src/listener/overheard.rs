//! A stream that remembers how the request began that is being read, for what is not HTTP enough to be handed over.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;

/// So much of each request is remembered: enough for its method and path.
const REMEMBERED: usize = 1024;

/// The first bytes of the request that is being read.
#[derive(Debug, Clone, Default)]
pub(super) struct Beginning {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Whether anything was ever read.
    begun: CancellationToken,
}

impl Beginning {
    /// The bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns once something was read; that includes the peer's farewell.
    pub(super) async fn has_begun(&self) {
        self.begun.cancelled().await;
    }

    fn hear(&self, bytes: &[u8]) {
        self.begun.cancel();
        let mut heard = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let room = REMEMBERED.saturating_sub(heard.len());
        heard.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    fn forget(&self) {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Notes what is read, until an answer has left.
pub(super) struct Overheard<S> {
    stream: S,
    beginning: Beginning,
    has_answered: bool,
}

impl<S> Overheard<S> {
    pub(super) fn new(stream: S, beginning: Beginning) -> Self {
        Self { stream, beginning, has_answered: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Overheard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if std::mem::take(&mut self.has_answered) {
            self.beginning.forget();
        }
        self.beginning.hear(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Overheard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.has_answered = true;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.has_answered = true;
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
