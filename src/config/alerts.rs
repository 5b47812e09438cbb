//! `[alerts]`: whom to tell, and by which server.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use super::AlertSettings;
use super::check::Check;
use super::secrets::Source;
use crate::alert::{MailError, MailSettings, Mailer};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAlerts {
    language: Option<String>,
    from: String,
    to: Vec<String>,
    smtp: String,
    password: Option<SecretString>,
    password_file: Option<String>,
    digest: Option<String>,
}

/// `anchor_to` stands in `[ledger]`.
pub(super) fn resolve(
    alerts: Option<&RawAlerts>,
    anchor_to: &[String],
    check: &mut Check<'_>,
) -> Option<AlertSettings> {
    let Some(raw) = alerts else {
        check.unwise("alerts", "missing: discrepancies go to the ledger, but nobody is told by e-mail");
        if !anchor_to.is_empty() {
            check.wrong(
                "ledger.anchor_to",
                "needs [alerts], whose language, from and smtp say how its mails are written and sent; add \
                     [alerts], or leave anchor_to out",
            );
        }
        return None;
    };
    let language = raw.language.as_deref().unwrap_or("fr").parse();
    let language = check.value("alerts.language", language);
    let digest = check.duration("alerts.digest", raw.digest.as_deref(), Duration::from_mins(15));
    let password =
        check.secret("alerts.password", Source::new(raw.password.as_ref(), raw.password_file.as_deref()));
    let settings =
        MailSettings { from: raw.from.clone(), to: raw.to.clone(), smtp_url: raw.smtp.clone(), password };
    let mut wrong = |error: MailError| check.problems.push((&error).into());
    let mailer = Mailer::try_from(&settings).map_err(&mut wrong).ok()?;
    let anchors = match anchor_to {
        [] => None,
        to => Some(mailer.for_anchors(to).map_err(wrong).ok()?),
    };
    Some(AlertSettings { language: language?, mailer, digest, anchors })
}
