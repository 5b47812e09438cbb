//! When to try again what failed: the longer it fails, the rarer.

use std::time::Duration;

/// Waits that grow; the last one repeats.
#[derive(Debug, Clone, Copy)]
pub struct BackOff(&'static [Duration]);

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// After an e-mail that did not leave. A minute after the server is back, all have left.
pub const MAIL: BackOff = BackOff(&[seconds(5), seconds(15), seconds(30), seconds(45)]);

/// After a mail server that holds unknown senders off at first: it wants the same mail some minutes later.
pub const GREYLISTED: BackOff =
    BackOff(&[seconds(60), seconds(120), seconds(300), seconds(300), seconds(900)]);

/// After a mail server, or a channel, that does not want this one message for now.
pub const REFUSED_FOR_NOW: BackOff =
    BackOff(&[seconds(60), seconds(300), seconds(900), seconds(1800), seconds(3600)]);

/// After one that never wants it: until somebody puts right what is wrong with an address.
pub const REFUSED_FOR_GOOD: BackOff =
    BackOff(&[seconds(600), seconds(3600), seconds(4 * 3600), seconds(12 * 3600), seconds(24 * 3600)]);

/// After a question to an API that failed.
pub const QUESTION: BackOff =
    BackOff(&[seconds(2), seconds(10), seconds(30), seconds(60), seconds(120), seconds(300), seconds(600)]);

/// While a PSP has not decided: a customer has a quarter of an hour to pay, a partner up to a day to answer.
pub const UNDECIDED: BackOff = BackOff(&[
    seconds(2),
    seconds(5),
    seconds(15),
    seconds(30),
    seconds(60),
    seconds(60),
    seconds(120),
    seconds(300),
    seconds(600),
    seconds(1800),
]);

/// How long an API is left alone after several calls in a row failed.
pub const API: BackOff = BackOff(&[seconds(1), seconds(5), seconds(15), seconds(30), seconds(60)]);

/// After a call that a shop's handler did not take.
pub const RELAY: BackOff = BackOff(&[
    seconds(10),
    seconds(30),
    seconds(120),
    seconds(600),
    seconds(1800),
    seconds(3600),
    seconds(2 * 3600),
    seconds(4 * 3600),
    seconds(6 * 3600),
]);

impl BackOff {
    /// How long to wait after something failed that had failed this often before.
    #[must_use]
    pub fn after(self, failures_before: u32) -> Duration {
        let place = usize::try_from(failures_before).unwrap_or(usize::MAX);
        self.0.get(place).copied().unwrap_or(self.longest())
    }

    /// The longest wait.
    #[must_use]
    pub fn longest(self) -> Duration {
        self.0.last().copied().unwrap_or(Duration::from_mins(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_then_stay() {
        for waits in [MAIL, GREYLISTED, REFUSED_FOR_NOW, REFUSED_FOR_GOOD, QUESTION, UNDECIDED, API, RELAY] {
            assert!(waits.0.is_sorted());
            assert_eq!(waits.after(1000), waits.longest());
        }
        assert_eq!(QUESTION.after(0), Duration::from_secs(2));
        assert_eq!(MAIL.after(1), Duration::from_secs(15));
        assert!(MAIL.longest() < Duration::from_mins(1), "F12 of docs/reliability.md");
    }
}
