//! `[log]`: where the log stands, if not in `log.sqlite` beside the ledger.

use cvco_domain::Bilingual;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::check::{Check, given_twice};
use super::secrets::{self, Source};
use super::{ClusterSettings, Url};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    url: Option<SecretString>,
    url_file: Option<String>,
    ca_file: Option<String>,
    name: Option<String>,
    replication: Option<String>,
}

impl RawLog {
    /// The log of several machines, if that is where it stands. The address, which holds a password, is read only by those
    /// who need it.
    pub(super) fn resolve(&self, check: &mut Check<'_>) -> Option<ClusterSettings> {
        let url = match (&self.url, self.url_file.as_deref()) {
            (None, None) => {
                if self.ca_file.is_some() || self.name.is_some() || self.replication.is_some() {
                    check.wrong(
                        "log.url_file",
                        (
                            "manque\u{a0}: sans elle, le journal est dans log.sqlite et [log] n’a rien à dire",
                            "missing; without it the log stands in log.sqlite, and [log] has nothing to say",
                        ),
                    );
                }
                return None;
            }
            (Some(_), Some(_)) => {
                check.wrong("log.url", given_twice());
                return None;
            }
            (Some(url), None) => Url::Inline(url.clone()),
            (None, Some(file)) => Url::File(check.value("log.url_file", secrets::path(file, check.folder))?),
        };
        if !cfg!(feature = "postgres") {
            check.wrong(
                "log.url_file",
                (
                    "ce programme a été compilé sans PostgreSQL\u{a0}; prenez celui des paquets",
                    "this program was built without PostgreSQL; take the one of the packages",
                ),
            );
            return None;
        }
        let ca_file = match self.ca_file.as_deref() {
            Some(file) => Some(check.value("log.ca_file", secrets::path(file, check.folder))?),
            None => None,
        };
        let name = self.name.clone().unwrap_or_else(crate::app::host_name);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if name.is_empty() || name.len() > 200 || !name.chars().all(is_plain) {
            check.wrong(
                "log.name",
                (
                    "ce n’est pas un nom de machine\u{a0}; écrivez par exemple \"paiements-1\", un autre sur chaque machine",
                    "not a machine's name; write for instance \"payments-1\", another on each machine",
                ),
            );
            return None;
        }
        let replicated_below = match self.replication.as_deref() {
            None | Some("postgresql") => false,
            Some("storage") => true,
            Some(other) => {
                check.wrong(
                    "log.replication",
                    (
                        format!(
                            "«\u{a0}{other}\u{a0}» n’est pas admis\u{a0}; écrivez \"storage\" si la plateforme réplique au-dessous de \
                             PostgreSQL"
                        ),
                        format!("{other:?} is not known; write \"storage\" where the platform replicates below PostgreSQL"),
                    ),
                );
                return None;
            }
        };
        Some(ClusterSettings { url, ca_file, name, replicated_below })
    }

    /// Looks at the address too.
    pub(super) fn check_url(&self, check: &mut Check<'_>) {
        let url = check.secret("log.url", Source::new(self.url.as_ref(), self.url_file.as_deref()));
        if let (Some(url), Some(settings)) = (url, self.resolve(check))
            && let Err(what) = crate::cluster::settings(&settings, &url)
        {
            check.wrong("log.url", Bilingual::in_english_alone(what));
        }
    }
}

impl ClusterSettings {
    /// The address, read.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn url(&self) -> Result<SecretString, String> {
        let url = match &self.url {
            Url::Inline(url) => url.clone(),
            Url::File(file) => std::fs::read_to_string(file)
                .map_err(|error| format!("[log] url_file: cannot read {}: {error}", file.display()))?
                .into(),
        };
        Ok(url.expose_secret().trim().to_owned().into())
    }
}
