//! What a disk may hold after the power went: all that was synced, and any part of what was written since.

use std::collections::BTreeMap;
use std::path::Path;

use cvco_trial::simulate::Dice;

/// A disk writes so many bytes at a time or not at all.
const SECTOR: usize = 512;

/// Something that was done to a file.
#[derive(Debug, Clone)]
pub struct Event {
    pub file: String,
    pub deed: Deed,
    /// Where the record stood once this was done.
    pub recorded: u64,
}

#[derive(Debug, Clone)]
pub enum Deed {
    Write { place: usize, bytes: Vec<u8> },
    Truncate { length: usize },
    Sync,
    Remove,
}

/// What the recorder wrote down; see `recorder.c`.
pub fn recorded(path: &Path) -> Vec<Event> {
    let bytes = std::fs::read(path).expect("a record");
    let (mut rest, mut events) = (bytes.as_slice(), Vec::new());
    while let Some((what, after)) = rest.split_first() {
        let (length, after) = after.split_first().expect("a length");
        let (name, after) = after.split_at(usize::from(*length));
        let (place, after) = after.split_first_chunk().expect("a place");
        let (length, after) = after.split_first_chunk().expect("a length");
        let place = usize::try_from(u64::from_ne_bytes(*place)).expect("a place");
        let (content, after) = after.split_at(u32::from_ne_bytes(*length) as usize);
        rest = after;
        let deed = match what {
            b'W' => Deed::Write { place, bytes: content.to_vec() },
            b'T' => Deed::Truncate { length: place },
            b'S' => Deed::Sync,
            b'U' => Deed::Remove,
            other => panic!("{other} means nothing"),
        };
        let file = String::from_utf8(name.to_vec()).expect("a name");
        events.push(Event { file, deed, recorded: (bytes.len() - rest.len()) as u64 });
    }
    events
}

/// The files of log and ledger.
#[derive(Clone, Default)]
pub struct Disk(BTreeMap<String, File>);

/// What a name may stand for: until the next sync it is any of these, the last one last.
#[derive(Clone, Default)]
struct File(Vec<Version>);

#[derive(Clone)]
enum Version {
    Absent,
    Present { synced: Vec<u8>, since: Vec<Deed> },
}

impl Disk {
    /// A disk at rest.
    pub fn holding(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let at_rest = |synced| File(vec![Version::Present { synced, since: Vec::new() }]);
        Self(files.into_iter().map(|(name, bytes)| (name, at_rest(bytes))).collect())
    }

    pub fn apply(&mut self, event: &Event) {
        let File(versions) = self.0.entry(event.file.clone()).or_insert_with(|| File(vec![Version::Absent]));
        if matches!(event.deed, Deed::Remove) {
            versions.push(Version::Absent);
            return;
        }
        if matches!(versions.last(), Some(Version::Absent)) {
            versions.push(Version::Present { synced: Vec::new(), since: Vec::new() });
        }
        let Some(Version::Present { synced, since }) = versions.last_mut() else { panic!("a file") };
        if matches!(event.deed, Deed::Sync) {
            for deed in since.drain(..) {
                done(synced, &deed);
            }
            versions.drain(..versions.len() - 1);
        } else {
            since.push(event.deed.clone());
        }
    }

    /// What one power cut may leave.
    pub fn cut(&self, dice: &mut Dice) -> BTreeMap<String, Vec<u8>> {
        let mut left = BTreeMap::new();
        for (name, File(versions)) in &self.0 {
            match &versions[pick(dice, versions.len())] {
                Version::Absent => {}
                Version::Present { synced, since } => {
                    left.insert(name.clone(), half_done(synced, since, dice));
                }
            }
        }
        left
    }
}

fn pick(dice: &mut Dice, of: usize) -> usize {
    usize::try_from(dice.below(of as u64)).expect("small")
}

fn done(bytes: &mut Vec<u8>, deed: &Deed) {
    match deed {
        Deed::Write { place, bytes: written } => {
            bytes.resize(bytes.len().max(place + written.len()), 0);
            bytes[*place..place + written.len()].copy_from_slice(written);
        }
        Deed::Truncate { length } => bytes.resize(*length, 0),
        Deed::Sync | Deed::Remove => {}
    }
}

/// Nothing of it, all of it, its beginning, or any sectors of it in any order.
fn half_done(synced: &[u8], since: &[Deed], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = synced.to_vec();
    let whole = match dice.below(4) {
        0 => return bytes,
        1 => since.len(),
        2 => pick(dice, since.len() + 1),
        _ => 0,
    };
    let (first, rest) = since.split_at(whole);
    for deed in first {
        done(&mut bytes, deed);
    }
    for deed in if whole == 0 { rest } else { &rest[..rest.len().min(1)] } {
        match deed {
            Deed::Write { place, bytes: written } => {
                let mut at = *place;
                for sector in written.chunks(SECTOR) {
                    // What is left out reads as zeros where the file has grown, and else as what was there.
                    match dice.below(4) {
                        0 | 1 => done(&mut bytes, &Deed::Write { place: at, bytes: sector.to_vec() }),
                        2 => bytes.resize(bytes.len().max(at + sector.len()), 0),
                        _ => {}
                    }
                    at += sector.len();
                }
            }
            Deed::Truncate { .. } | Deed::Sync | Deed::Remove => {
                if dice.below(2) == 0 {
                    done(&mut bytes, deed);
                }
            }
        }
    }
    bytes
}
