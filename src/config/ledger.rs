//! `[ledger]`: the files, and how long payloads are kept.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::LedgerSettings;
use super::check::Check;
use super::log::RawLog;
use super::secrets;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLedger {
    path: Option<String>,
    exchange: Option<String>,
    payload_retention: Option<String>,
    payload_key_file: Option<String>,
    #[serde(default)]
    pub(super) anchor_to: Vec<String>,
}

impl RawLedger {
    pub(super) fn resolve(&self, log: &RawLog, check: &mut Check<'_>) -> Option<LedgerSettings> {
        let cluster = log.resolve(check);
        let path = check.value(
            "ledger.path",
            secrets::path(self.path.as_deref().unwrap_or("ledger.sqlite"), check.folder),
        );
        let retention = check.duration(
            "ledger.payload_retention",
            self.payload_retention.as_deref(),
            Duration::from_hours(400 * 24),
        );
        let key_file = match self.payload_key_file.as_deref() {
            Some(file) => check.value("ledger.payload_key_file", secrets::path(file, check.folder)),
            // Beside the ledger: the one folder that the service's user can surely write to.
            None => path.as_deref().map(|path: &Path| path.with_file_name("payload.key")),
        };
        let exchange = match self.exchange.as_deref() {
            Some(folder) => check.value("ledger.exchange", secrets::path(folder, check.folder)),
            None => path.as_deref().map(|path: &Path| path.with_file_name("exchange")),
        };
        let path = path?;
        Some(LedgerSettings {
            log: path.with_file_name("log.sqlite"),
            path,
            exchange: exchange?,
            payload_retention: retention,
            payload_key_file: key_file?,
            cluster,
        })
    }
}
