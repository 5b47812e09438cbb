//! What a daemon needs, looked at again and again.

use std::fs;
use std::time::Duration;

use crate::support::Daemon;

/// Lines of the table at the end.
const LINES: u32 = 8;

/// Runs shorter than this say nothing about growth.
const SAYS_SOMETHING: Duration = Duration::from_mins(20);

/// Until then its tables grow to the size that its load needs.
const WARM_AFTER: Duration = Duration::from_hours(1);

/// How much the second half may need more than the first, in kilobytes, at half of the looks: what an export or a backup needs
/// while it runs differs with what comes beside it.
const MAY_GROW: u64 = 5 * 1024;

/// The ledger keeps a sixteenth of its pages in memory, from so many to so many bytes: no growth without end.
const CACHE: (u64, u64) = (4 * 1024 * 1024, 16 * 1024 * 1024);

/// A reader of the ledger that is there when it is looked, with write-ahead log and index.
const FILES_OF_A_READER: u64 = 3;

#[derive(Default, Clone, Copy)]
struct Line {
    acknowledged: u64,
    /// Kilobytes at most.
    memory: u64,
    /// At least: connections under way come and go.
    descriptors: Option<u64>,
    /// Descriptors that are no sockets, at most.
    files: u64,
    log_bytes: u64,
    ledger_bytes: u64,
}

pub struct Measured {
    length: Duration,
    lines: Vec<Line>,
    /// Kilobytes at each look, without the ledger's cache.
    memory: Vec<u64>,
}

impl Measured {
    pub fn new(length: Duration) -> Self {
        Self { length, lines: Vec::new(), memory: Vec::new() }
    }

    pub fn look_at(&mut self, daemon: &Daemon, at: Duration, acknowledged: u64) {
        let number = (at.as_millis() * u128::from(LINES)).saturating_sub(1) / self.length.as_millis();
        let number = usize::try_from(number).expect("a line");
        if self.lines.len() <= number {
            self.lines.resize(number + 1, Line::default());
        }
        let process = format!("/proc/{}", daemon.process());
        let status = fs::read_to_string(format!("{process}/status")).expect("a living daemon");
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        let memory: u64 = memory.trim().trim_end_matches(" kB").parse().expect("kilobytes");
        let open: Vec<_> =
            fs::read_dir(format!("{process}/fd")).expect("its descriptors").flatten().collect();
        // One that was closed meanwhile is counted nowhere.
        let links = open.iter().filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
        let files = links.filter(|link| !link.to_string_lossy().starts_with("socket:"));
        let files = u64::try_from(files.count()).expect("few");
        let descriptors = u64::try_from(open.len()).expect("few");
        let bytes = |name| fs::metadata(daemon.path(name)).map_or(0, |file| file.len());
        let (least, most) = CACHE;
        let cache = (bytes("ledger.sqlite") / 16).clamp(least, most) / 1024;
        self.memory.push(memory.saturating_sub(cache));
        let line = &mut self.lines[number];
        line.acknowledged = acknowledged;
        line.memory = line.memory.max(memory);
        line.descriptors = Some(line.descriptors.map_or(descriptors, |least| least.min(descriptors)));
        line.files = line.files.max(files);
        line.log_bytes = bytes("log.sqlite");
        line.ledger_bytes = bytes("ledger.sqlite");
    }

    #[expect(clippy::print_stdout, reason = "what the run has shown")]
    pub fn print(&self) {
        println!("      until  acknowledged   memory  descriptors  files      log   ledger");
        for (number, line) in (1_u32..).zip(&self.lines) {
            println!(
                "{:>9} s {:>13} {:>5} MB {:>12} {:>6} {:>5} MB {:>5} MB",
                (self.length * number / LINES).as_secs(),
                line.acknowledged,
                line.memory / 1_024,
                line.descriptors.unwrap_or_default(),
                line.files,
                line.log_bytes / 1_000_000,
                line.ledger_bytes / 1_000_000,
            );
        }
    }

    /// Once it is warm, the second half of what is left of the run needs what the first did.
    pub fn must_be_flat(&self) {
        if self.length < SAYS_SOMETHING {
            return;
        }
        let warm = |looks: usize| {
            let until = WARM_AFTER.min(self.length / 2);
            let looks = u128::try_from(looks).expect("few") * until.as_millis() / self.length.as_millis();
            usize::try_from(looks).expect("few")
        };
        let lines = &self.lines[warm(self.lines.len())..];
        let (first, second) = lines.split_at(lines.len() / 2);
        let must_not_grow = |what: &str, of: fn(&Line) -> u64, may_grow: u64| {
            let most = |half: &[Line]| half.iter().map(of).max().expect("looked at");
            let (before, after) = (most(first), most(second));
            assert!(after <= before + may_grow, "{what}: {before} grew to {after}");
        };
        let memory = &self.memory[warm(self.memory.len())..];
        let (before, after) = memory.split_at(memory.len() / 2);
        let (before, after) = (usual(before), usual(after));
        assert!(after <= before + MAY_GROW, "kilobytes of memory: {before} grew to {after}");
        must_not_grow("open files", |line| line.files, FILES_OF_A_READER);
        must_not_grow("descriptors", |line| line.descriptors.unwrap_or_default(), 0);
    }
}

/// The median.
fn usual(looks: &[u64]) -> u64 {
    let mut looks = looks.to_vec();
    looks.sort_unstable();
    looks[looks.len() / 2]
}
