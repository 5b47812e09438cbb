//! `[alerts]`: whom to tell, on which ways, and how often.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cvco_domain::{Audience, Mode, Policy, ShopId, Way};
use cvco_ledger::{Pace, QuietHours};
use cvco_mail::Language;
use secrecy::SecretString;
use serde::Deserialize;

use super::AlertSettings;
use super::channel::RawChannel;
use super::check::{Check, not, taken};
use super::secrets::Source;
use super::shop::RawShop;
use crate::alert::{MailError, MailSettings, Mailer, ServerSettings, ShopAlerts};

/// How long an urgent discrepancy may stay unseen, where somebody else is named.
const ESCALATE_AFTER: Duration = Duration::from_hours(2);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAlerts {
    language: Option<String>,
    from: String,
    to: Vec<String>,
    #[serde(default)]
    urgent_to: Vec<String>,
    smtp: String,
    password: Option<SecretString>,
    password_file: Option<String>,
    digest: Option<String>,
    quiet: Option<String>,
    urgent_in_quiet: Option<bool>,
    #[serde(default)]
    escalate_to: Vec<String>,
    escalate_after: Option<String>,
    #[serde(default)]
    weekly: bool,
    dashboard_url: Option<String>,
    #[serde(default)]
    fallback: Vec<RawFallback>,
    #[serde(default)]
    channel: Vec<RawChannel>,
}

/// A mail server for when those before it do not take a mail.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFallback {
    smtp: String,
    password: Option<SecretString>,
    password_file: Option<String>,
}

/// What `[alerts]` says.
pub(super) struct Alerts {
    pub(super) settings: AlertSettings,
    channels: BTreeMap<Way, Audience>,
    escalate_after: Option<Duration>,
    weekly: bool,
}

impl Alerts {
    /// What of it decides what is owed is part of the policy, and so of the log.
    pub(super) fn decide(&self, policy: &mut Policy) {
        policy.channels.clone_from(&self.channels);
        policy.escalate_after = self.escalate_after;
        policy.weekly = self.weekly;
    }
}

/// The language of mails and lists; French where nothing is said.
pub(super) fn language(alerts: Option<&RawAlerts>, check: &mut Check<'_>) -> Option<Language> {
    let language = alerts.and_then(|raw| raw.language.as_deref()).unwrap_or("fr").parse();
    check.value("alerts.language", language)
}

/// `anchor_to` stands in `[ledger]`, and shops may have readers of their own. `mode` is production if any endpoint is.
pub(super) fn resolve(
    alerts: Option<&RawAlerts>,
    shops: &[RawShop],
    anchor_to: &[String],
    mode: Option<Mode>,
    check: &mut Check<'_>,
) -> Option<Alerts> {
    let Some(raw) = alerts else {
        check.unwise(
            "alerts",
            (
                "manque\u{a0}: les écarts vont au registre, mais personne n’est prévenu par courriel",
                "missing: discrepancies go to the ledger, but nobody is told by e-mail",
            ),
        );
        if !anchor_to.is_empty() {
            check.wrong(
                "ledger.anchor_to",
                (
                    "nécessite [alerts], dont language, from et smtp disent comment ces courriels sont écrits et envoyés\u{a0}; ajoutez \
                     [alerts], ou retirez anchor_to",
                    "needs [alerts], whose language, from and smtp say how its mails are written and sent; add \
                     [alerts], or leave anchor_to out",
                ),
            );
        }
        for (n, _) in shops.iter().enumerate().filter(|(_, shop)| shop.is_told_otherwise()) {
            check.wrong(
                format!("shop[{n}]"),
                (
                    "to, urgent_to, language et digest nécessitent [alerts]",
                    "to, urgent_to, language and digest need [alerts]",
                ),
            );
        }
        return None;
    };
    raw.resolve(shops, anchor_to, mode, check)
}

