//! The ways to and from this machine: certificate, ports, mail servers, the PSPs' APIs, the shops' handlers.

use std::time::Duration;

use cvco_domain::{Bilingual, Timestamp, Worded};
use cvco_log::SqliteLog;
use rustls_pki_types::UnixTime;

use super::{Line, Verdict};
use crate::alert::SendError;
use crate::cli::{Failure, runtime};
use crate::clock::Clock;
use crate::config::{Config, LedgerSettings, Tls};
use crate::confirm;
use crate::listener::tls::RENEWED_BEFORE;
use crate::outbound::{Client, Distrust, trusted_by_callers, why_private};

/// Whether PSPs will trust the certificate that the daemon shows, if it shows one, and for how long.
pub(super) fn certificate(config: &Config, host: Option<&str>, now: Timestamp) -> Vec<Line> {
    let Some(Tls { files, identity }) = &config.listener.tls else { return Vec::new() };
    let line = |verdict, remark: Bilingual| Line::new(("certificat", "certificate"), verdict, remark);
    let expires = identity.expires.paris_text();
    let left = identity.expires.since(now);
    let mut lines = vec![if left.is_zero() {
        line(
            Verdict::Wrong,
            Bilingual::new(
                format!("il a expiré le {expires}\u{a0}: les prestataires n’appelleront plus"),
                format!("it expired on {expires}: PSPs will not call"),
            ),
        )
    } else if left < RENEWED_BEFORE {
        line(
            Verdict::Unwise,
            Bilingual::new(
                format!("il expire le {expires}, et devrait déjà avoir été renouvelé"),
                format!("it expires on {expires}, and should have been renewed by now"),
            ),
        )
    } else {
        let file = files.certificate.display();
        line(
            Verdict::Good,
            Bilingual::new(
                format!("{file}, avec sa clé, valable jusqu’au {expires}"),
                format!("{file}, with its key, valid until {expires}"),
            ),
        )
    }];
    let seconds = u64::try_from(now.millis() / 1000).unwrap_or_default();
    let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    match host.map(|host| trusted_by_callers(&identity.chain, host, at)) {
        None => lines.push(line(
            Verdict::Unwise,
            Bilingual::new(
                "ses noms ne sont pas vérifiés\u{a0}: [listener] public_url manque",
                "its names are not checked: no [listener] public_url",
            ),
        )),
        Some(Ok(())) => {}
        // Said already.
        Some(Err(Distrust::Certain(_))) if left.is_zero() => {}
        Some(Err(Distrust::Certain(why))) => lines.push(line(Verdict::Wrong, why)),
        Some(Err(Distrust::Likely(why))) => lines.push(line(Verdict::Unwise, why)),
    }
    lines
}

pub(super) fn mail(config: &Config, offline: bool) -> Result<Vec<Line>, Failure> {
    let line = |verdict, remark: Bilingual| Line::new(("courriel", "mail"), verdict, remark);
    let Some(alerts) = &config.alerts else {
        let remark =
            Bilingual::new("pas de [alerts]\u{a0}: personne n’est prévenu", "no [alerts]: nobody is told");
        return Ok(vec![line(Verdict::Unwise, remark)]);
    };
    let mut lines = if offline {
        vec![line(Verdict::Good, Bilingual::new("pas essayé (--offline)", "not tried (--offline)"))]
    } else {
        let tried = runtime()?.block_on(alerts.mailer.test_connections());
        let first = |n: usize| if n == 0 { "[alerts] smtp" } else { "[[alerts.fallback]]" };
        let told = |(n, (server, outcome)): (usize, (String, Result<(), SendError>))| {
            let key = first(n);
            match outcome {
                Ok(()) => line(
                    Verdict::Good,
                    Bilingual::new(
                        format!("le serveur de {key} répond ({server})"),
                        format!("the server of {key} answers ({server})"),
                    ),
                ),
                Err(why) => line(
                    Verdict::Wrong,
                    Bilingual::new(
                        format!(
                            "aucun serveur n’accepte de courriel à {server} ({key})\u{a0}: {}",
                            why.in_french()
                        ),
                        format!("no server takes mail at {server} ({key}): {why}"),
                    ),
                ),
            }
        };
        tried.into_iter().enumerate().map(told).collect()
    };
    for channel in &alerts.channels {
        let (id, kind) = (&channel.id, channel.kind);
        let remark = (
            format!("un canal {kind}\u{a0}; essayez-le avec `alerts test --channel {id}`"),
            format!("a channel for {kind}; try it with `alerts test --channel {id}`"),
        );
        lines.push(Line::new((format!("canal {id}"), format!("channel {id}")), Verdict::Good, remark));
    }
    Ok(lines)
}

