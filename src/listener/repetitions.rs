//! Repetitions of the very same message: what is durable already need not be stored again and again. Whoever has seen one genuine
//! message could otherwise fill the disk with it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cvco_domain::crypto::sha256;
use cvco_domain::{EndpointId, Timestamp};

/// The same bytes are stored this often; further repetitions are only acknowledged and counted.
const STORED: u8 = 3;

/// What is remembered is forgotten after one to two of these spans.
const SPAN: Duration = Duration::from_hours(1);

/// So many messages are remembered in each span at most.
const REMEMBERED: usize = 32_768;

/// What was stored lately, by the digest of its bytes.
#[derive(Debug, Default)]
pub(super) struct Repetitions(Mutex<Spans>);

#[derive(Debug, Default)]
struct Spans {
    since: Option<Timestamp>,
    current: HashMap<Fingerprint, u8>,
    before: HashMap<Fingerprint, u8>,
}

/// One message at one endpoint: half of a digest, for tens of thousands are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Of the bytes that the message's proof covers, and of what was read from them: whatever else a request holds,
    /// anybody can change, and so make new bytes of one message without end.
    pub(super) fn of(endpoint: &EndpointId, proven: &[u8], read: [&str; 2]) -> Self {
        let [kind, content] = read;
        let parts = [endpoint.as_str().as_bytes(), kind.as_bytes(), content.as_bytes(), proven];
        // With their lengths, no part can be taken for the end of another.
        let lengths = parts.map(|part| part.len().to_le_bytes()).concat();
        let [endpoint, kind, content, proven] = parts;
        let digest = sha256(&[&lengths, endpoint, kind, content, proven]);
        Self(digest.as_bytes().first_chunk().copied().unwrap_or_default())
    }
}

impl Repetitions {
    /// Whether the same bytes were stored often enough.
    pub(super) fn is_enough(&self, message: Fingerprint) -> bool {
        let spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spans.count(message) >= STORED
    }

    /// A message was stored.
    pub(super) fn stored(&self, message: Fingerprint, now: Timestamp) {
        let mut spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = spans.since.is_none_or(|since| now.since(since) >= SPAN || now < since);
        if is_old || spans.current.len() >= REMEMBERED {
            spans.before = std::mem::take(&mut spans.current);
            spans.since = Some(now);
        }
        let count = spans.count(message).saturating_add(1);
        spans.current.insert(message, count);
    }
}

impl Spans {
    fn count(&self, message: Fingerprint) -> u8 {
        self.current.get(&message).or_else(|| self.before.get(&message)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(1_770_000_000_000 + minutes * 60_000)
    }

    fn message(endpoint: &str, bytes: &[u8]) -> Fingerprint {
        Fingerprint::of(&EndpointId::new(endpoint).expect("an id"), bytes, ["notification", "{}"])
    }

    #[test]
    fn the_same_bytes_are_stored_three_times() {
        let (repetitions, told) = (Repetitions::default(), message("a", b"Mt=1500"));
        for _ in 0..3 {
            assert!(!repetitions.is_enough(told));
            repetitions.stored(told, at(0));
        }
        assert!(repetitions.is_enough(told));
        assert!(!repetitions.is_enough(message("a", b"Mt=1501")));
        assert!(!repetitions.is_enough(message("b", b"Mt=1500")), "at another endpoint");
        let read = ["unread", "{}"];
        let otherwise = Fingerprint::of(&EndpointId::new("a").expect("an id"), b"Mt=1500", read);
        assert!(!repetitions.is_enough(otherwise), "read in another way");
    }

    #[test]
    fn what_was_stored_long_ago_is_forgotten() {
        let (repetitions, told) = (Repetitions::default(), message("a", b"Mt=1500"));
        (0..3).for_each(|_| repetitions.stored(told, at(0)));
        repetitions.stored(message("a", b"x"), at(61));
        assert!(repetitions.is_enough(told), "in the span before");
        repetitions.stored(message("a", b"y"), at(122));
        assert!(!repetitions.is_enough(told));
    }

    #[test]
    fn memory_is_bounded() {
        let repetitions = Repetitions::default();
        for n in 0..(3 * REMEMBERED) {
            repetitions.stored(message("a", &n.to_be_bytes()), at(0));
        }
        let spans = repetitions.0.lock().expect("a lock");
        assert!(spans.current.len() <= REMEMBERED && spans.before.len() <= REMEMBERED);
    }
}
