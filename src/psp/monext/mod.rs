//! Monext Online (Payline).

mod settings;

pub use settings::Settings;

use super::{Adapter, Diagnosis, Reading, Rejection, Request};
use crate::domain::{Mode, Psp};

/// The adapter of one endpoint.
#[derive(Debug)]
pub struct Monext {
    settings: Settings,
}

impl Monext {
    /// An adapter with these settings.
    #[must_use]
    pub const fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

impl Adapter for Monext {
    fn psp(&self) -> Psp {
        Psp::Monext
    }

    fn mode(&self) -> Mode {
        self.settings.mode
    }

    fn read(&self, _request: &Request<'_>) -> Result<Reading, Rejection> {
        Err(Rejection::Malformed { psp: Psp::Monext, what: "this adapter is being written".to_owned() })
    }

    fn diagnose(&self, _request: &Request<'_>) -> Diagnosis {
        Diagnosis { genuine: false, summary: String::new(), details: Vec::new() }
    }
}
