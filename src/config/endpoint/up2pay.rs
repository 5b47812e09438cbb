//! The keys of an Up2pay endpoint.

use cvco_domain::crypto::RsaPublicKey;
use cvco_domain::{Bilingual, Mode, Worded};
use cvco_psp::up2pay;

use super::RawEndpoint;
use super::api::RawApi;
use crate::config::check::Check;
use crate::config::secrets;

impl RawEndpoint {
    pub(in crate::config) fn template(&self) -> Result<up2pay::Template, up2pay::TemplateError> {
        self.pbx_retour.as_deref().map_or_else(|| Ok(up2pay::Template::default()), up2pay::Template::parse)
    }

    pub(super) fn up2pay(&self, at: &str, mode: Mode, check: &mut Check<'_>) -> Option<up2pay::Up2pay> {
        let template = check.value(&format!("{at}.pbx_retour"), self.template());
        let files = self.public_key_files.as_deref().unwrap_or_default();
        let mut keys = Vec::new();
        for (n, file) in files.iter().enumerate() {
            let key = format!("{at}.public_key_files[{n}]");
            let Some(path) = check.value(&key, secrets::path(file, check.folder)) else { continue };
            let pem = std::fs::read(&path).map_err(|error| secrets::unreadable(&path, &error));
            let Some(pem) = check.value(&key, pem) else { continue };
            let parsed = RsaPublicKey::from_pem(&pem).map_err(|error| {
                let path = path.display();
                Bilingual::new(format!("{path}\u{a0}: {}", error.in_french()), format!("{path}: {error}"))
            });
            let Some(parsed) = check.value(&key, parsed) else { continue };
            if parsed.fingerprint() == up2pay::Settings::published_trial_key().fingerprint() {
                Self::note_published_key(&key, mode, check);
            }
            keys.push(parsed);
        }
        if files.is_empty() {
            keys.push(up2pay::Settings::platform_key());
        }
        let api = match &self.api {
            None => None,
            Some(api) => Some(self.up2pay_api(&format!("{at}.api"), api, mode, check)?),
        };
        Some(up2pay::Up2pay::new(up2pay::Settings { mode, template: template?, keys, api }))
    }

    /// Everybody has the other half of that key.
    fn note_published_key(key: &str, mode: Mode, check: &mut Check<'_>) {
        match mode {
            Mode::Production => check.known_to_all(
                key,
                (
                    "c’est la clé d’essai publiée avec le programme\u{a0}: avec elle, n’importe qui peut inventer des paiements\u{a0}; en \
                     mode = \"production\", retirez-la ou indiquez votre propre clé",
                    "is the trial key that is published with the program: with it anybody can make payments up; in \
                     mode = \"production\" take it out, or name a key of your own",
                ),
            ),
            Mode::Test => check.unwise(
                key,
                (
                    "c’est la clé d’essai publiée avec le programme\u{a0}: n’importe qui peut inventer des paiements d’essai",
                    "is the trial key that is published with the program: anybody can make trial payments up",
                ),
            ),
        }
    }

    fn up2pay_api(
        &self,
        at: &str,
        raw: &RawApi,
        mode: Mode,
        check: &mut Check<'_>,
    ) -> Option<up2pay::ApiSettings> {
        raw.refuse_other_keys(at, &["base_url", "backup_url", "site", "rang", "secret"], check);
        let (usual, backup) = up2pay::ApiSettings::usual_addresses(mode);
        let base_url = RawApi::address(at, "base_url", raw.base_url.as_deref().or(Some(usual)), check);
        let backup = raw.backup_url.as_deref().or_else(|| backup.filter(|_| raw.base_url.is_none()));
        let backup_url = match backup {
            None => None,
            Some(url) => Some(RawApi::address(at, "backup_url", Some(url), check)?),
        };
        let what = ("les sept chiffres du contrat (PBX_SITE)", "the contract's seven digits (PBX_SITE)");
        let site = RawApi::digits(at, "site", raw.site.as_deref(), what, check);
        let rang = RawApi::digits(
            at,
            "rang",
            raw.rang.as_deref(),
            ("le rang, deux ou trois chiffres (PBX_RANG)", "the rank, two or three digits (PBX_RANG)"),
            check,
        );
        let what = (
            "la clé HMAC du back-office, 128 chiffres hexadécimaux",
            "the HMAC key of the back office, 128 hexadecimal digits",
        );
        let secret = raw.secret(at, what, self, check);
        let key = format!("{at}.secret");
        let secret = check.value(&key, up2pay::ApiKey::from_hex(&secret?));
        Some(up2pay::ApiSettings { base_url: base_url?, backup_url, site: site?, rang: rang?, key: secret? })
    }
}
