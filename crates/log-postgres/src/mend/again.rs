//! Entries that are said once more, under new numbers, because others had gone on without them.

use std::collections::{HashMap, VecDeque};

use cvco_domain::Seq;
use cvco_domain::crypto::{Sha256Digest, sha256};
use cvco_log::entry::{MailAbout, Telling};
use cvco_log::row::{Link, Row};
use cvco_log::{Draft, LogEntry, LogError, LogStore, SealedPayload, SqliteLog};

use crate::append::PostgresLog;
use crate::session::Session;
use crate::tail::rows_after;

/// What was said once more, and what is about to be.
pub(super) struct Again {
    /// The last entry that both have.
    common: Seq,
    /// What PostgreSQL has after that, and under which numbers: another machine may have brought it, or the PSP has called
    /// again.
    there: HashMap<Sha256Digest, VecDeque<Seq>>,
    /// The new numbers of entries that have one.
    renumbered: HashMap<Seq, Seq>,
    /// What goes in the next group, with its old number.
    next: Vec<(Seq, Draft)>,
    /// How many entries were appended.
    pub(super) appended: usize,
}

impl Again {
    pub(super) fn after(common: Seq) -> Self {
        Self { common, there: HashMap::new(), renumbered: HashMap::new(), next: Vec::new(), appended: 0 }
    }

    /// Reads what PostgreSQL has after the last common entry.
    pub(super) async fn read(&mut self, session: &mut Session) -> Result<(), LogError> {
        let mut after = self.common;
        loop {
            let rows = rows_after(session, after).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.link.row.seq;
            for row in rows.into_iter().map(|copied| copied.link.row) {
                let Row { seq, kind, content, payload_sha256, .. } = row;
                let digest = digest([&kind, &content], payload_sha256.as_deref());
                self.there.entry(digest).or_default().push_back(seq);
            }
        }
    }

    /// Says an entry of this machine's once more, unless it is there.
    pub(super) fn say(
        &mut self,
        link: &Link,
        replica: &mut SqliteLog,
        log: &mut PostgresLog,
    ) -> Result<(), LogError> {
        let seq = link.row.seq;
        let mut entry = link.row.read()?.entry;
        if is_passing(&entry) {
            return Ok(());
        }
        let mut content = None;
        if let Some(number) = entry.notification_mut().filter(|number| **number > self.common) {
            if !self.renumbered.contains_key(number) {
                self.append(log)?;
            }
            match self.renumbered.get(number) {
                Some(new) => *number = *new,
                None => return Ok(()),
            }
            content = Some(Draft::new(&entry)?.text()[1].to_owned());
        }
        let content = content.unwrap_or_else(|| link.row.content.clone());
        let digest = digest([&link.row.kind, &content], link.row.payload_sha256.as_deref());
        if let Some(known) = self.there.get_mut(&digest).and_then(VecDeque::pop_front) {
            self.renumbered.insert(seq, known);
            return Ok(());
        }
        let payload = match (&link.row.payload_sha256, replica.payload(seq)?) {
            (Some(sha256), Some(sealed)) => Some(SealedPayload { sha256: sha256.clone(), sealed }),
            _ => None,
        };
        let draft = Draft::restored(&link.row.kind, content, payload);
        self.next.extend(draft.map(|draft| (seq, draft)));
        Ok(())
    }

    /// Appends what was said so far.
    pub(super) fn append(&mut self, log: &mut PostgresLog) -> Result<(), LogError> {
        let (seqs, drafts): (Vec<Seq>, Vec<Draft>) = self.next.drain(..).unzip();
        let stamps = log.append(&drafts, None).map_err(|unstored| unstored.error)?;
        self.appended = self.appended.saturating_add(stamps.len());
        self.renumbered.extend(seqs.into_iter().zip(stamps.into_iter().map(|stamp| stamp.seq)));
        Ok(())
    }
}

/// Whether an entry says something about the moment or the chain, which are others now, and nothing that would be missed.
fn is_passing(entry: &LogEntry) -> bool {
    matches!(
        entry,
        LogEntry::Time
            | LogEntry::Clock(_)
            | LogEntry::Pause(_)
            | LogEntry::Policy(_)
            | LogEntry::Telling(Telling { about: MailAbout::Anchor(_), .. })
    )
}

fn digest([kind, content]: [&str; 2], payload_sha256: Option<&str>) -> Sha256Digest {
    sha256(&[
        kind.as_bytes(),
        b"\n",
        content.as_bytes(),
        b"\n",
        payload_sha256.unwrap_or_default().as_bytes(),
    ])
}

#[cfg(test)]
mod tests {
    use cvco_log::entry::{Notification, Origin, Reread};

    use crate::mend::{Brought, heal};
    use crate::tests::postgres::Postgres;
    use crate::tests::{endpoint, machine, migrated, notified, order, settings};

    use super::*;

    /// What a later program read in the unread notification of this number.
    fn reread(of: i64) -> Draft {
        let notification = Notification {
            endpoint: endpoint(),
            origin: Origin::Call,
            events: Vec::new(),
            questions: Vec::new(),
            remark: None,
        };
        Draft::new(&LogEntry::Reread(Reread { of: Seq::new(of), notification })).expect("a draft")
    }

    #[test]
    fn what_is_brought_to_the_end_is_brought_once_and_names_what_it_is_about_by_the_new_number() {
        let Some(mut server) = Postgres::start("") else { return };
        let identity = migrated(&server);
        machine(&server, "one", &identity).append(&[order("COMMON")], None).expect("appended");
        let backup = server.backup();
        let lost = [notified("A"), reread(2), notified("A"), Draft::new(&LogEntry::Time).expect("a draft")];
        machine(&server, "one", &identity).append(&lost, None).expect("appended");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.sqlite");
        let mut replica = SqliteLog::open_or_create_replica(&path, &identity.log_id).expect("a replica");
        let one = settings(&server.url(), "one");
        crate::catch_up(&one, &identity, &mut replica).expect("caught up");
        server.restore(&backup);
        // The PSP has called once again.
        let meanwhile = [order("MEANWHILE"), notified("A")];
        machine(&server, "two", &identity).append(&meanwhile, None).expect("appended");

        let mut heal = || heal(&one, &identity, &mut replica, &mut |_, _| {}).expect("healed");
        let apart = Brought { as_they_were: 0, at_the_end: 2, is_apart: true, common: 1, end: 5 };
        assert_eq!(heal(), apart);
        let kinds = "SELECT kind, content::json ->> 'of' FROM log WHERE seq > 1 ORDER BY seq";
        assert_eq!(server.rows(kinds), ["order|", "unread|", "reread|3", "unread|"]);
        // Another machine that knows the same, or this one after its heal was cut off.
        assert_eq!(heal(), Brought { at_the_end: 0, ..apart });
    }
}
