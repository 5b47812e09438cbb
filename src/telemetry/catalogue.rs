//! What every figure means, once: `/metrics` takes its help from here, and so does docs/metrics.md.

/// How a figure behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Only grows while the daemon runs; its name ends in `_total` where it is read.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts in buckets; read it as `_bucket`, `_sum` and `_count`.
    Histogram,
}

impl Shape {
    /// The name that OpenMetrics has for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// The name, without the `cvco_` before it and the `_total` after it.
    pub name: &'static str,
    /// How it behaves.
    pub shape: Shape,
    /// What tells its series apart.
    pub labels: &'static [&'static str],
    /// What it counts.
    pub help: &'static str,
    /// What a person makes of it.
    pub reading: &'static str,
}

impl Figure {
    /// The name as it stands in queries.
    #[must_use]
    pub fn full_name(&self) -> String {
        let ending = if self.shape == Counter { "_total" } else { "" };
        format!("cvco_{}{ending}", self.name)
    }
}

const fn figure(
    name: &'static str,
    shape: Shape,
    labels: &'static [&'static str],
    help: &'static str,
    reading: &'static str,
) -> Figure {
    Figure { name, shape, labels, help, reading }
}

use Shape::{Counter, Gauge, Histogram};

/// All figures, in the order of the page.
pub const FIGURES: &[Figure] = &[
    figure("ready", Gauge, &[], "1 if GET /readyz answers 200", "0: `/readyz` says in words what is wrong"),
    figure("build_info", Gauge, &["version"], "Always 1; the version is a label", "which version runs where"),
    figure(
        "notifications",
        Counter,
        &["endpoint", "verdict"],
        "Calls that were acknowledged",
        "`genuine`, `ignored` (states nothing about a payment), `hint` (unsigned: the PSP is asked), `unread` (genuine and \
         not understood), `repeated` (stored before)",
    ),
    figure(
        "rejections",
        Counter,
        &["endpoint", "reason"],
        "Calls that were refused",
        "`signature`: a wrong key, or somebody who tries; `not_stored`: the PSP comes again; `tls`: no TLS was agreed. The endpoint is empty where the \
         call named none, or had not its token",
    ),
    figure(
        "endpoint_silent_seconds",
        Gauge,
        &["endpoint"],
        "Seconds since an endpoint was last heard",
        "of an endpoint that was never heard there is no series",
    ),
    figure(
        "connections",
        Gauge,
        &[],
        "Connections to the public listener",
        "a flood, or a proxy that keeps too many",
    ),
    figure("admin_connections", Gauge, &[], "Connections to the admin listener", "at most 32"),
    figure(
        "store_seconds",
        Histogram,
        &[],
        "From the arrival of a notification to its commit",
        "what a PSP waits for, without its network; it gives up after 10 to 20 s",
    ),
    figure("append_seconds", Histogram, &[], "One commit of the log", "the disk: a commit ends with a sync"),
    figure(
        "append_entries",
        Histogram,
        &[],
        "Entries in one commit of the log",
        "grows under load: calls that wait share a sync",
    ),
    figure(
        "append_failures",
        Counter,
        &[],
        "Commits of the log that failed",
        "nothing of them was acknowledged; the journal says why",
    ),
    figure(
        "panics",
        Counter,
        &[],
        "Faults of the program itself",
        "each is in the journal and is mailed; please report it",
    ),
    figure(
        "log_queue",
        Gauge,
        &[],
        "Requests that wait for the log's appender",
        "of 1024 places; when they are taken, PSPs are told to come again",
    ),
    figure("log_entries", Gauge, &[], "Number of the log's last entry", "how much there is"),
    figure(
        "log_ahead_seconds",
        Gauge,
        &[],
        "How far the log's last entry is dated after the clock",
        "more than 60: the machine's clock is wrong, or was",
    ),
    figure(
        "log_settles",
        Counter,
        &[],
        "Commits to PostgreSQL whose outcome had to be looked into",
        "some at each failover; many: the connection to the database breaks, or a standby is not waited for",
    ),
    figure(
        "leads",
        Gauge,
        &[],
        "1 if this machine leads those that share its log, or is alone; else 0",
        "the sum over all machines is 1, and 0 for some seconds while the lead moves",
    ),
    figure(
        "lead_epoch",
        Gauge,
        &[],
        "Number of this machine's lead; 0 if another leads, or there is no other",
        "grows whenever the lead moves: often means that machines do not reach the database in time",
    ),
    figure(
        "spooled_calls",
        Gauge,
        &[],
        "Calls that were refused while PostgreSQL was away, and wait here to be stored",
        "0 soon after PostgreSQL is back; until then they exist on this machine alone",
    ),
    figure(
        "fold_lag_entries",
        Gauge,
        &[],
        "Entries of the log that the ledger has not folded",
        "a moment after each burst; calls are acknowledged all the same",
    ),
    figure(
        "fold_lag_seconds",
        Gauge,
        &[],
        "For how long the ledger has not held all of the log",
        "grows without end: the ledger cannot be written, or its fold hangs",
    ),
    figure(
        "entries_set_aside",
        Gauge,
        &[],
        "Entries that could not be folded, or are genuine and were not understood",
        "`check` lists them; please report them",
    ),
    figure(
        "discrepancies_open",
        Gauge,
        &["severity"],
        "Discrepancies that are open",
        "for the accountant: `alerts list`",
    ),
    figure(
        "owed",
        Gauge,
        &["what"],
        "What is owed and not done",
        "`mail`: news in e-mails, `anchor`, `relay`: notifications for a handler of the shop, `question`: to a PSP's API, \
         `decision`: relays that were refused or given up, until a person decides (`relay list`)",
    ),
    figure(
        "owed_age_seconds",
        Gauge,
        &["what"],
        "For how long the oldest of it has been owed",
        "a digest waits for `[alerts] digest`; beyond that somebody is not told",
    ),
    figure(
        "mails",
        Counter,
        &["outcome"],
        "E-mails that were tried",
        "`failed` ones are tried again; `check` says what the server answers",
    ),
    figure(
        "questions",
        Counter,
        &["endpoint", "outcome"],
        "Questions to the PSPs' APIs that were tried",
        "`answered`, `undecided` (asked again later), `failed`",
    ),
    figure(
        "relay_calls",
        Counter,
        &["endpoint", "target", "outcome"],
        "Calls of the shop's handlers",
        "`delivered`, `refused` (the handler said no), `failed` (tried again), `parked` (given up until a person decides)",
    ),
    figure(
        "relay_handler_down",
        Gauge,
        &["endpoint", "target"],
        "1 if a handler fails again and again",
        "it is left alone but for a probe; what it missed goes to it when it is back",
    ),
    figure(
        "verify_age_seconds",
        Gauge,
        &[],
        "Seconds since `verify` last ran",
        "more than 8 days: `cvco-reconciled-verify.timer` is off. No series before the first run",
    ),
    figure(
        "verify_flaws",
        Gauge,
        &[],
        "What `verify` found wrong then",
        "more than 0: keep the files as they are",
    ),
    figure("disk_bytes", Gauge, &[], "Size of the disk that holds log and ledger", "with the next one"),
    figure(
        "disk_free_bytes",
        Gauge,
        &[],
        "What the service may still write there",
        "less than a tenth: make room",
    ),
    figure(
        "file_bytes",
        Gauge,
        &["file"],
        "Size of `log.sqlite`, `ledger.sqlite` and of what SQLite keeps beside them",
        "a large `-wal`: a reader keeps a transaction open",
    ),
    figure(
        "key_age_seconds",
        Gauge,
        &["file"],
        "Since a secret's file was last changed",
        "of each file that the configuration names, but for systemd's credentials, whose dates say nothing",
    ),
    figure(
        "certificate_expires_at_seconds",
        Gauge,
        &[],
        "When the certificate of the public address expires, in seconds since 1970",
        "`cvco_certificate_expires_at_seconds - time()` is what is left. No series without TLS of its own",
    ),
    figure(
        "certificate_broken",
        Gauge,
        &[],
        "1 if a new certificate or its key cannot be used",
        "the old one is shown until it expires; the journal says why",
    ),
];

/// What is known of a figure by its short name.
pub(super) fn help(name: &str) -> &'static str {
    FIGURES.iter().find(|figure| figure.name == name).map_or("", |figure| figure.help)
}
