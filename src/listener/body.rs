//! The body of a request: bounded in size, in time, and in how much memory all of them take together.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::Semaphore;

/// The largest body that is taken: a basket of hundreds of lines comes back with a notification of Sogecommerce.
const LARGEST: usize = 512 * 1024;

/// Up to so many bytes of a larger one are read and dropped.
const DROPPED: usize = 1024 * 1024;

/// Ordinary notifications are smaller than this.
const ORDINARY: usize = 64 * 1024;

/// So many larger ones are read at a time; the others wait. Thousands of connections could otherwise hold gigabytes.
const LARGE_AT_A_TIME: usize = 32;

/// How long a whole body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(15);

/// Reads bodies.
pub(super) struct Bodies {
    large: Semaphore,
}

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoBody {
    /// It is larger than what is taken.
    TooLarge,
    /// It was cut, or did not come in time.
    Incomplete,
}

impl Default for Bodies {
    fn default() -> Self {
        Self { large: Semaphore::new(LARGE_AT_A_TIME) }
    }
}

impl Bodies {
    pub(super) async fn read(&self, body: Incoming) -> Result<Bytes, NoBody> {
        match tokio::time::timeout(PATIENCE, self.read_bounded(body)).await {
            Ok(read) => read,
            Err(_) => Err(NoBody::Incomplete),
        }
    }

    /// Somewhat more than the limit is read and dropped all the same: who is still sending when the connection closes
    /// never sees the answer.
    async fn read_bounded(&self, mut body: Incoming) -> Result<Bytes, NoBody> {
        let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if declared > DROPPED {
            return Err(NoBody::TooLarge);
        }
        let mut place = None;
        let mut kept = BytesMut::with_capacity(declared.min(ORDINARY));
        let mut received: usize = 0;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| NoBody::Incomplete)?.into_data() else { continue };
            received = received.saturating_add(data.len());
            if received > DROPPED {
                return Err(NoBody::TooLarge);
            }
            if received > ORDINARY && place.is_none() {
                place = Some(self.large.acquire().await.map_err(|_| NoBody::Incomplete)?);
            }
            if received <= LARGEST {
                kept.extend_from_slice(&data);
            }
        }
        if received <= LARGEST { Ok(kept.freeze()) } else { Err(NoBody::TooLarge) }
    }
}