impl RawAlerts {
    fn resolve(
        &self,
        shops: &[RawShop],
        anchor_to: &[String],
        mode: Option<Mode>,
        check: &mut Check<'_>,
    ) -> Option<Alerts> {
        let language = language(Some(self), check);
        let digest = check.duration("alerts.digest", self.digest.as_deref(), Duration::from_mins(15));
        let mut pace = Pace::of(digest);
        pace.quiet = self.quiet(check);
        let servers = self.servers(mode, check);
        let settings = MailSettings { from: self.from.clone(), to: self.to.clone(), servers };
        let mailer = known(Mailer::try_from(&settings), check)?;
        let others = |to: &[String], key: &str, check: &mut Check<'_>| match to {
            [] => None,
            to => known(mailer.to(to, key), check),
        };
        let mut of_shops = BTreeMap::new();
        for (n, shop) in shops.iter().enumerate() {
            let Ok(id) = ShopId::new(shop.id.as_str()) else { continue };
            let key = |name: &str| format!("shop[{n}].{name}");
            if let Some(digest) = &shop.digest {
                let digest = check.duration(&key("digest"), Some(digest), pace.digest);
                pace.of_shops.insert(id.clone(), digest);
            }
            let own = ShopAlerts {
                language: shop
                    .language
                    .as_ref()
                    .and_then(|language| check.value(&key("language"), language.parse())),
                mailer: others(&shop.to, &key("to"), check),
                urgent: others(&shop.urgent_to, &key("urgent_to"), check),
            };
            of_shops.insert(id, own);
        }
        let urgent = others(&self.urgent_to, "alerts.urgent_to", check);
        let escalation = others(&self.escalate_to, "alerts.escalate_to", check);
        let anchors = others(anchor_to, "ledger.anchor_to", check);
        let ids: BTreeSet<&str> = shops.iter().map(|shop| shop.id.as_str()).collect();
        let (mut channels, mut audiences) = (Vec::new(), BTreeMap::new());
        for (n, raw) in self.channel.iter().enumerate() {
            let key = format!("alerts.channel[{n}]");
            let Some((channel, audience)) = raw.resolve(&key, &ids, check) else { continue };
            if audiences.insert(channel.id.clone(), audience).is_some() {
                check.wrong(format!("{key}.id"), taken(&channel.id, ("un canal", "channel")));
            }
            channels.push(channel);
        }
        let escalate_after = self.escalate_after(check);
        let dashboard = self.dashboard(check);
        let settings = AlertSettings {
            language: language?,
            dashboard,
            mailer,
            urgent,
            escalation,
            pace,
            anchors,
            shops: of_shops,
            channels,
        };
        Some(Alerts { settings, channels: audiences, escalate_after, weekly: self.weekly })
    }

    fn servers(&self, mode: Option<Mode>, check: &mut Check<'_>) -> Vec<ServerSettings> {
        let mut server = |table: String, smtp: &str, password: Source<'_>| {
            let key = format!("{table}.password");
            let password = check.secret(&key, password);
            if let Some(password) = &password {
                check.placeholder_secret(&key, mode, password);
            }
            ServerSettings { table, smtp_url: smtp.to_owned(), password }
        };
        let own = Source::new(self.password.as_ref(), self.password_file.as_deref());
        let mut servers = vec![server("alerts".to_owned(), &self.smtp, own)];
        for (n, fallback) in self.fallback.iter().enumerate() {
            let password = Source::new(fallback.password.as_ref(), fallback.password_file.as_deref());
            servers.push(server(format!("alerts.fallback[{n}]"), &fallback.smtp, password));
        }
        servers
    }

    /// Where people open the dashboard: links in messages begin so.
    fn dashboard(&self, check: &mut Check<'_>) -> Option<String> {
        let text = self.dashboard_url.as_deref()?.trim_end_matches('/');
        let is_url = text.starts_with("https://") || text.starts_with("http://");
        let is_plain =
            text.parse::<hyper::Uri>().is_ok_and(|url| url.query().is_none() && url.path().len() <= 1);
        if is_url && is_plain {
            return Some(text.to_owned());
        }
        let what = not(text, ("une adresse", "an address"), "\"https://cvco.camping.example\"");
        check.wrong("alerts.dashboard_url", what);
        None
    }

    fn quiet(&self, check: &mut Check<'_>) -> Option<QuietHours> {
        let Some(text) = &self.quiet else {
            if self.urgent_in_quiet.is_some() {
                check.wrong(
                    "alerts.urgent_in_quiet",
                    ("nécessite quiet, les heures dont il s’agit", "needs quiet, the hours that it is about"),
                );
            }
            return None;
        };
        let span = text.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
        let Some((from, to)) = span.filter(|(from, to)| from != to) else {
            check.wrong(
                "alerts.quiet",
                not(text, ("une plage horaire", "a span of hours"), "\"22:00-07:00\""),
            );
            return None;
        };
        Some(QuietHours { from, to, urgent_passes: self.urgent_in_quiet.unwrap_or(true) })
    }

    fn escalate_after(&self, check: &mut Check<'_>) -> Option<Duration> {
        let after = check.duration("alerts.escalate_after", self.escalate_after.as_deref(), ESCALATE_AFTER);
        if self.escalate_to.is_empty() {
            if self.escalate_after.is_some() {
                check.wrong(
                    "alerts.escalate_after",
                    ("nécessite escalate_to, qui est alors prévenu", "needs escalate_to, who is told then"),
                );
            }
            return None;
        }
        if after < Duration::from_mins(1) {
            check.wrong("alerts.escalate_after", ("au moins 1m", "at least 1m"));
        }
        Some(after)
    }
}

fn known(mailer: Result<Mailer, MailError>, check: &mut Check<'_>) -> Option<Mailer> {
    mailer.map_err(|error| check.problems.push((&error).into())).ok()
}

/// The minute of the day at which a clock shows this, as 07:30.
fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str, most: u32| text.parse::<u32>().ok().filter(|n| *n < most && text.len() <= 2);
    Some(number(hour, 24)? * 60 + number(minute, 60)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_read() {
        assert_eq!((minute("07:30"), minute("0:05"), minute(" 23:59")), (Some(450), Some(5), Some(1439)));
        for wrong in ["", "7", "24:00", "07:60", "07:30:00", "a:b", "007:30"] {
            assert_eq!(minute(wrong), None, "{wrong}");
        }
    }
}
