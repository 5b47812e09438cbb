//! What `check` says about a log in PostgreSQL: whether it can be reached, and every setting by which it would lose what was
//! acknowledged.

use cvco_domain::Timestamp;
use cvco_log::LogError;
use cvco_log_postgres::{Report, Server};

use super::check::{Line, Verdict};
use crate::cluster;
use crate::config::ClusterSettings;

/// How far the two clocks may be apart.
const CLOCK_TOLERANCE_MILLIS: i64 = 2000;

pub(super) fn examine(cluster: &ClusterSettings, now: Timestamp) -> Vec<Line> {
    let line = |verdict, remark: String| vec![Line::new("database", verdict, remark)];
    let settings = match cluster.url().and_then(|url| cluster::settings(cluster, &url)) {
        Ok(settings) => settings,
        Err(what) => return line(Verdict::Wrong, what),
    };
    match cvco_log_postgres::inspect(&settings) {
        Ok(report) => {
            let place = settings.place();
            let mut lines =
                line(Verdict::Good, format!("{place} holds the log up to entry {}", report.end.head.seq));
            lines.extend(clock(&report, now));
            lines.extend(losses(&report.server, cluster.replicated_below));
            lines
        }
        Err(error @ LogError::Away(_)) => {
            line(Verdict::Wrong, format!("{}: {error}; calls are refused until it is back", settings.place()))
        }
        Err(error) => line(Verdict::Wrong, error.to_string()),
    }
}

fn clock(report: &Report, now: Timestamp) -> Option<Line> {
    let apart = report.end.now.millis().saturating_sub(now.millis());
    (apart.abs() > CLOCK_TOLERANCE_MILLIS).then(|| {
        let remark = format!(
            "it is {} s apart from the database's: set it, or this machine is not ready",
            apart.abs() / 1000
        );
        Line::new("clock", Verdict::Wrong, remark)
    })
}

/// The settings by which PostgreSQL loses what it has acknowledged.
fn losses(server: &Server, replicated_below: bool) -> Vec<Line> {
    let wrong = |remark: &str| Line::new("database", Verdict::Wrong, remark);
    let unwise = |remark: &str| Line::new("database", Verdict::Unwise, remark);
    let mut lines = Vec::new();
    if !server.fsync {
        lines.push(wrong("fsync is off: a power cut loses what was acknowledged, or all; set fsync = on"));
    }
    if !server.full_page_writes {
        lines.push(wrong(
            "full_page_writes is off: a power cut can leave torn pages; set full_page_writes = on, unless the file system \
             writes pages whole (ZFS)",
        ));
    }
    if replicated_below {
        return lines;
    }
    if server.synchronous_standby_names.is_empty() {
        lines.push(wrong(
            "synchronous_standby_names is empty: what is acknowledged is on one disk alone, and a failover loses the last \
             seconds. Name a standby (Patroni: synchronous_mode and synchronous_mode_strict; CloudNativePG: dataDurability \
             required); or, where the platform replicates below PostgreSQL, write replication = \"storage\" in [log]",
        ));
        return lines;
    }
    match &server.standbys {
        None => lines.push(unwise(
            "this account may not see the standbys: GRANT pg_monitor TO cvco_node, and `check` tells whether they follow",
        )),
        Some(standbys) if !standbys.iter().any(|standby| matches!(standby.kind.as_str(), "sync" | "quorum")) => {
            lines.push(wrong(
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
        assert!(lines.iter().any(|line| line.remark.contains(words)), "{words}: {lines:?}");
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