/// Whether another program holds a port that the daemon is to have; a daemon that runs holds them itself.
pub(super) fn listeners(config: &Config) -> Result<Vec<Line>, Failure> {
    let LedgerSettings { log, cluster, .. } = &config.ledger;
    let may_be_served = cluster.is_some() || log.exists() && SqliteLog::lease(log)?.is_none();
    if may_be_served {
        return Ok(Vec::new());
    }
    let ports = [("listener.public", config.listener.public), ("listener.admin", config.listener.admin)];
    let held = ports.into_iter().filter_map(|(key, address)| {
        let error = std::net::TcpListener::bind(address).err()?;
        // The service may have a port that whoever checks may not.
        (error.kind() == std::io::ErrorKind::AddrInUse).then(|| {
            let what = (
                format!("un autre programme écoute à {address}\u{a0}: arrêtez-le, ou indiquez un autre port"),
                format!("another program listens at {address}: end it, or name another port"),
            );
            Line::new(Bilingual::same(key), Verdict::Wrong, what)
        })
    });
    Ok(held.collect())
}

/// Looks up the names of the shops' handlers; nothing is sent to them.
pub(super) fn handlers(config: &Config) -> Result<Vec<Line>, Failure> {
    let runtime = runtime()?;
    let relays = config
        .endpoints
        .iter()
        .flat_map(|endpoint| endpoint.relays.iter().map(move |relay| (endpoint, relay)));
    let looked_up = relays.filter_map(|(endpoint, relay)| {
        let uri: hyper::Uri = relay.url.parse().ok()?;
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(443);
        let found = runtime.block_on(tokio::net::lookup_host((host.as_str(), port)));
        let why = match found {
            Err(error) => Bilingual::new(
                format!("{host} est introuvable {}", Bilingual::in_english_alone(&error).french),
                format!("{host} cannot be found: {error}"),
            ),
            Ok(addresses) => {
                let mut private = addresses.filter_map(|address| why_private(address.ip()));
                private.next().filter(|_| !relay.allow_private)?
            }
        };
        let (relay, endpoint) = (&relay.id, &endpoint.id);
        let what = (format!("relais {relay} de {endpoint}"), format!("relay {relay} of {endpoint}"));
        Some(Line::new(what, Verdict::Wrong, why))
    });
    Ok(looked_up.collect())
}

/// Tries each API with a call that asks nothing.
pub(super) fn apis(config: &Config) -> Result<Vec<Line>, Failure> {
    let askable: Vec<_> =
        config.endpoints.iter().filter_map(|endpoint| Some((endpoint, endpoint.adapter.api()?))).collect();
    if askable.is_empty() {
        return Ok(Vec::new());
    }
    let client = Client::new(config.confirm.proxy.clone(), config.confirm.timeout);
    let (runtime, clock) = (runtime()?, Clock::system());
    let tried = askable.into_iter().map(|(endpoint, api)| {
        let what = (format!("API de {}", endpoint.id), format!("API of {}", endpoint.id));
        match runtime.block_on(confirm::probe(api, &client, &clock)) {
            Ok(words) => Line::new(what, Verdict::Good, words),
            Err(why) => Line::new(what, Verdict::Wrong, why.words()),
        }
    });
    Ok(tried.collect())
}
