//! Why a command could not end, and with which exit code.

use cvco_domain::{Bilingual, Worded};
use cvco_ledger::LedgerError;
use cvco_log::LogError;

use crate::admin::commands::client::SocketError;
use crate::app::AppError;
use crate::config::ConfigError;

/// Why a command could not end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Usage(String),
    /// The same, in the language of whoever gives the command.
    #[error("{0}")]
    Explained(String),
    /// The same, where that language is not known yet.
    #[error("{0}")]
    Misused(Bilingual),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Log(#[from] LogError),
    /// The rules do not allow it.
    #[error("{0}")]
    Refused(String),
    /// The same, in the language of whoever gives the command.
    #[error("{0}")]
    Hindered(String),
    /// What it was to be done with has flaws.
    #[error("{0}")]
    Unsound(Bilingual),
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The daemon, which carried the command out, could not do it.
    #[error("{what}")]
    Told { exit: u8, what: String },
    /// A person must agree first, and is not here.
    #[error("{0} give --yes")]
    Asks(String),
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl Failure {
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// The exit code that says so.
    pub(super) const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Explained(_) | Self::Misused(_) | Self::Config(_) => 2,
            Self::Told { exit, .. } => *exit,
            Self::App(_)
            | Self::Ledger(_)
            | Self::Log(_)
            | Self::Refused(_)
            | Self::Hindered(_)
            | Self::Unsound(_)
            | Self::Socket(_)
            | Self::Asks(_)
            | Self::Io { .. }
            | Self::Other(_) => 3,
        }
    }

    /// Why, in both languages as far as that is known: what is explained in a language stays as it is.
    pub(super) fn words(&self) -> Bilingual {
        match self {
            Self::Misused(what) | Self::Unsound(what) => what.clone(),
            Self::Config(error) => error.words(),
            Self::Ledger(error) | Self::App(AppError::Ledger(error)) => error.words(),
            Self::Log(error) | Self::App(AppError::Log(error)) => error.words(),
            Self::Socket(error) => error.words(),
            Self::Io { what, source } => {
                Bilingual::new(format!("{what}\u{a0}: {}", source.in_french()), self.to_string())
            }
            Self::Usage(_)
            | Self::Explained(_)
            | Self::App(_)
            | Self::Refused(_)
            | Self::Hindered(_)
            | Self::Told { .. }
            | Self::Asks(_)
            | Self::Other(_) => Bilingual::same(self.to_string()),
        }
    }

    /// Standard output was closed, as by `head`: the reader has enough.
    pub(super) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe)
    }
}
