//! `check`: examine a deployment, and say what to change.

mod files;
mod ways;

use std::path::Path;

use clap::Args;
use cvco_domain::{Bilingual, Psp};
use cvco_mail::Language;
use serde::Serialize;

use super::{Failure, Outcome, ReportFormat, output};
use crate::clock::Clock;
use crate::config::{EndpointUrl, RawConfig};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The form of the report.
    #[arg(long, default_value = "table")]
    format: ReportFormat,
    /// Try neither the mail server nor the PSPs' APIs, nor a log in PostgreSQL.
    #[arg(long)]
    offline: bool,
    /// Print the endpoints' URLs with their secret tokens.
    #[arg(long)]
    show_secrets: bool,
}

/// One thing examined.
#[derive(Debug, Clone)]
pub(super) struct Line {
    what: Bilingual,
    pub(super) verdict: Verdict,
    pub(super) remark: Bilingual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Good,
    Unwise,
    Wrong,
}

impl Line {
    pub(super) fn new(what: impl Into<Bilingual>, verdict: Verdict, remark: impl Into<Bilingual>) -> Self {
        Self { what: what.into(), verdict, remark: remark.into() }
    }
}

pub(super) fn run(path: &Path, options: &Options) -> Result<Outcome, Failure> {
    let raw = RawConfig::read(path)?;
    let config = raw.resolve(path)?;
    let language = raw.language(path)?;
    let urls = raw.urls(path, options.show_secrets)?;
    let (file, shops, endpoints) = (path.display(), config.shops.len(), config.endpoints.len());
    let mut lines = vec![Line::new(
        ("configuration", "configuration"),
        Verdict::Good,
        (
            format!("{file} (boutiques\u{a0}: {shops}, points d’entrée\u{a0}: {endpoints})"),
            format!("{file} (shops: {shops}, endpoints: {endpoints})"),
        ),
    )];
    lines.extend(config.warnings.iter().map(|w| Line::new(w.place(), Verdict::Unwise, w.what.clone())));
    lines.extend(files::log(&config.ledger, Clock::system().now()));
    #[cfg(feature = "postgres")]
    if let Some(cluster) = config.ledger.cluster.as_ref().filter(|_| !options.offline) {
        lines.extend(super::database::examine(cluster, Clock::system().now()));
    }
    lines.extend(files::ledger(&config.ledger));
    lines.extend(files::room(&config.ledger));
    lines.extend(ways::listeners(&config)?);
    lines.extend(ways::certificate(&config, raw.public_host(), Clock::system().now()));
    lines.extend(ways::mail(&config, options.offline)?);
    if !options.offline {
        lines.extend(ways::apis(&config)?);
        lines.extend(ways::handlers(&config)?);
    }
    lines.extend(config.endpoints.iter().map(|endpoint| {
        let (id, psp, mode) = (&endpoint.id, endpoint.psp, endpoint.mode);
        Line::new(
            (format!("point d’entrée {id} ({psp}, {mode})"), format!("endpoint {id} ({psp}, {mode})")),
            Verdict::Good,
            reminder(psp),
        )
    }));
    lines.extend(urls.into_iter().map(|EndpointUrl { endpoint, url }| {
        let what = (format!("adresse de {endpoint}"), format!("URL of {endpoint}"));
        Line::new(what, Verdict::Good, Bilingual::same(url))
    }));
    if !options.show_secrets && !config.endpoints.is_empty() {
        let remark = (
            "`check --show-secrets` les affiche avec leurs jetons, telles qu’il faut les donner aux prestataires",
            "`check --show-secrets` prints them with their tokens, as the PSPs are told",
        );
        lines.push(Line::new(("adresses", "URLs"), Verdict::Good, remark));
    }
    print(&lines, language, options.format)?;
    let wrong = lines.iter().any(|line| line.verdict == Verdict::Wrong);
    Ok(if wrong { Outcome::FoundSomething } else { Outcome::Fine })
}

/// What is easily forgotten at a PSP.
fn reminder(psp: Psp) -> Bilingual {
    match psp {
        Psp::Up2pay => Bilingual::new(
            "clés lues\u{a0}; l’adresse d’appel est PBX_REPONDRE_A ou celle du back-office, sans redirection",
            "keys read; the call's address is PBX_REPONDRE_A or the back office's, without a redirect",
        ),
        Psp::Sogecommerce => Bilingual::new(
            "clés lues\u{a0}; dans le back-office, activez aussi les règles sur annulation et sur opération du back-office, ainsi \
             que le rejeu automatique\u{a0}: elles sont désactivées par défaut",
            "keys read; in the back office, also tick the rules on cancellation and on back-office \
             operations, and the automatic retry: they are off by default",
        ),
        Psp::Worldline => Bilingual::new(
            "clés lues\u{a0}; une nouvelle paire de clés de webhook révoque aussitôt l’ancienne",
            "keys read; a new pair of webhook keys revokes the old one at once",
        ),
        Psp::Monext => Bilingual::new(
            "clés lues\u{a0}; donnez cette adresse comme notificationURL, et transmettez le jeton de chaque session",
            "keys read; give this URL as notificationURL, and hand each session's token over",
        ),
        Psp::Ancv => Bilingual::new("clés lues\u{a0}; expérimental", "keys read; experimental"),
    }
}

/// A line for programs: what was examined keeps its name in every language.
#[derive(Serialize)]
struct Row<'l> {
    what: &'l str,
    verdict: Verdict,
    remark: &'l str,
}

fn print(lines: &[Line], language: Language, format: ReportFormat) -> Result<(), Failure> {
    if format == ReportFormat::Json {
        let rows = lines.iter().map(|line| Row {
            what: &line.what.english,
            verdict: line.verdict,
            remark: language.of(&line.remark),
        });
        return output::json(&rows.collect::<Vec<_>>());
    }
    for line in lines {
        let mark = match (line.verdict, language) {
            (Verdict::Good, _) => "ok  ",
            (Verdict::Unwise, _) => "note",
            (Verdict::Wrong, Language::French) => "FAUX",
            (Verdict::Wrong, Language::English) => "BAD ",
        };
        let colon = output::colon(language);
        output::line(format!("{mark}  {}{colon} {}", language.of(&line.what), language.of(&line.remark)))?;
    }
    Ok(())
}
