//! Time is handed in: one clock for the whole program, so that a test can play a month in a second.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use cvco_domain::Timestamp;

/// Tells the time.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
    Ahead(Ahead),
}

/// How far another clock is ahead of the system's, in milliseconds; clones are the same.
#[derive(Clone, Default)]
pub struct Ahead(Arc<AtomicI64>);

impl Ahead {
    /// As it was measured.
    pub fn set(&self, millis: i64) {
        self.0.store(millis, Ordering::SeqCst);
    }
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// The system's clock, put right by another.
    #[must_use]
    pub fn ahead_by(ahead: &Ahead) -> Self {
        Self(Source::Ahead(ahead.clone()))
    }

    /// A clock that stands still until it is set; its clones move with it.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(start.millis()))))
    }

    /// What it shows.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::from_millis(chrono::Utc::now().timestamp_millis()),
            Source::Manual(millis) => Timestamp::from_millis(millis.load(Ordering::SeqCst)),
            Source::Ahead(Ahead(millis)) => {
                let here = chrono::Utc::now().timestamp_millis();
                Timestamp::from_millis(here.saturating_add(millis.load(Ordering::SeqCst)))
            }
        }
    }

    /// Sets a manual clock; the system's is left alone.
    pub fn set(&self, to: Timestamp) {
        match &self.0 {
            Source::System | Source::Ahead(_) => {}
            Source::Manual(millis) => millis.store(to.millis(), Ordering::SeqCst),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}
