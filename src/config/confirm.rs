//! `[confirm]`: how the PSPs' own APIs are asked.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use super::ConfirmSettings;
use super::check::Check;
use super::explain::holds_password;
use super::secrets::Source;
use crate::outbound::Proxy;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfirm {
    proxy: Option<String>,
    proxy_password: Option<SecretString>,
    proxy_password_file: Option<String>,
    timeout: Option<String>,
    calls_per_second: Option<u32>,
    sweep_every: Option<String>,
    refund_window: Option<String>,
    give_up_after: Option<String>,
}

impl RawConfirm {
    pub(super) fn resolve(&self, check: &mut Check<'_>) -> Option<ConfirmSettings> {
        let default = ConfirmSettings::default();
        let source = Source::new(self.proxy_password.as_ref(), self.proxy_password_file.as_deref());
        let password = check.secret("confirm.proxy_password", source);
        let proxy = match &self.proxy {
            None => {
                if password.is_some() {
                    check.wrong(
                        "confirm.proxy",
                        (
                            "manque\u{a0}: proxy_password va avec l’utilisateur qui y est nommé",
                            "missing: proxy_password is for the user in it",
                        ),
                    );
                }
                None
            }
            Some(text) if holds_password(text) => {
                check.wrong(
                    "confirm.proxy",
                    (
                        "contient un mot de passe\u{a0}; mettez-le dans proxy_password_file",
                        "holds a password; write it into proxy_password_file",
                    ),
                );
                None
            }
            Some(text) => Some(check.value("confirm.proxy", Proxy::parse(text, password))?),
        };
        let calls_per_second = self.calls_per_second.unwrap_or(default.calls_per_second);
        if !(1..=1000).contains(&calls_per_second) {
            check.wrong(
                "confirm.calls_per_second",
                ("un nombre entier de 1 à 1000", "a whole number from 1 to 1000"),
            );
        }
        let refund_window = self.refund_window(check);
        let mut span = |name: &str, text: Option<&str>, default: Duration, least: Duration| {
            let key = format!("confirm.{name}");
            let span = check.duration(&key, text, default);
            if span < least {
                let least = humantime::format_duration(least);
                check.wrong(key, (format!("au moins {least}"), format!("at least {least}")));
            }
            span
        };
        let second = Duration::from_secs(1);
        Some(ConfirmSettings {
            proxy,
            timeout: span("timeout", self.timeout.as_deref(), default.timeout, second),
            calls_per_second,
            sweep_every: span("sweep_every", self.sweep_every.as_deref(), default.sweep_every, second),
            refund_window,
            give_up_after: span(
                "give_up_after",
                self.give_up_after.as_deref(),
                default.give_up_after,
                second,
            ),
        })
    }

    pub(super) fn refund_window(&self, check: &mut Check<'_>) -> Duration {
        let text = self.refund_window.as_deref();
        check.duration("confirm.refund_window", text, ConfirmSettings::default().refund_window)
    }
}
