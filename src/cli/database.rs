//! What `check` says about a log in PostgreSQL: whether it can be reached, and every setting by which it would lose what was
//! acknowledged.

use cvco_domain::{Bilingual, Timestamp, Worded};
use cvco_log::LogError;
use cvco_log_postgres::{Report, Server};

use super::check::{Line, Verdict};
use crate::cluster;
use crate::config::ClusterSettings;

/// How far the two clocks may be apart.
const CLOCK_TOLERANCE_MILLIS: i64 = 2000;

pub(super) fn examine(cluster: &ClusterSettings, now: Timestamp) -> Vec<Line> {
    let settings = match cluster.url().and_then(|url| cluster::settings(cluster, &url)) {
        Ok(settings) => settings,
        Err(what) => return vec![line(Verdict::Wrong, Bilingual::in_english_alone(what))],
    };
    let place = settings.place();
    match cvco_log_postgres::inspect(&settings) {
        Ok(report) => {
            let end = report.end.head.seq;
            let remark = Bilingual::new(
                format!("{place} contient le journal jusqu’à l’entrée {end}"),
                format!("{place} holds the log up to entry {end}"),
            );
            let mut lines = vec![line(Verdict::Good, remark)];
            lines.extend(clock(&report, now));
            lines.extend(losses(&report.server, cluster.replicated_below));
            lines
        }
        Err(error @ LogError::Away(_)) => {
            let remark = Bilingual::new(
                format!(
                    "{place}\u{a0}: {}\u{a0}; les appels sont refusés jusqu’à son retour",
                    error.in_french()
                ),
                format!("{place}: {error}; calls are refused until it is back"),
            );
            vec![line(Verdict::Wrong, remark)]
        }
        Err(error) => vec![line(Verdict::Wrong, error.words())],
    }
}

fn line(verdict: Verdict, remark: Bilingual) -> Line {
    Line::new(("base de données", "database"), verdict, remark)
}

fn clock(report: &Report, now: Timestamp) -> Option<Line> {
    let apart = report.end.now.millis().saturating_sub(now.millis());
    (apart.abs() > CLOCK_TOLERANCE_MILLIS).then(|| {
        let seconds = apart.abs() / 1000;
        let remark = (
            format!(
                "elle s’écarte de {seconds} s de celle de la base de données\u{a0}: réglez-la, sinon cette machine n’est pas prête"
            ),
            format!("it is {seconds} s apart from the database's: set it, or this machine is not ready"),
        );
        Line::new(("horloge", "clock"), Verdict::Wrong, remark)
    })
}

/// The settings by which PostgreSQL loses what it has acknowledged.
fn losses(server: &Server, replicated_below: bool) -> Vec<Line> {
    let wrong = |french: &str, english: &str| line(Verdict::Wrong, Bilingual::new(french, english));
    let mut lines = Vec::new();
    if !server.fsync {
        lines.push(wrong(
            "fsync est désactivé\u{a0}: une coupure de courant fait perdre ce qui a été acquitté, voire tout\u{a0}; réglez fsync = on",
            "fsync is off: a power cut loses what was acknowledged, or all; set fsync = on",
        ));
    }
    if !server.full_page_writes {
        lines.push(wrong(
            "full_page_writes est désactivé\u{a0}: une coupure de courant peut laisser des pages incomplètes\u{a0}; réglez \
             full_page_writes = on, sauf si le système de fichiers écrit des pages entières (ZFS)",
            "full_page_writes is off: a power cut can leave torn pages; set full_page_writes = on, unless the file system \
             writes pages whole (ZFS)",
        ));
    }
    if replicated_below {
        return lines;
    }
    if server.synchronous_standby_names.is_empty() {
        lines.push(wrong(
            "synchronous_standby_names est vide\u{a0}: ce qui est acquitté n’est que sur un disque, et une bascule fait perdre les \
             dernières secondes. Nommez un serveur secondaire (Patroni\u{a0}: synchronous_mode et synchronous_mode_strict\u{a0}; \
             CloudNativePG\u{a0}: dataDurability required)\u{a0}; ou, si la plateforme réplique au-dessous de PostgreSQL, écrivez \
             replication = \"storage\" dans [log]",
            "synchronous_standby_names is empty: what is acknowledged is on one disk alone, and a failover loses the last \
             seconds. Name a standby (Patroni: synchronous_mode and synchronous_mode_strict; CloudNativePG: dataDurability \
             required); or, where the platform replicates below PostgreSQL, write replication = \"storage\" in [log]",
        ));
        return lines;
    }
    match &server.standbys {
        None => lines.push(line(
            Verdict::Unwise,
            Bilingual::new(
                "ce compte ne voit pas les serveurs secondaires\u{a0}: exécutez GRANT pg_monitor TO cvco_node, et `check` dira s’ils suivent",
                "this account may not see the standbys: GRANT pg_monitor TO cvco_node, and `check` tells whether they follow",
            ),
        )),
        Some(standbys)
            if !standbys.iter().any(|standby| matches!(standby.kind.as_str(), "sync" | "quorum")) =>
        {
            lines.push(wrong(
                "aucun serveur secondaire synchrone n’est connecté\u{a0}: chaque enregistrement en attend un, et les appels sont refusés \
                 jusque-là",
                "no synchronous standby is connected: commits wait for one, and calls are refused until it is there",
            ));
        }
        Some(_) => {}
    }
    lines
}

#[cfg(test)]
mod tests {
    use cvco_log_postgres::Standby;

    use super::*;

    fn server() -> Server {
        let standby = Standby { name: "two".to_owned(), kind: "sync".to_owned(), behind: 0 };
        Server {
            version: "15".to_owned(),
            fsync: true,
            full_page_writes: true,
            synchronous_standby_names: "two".to_owned(),
            standbys: Some(vec![standby]),
        }
    }

    #[track_caller]
    fn told(server: &Server, replicated_below: bool, words: &str) {
        let lines = losses(server, replicated_below);
        assert!(lines.iter().any(|line| line.remark.english.contains(words)), "{words}: {lines:?}");
    }

    #[test]
    fn every_setting_that_loses_entries_is_told_with_what_would_be_right() {
        assert!(losses(&server(), false).is_empty());
        told(&Server { fsync: false, ..server() }, false, "fsync = on");
        told(&Server { full_page_writes: false, ..server() }, true, "full_page_writes = on");
        let alone =
            Server { synchronous_standby_names: String::new(), standbys: Some(Vec::new()), ..server() };
        told(&alone, false, "synchronous_mode_strict");
        assert!(losses(&alone, true).is_empty(), "the platform replicates");
        told(&Server { standbys: Some(Vec::new()), ..server() }, false, "no synchronous standby");
        told(&Server { standbys: None, ..server() }, false, "pg_monitor");
    }
}
