//! `serve`: the daemon.

use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::{Failure, Outcome, errands, load, runtime};
use crate::app::{self, AppError, Listeners, Setup};
use crate::clock::Clock;
use crate::lifecycle;

pub(super) fn run(path: &Path) -> Result<Outcome, Failure> {
    let config = load(path)?;
    runtime()?.block_on(async {
        let stop = CancellationToken::new();
        let reloads = lifecycle::listen_to_signals(stop.clone()).map_err(AppError::System)?;
        let listeners = Listeners::open(&config).await?;
        let setup = Setup {
            config,
            config_path: Some(path.to_owned()),
            listeners,
            clock: Clock::system(),
            errands: errands(),
        };
        app::run(setup, reloads, stop).await?;
        Ok(Outcome::Fine)
    })
}
