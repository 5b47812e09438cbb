//! Metrics, in one struct, made in `app` and handed down. What each means stands in [`super::catalogue`].

use cvco_log::Commit;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use super::catalogue;
use super::labels::{
    EndpointLabel, FileLabel, HandlerLabels, Known, MailLabels, MailOutcome, NotificationLabels, OwedLabel,
    QuestionLabels, QuestionOutcome, RejectionLabels, RejectionReason, RelayCall, RelayLabels, SeverityLabel,
    VersionLabel,
};

/// How a stored call is counted.
const VERDICTS: [&str; 5] = ["genuine", "ignored", "hint", "unread", "repeated"];

const SECONDS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];

/// The appender takes 512 requests at most as one group; one request may be a file of orders.
const ENTRIES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// All metric families, each under the name of its figure.
#[derive(Debug)]
#[expect(missing_docs, reason = "the catalogue says what each means")]
pub struct Metrics {
    registry: Registry,
    pub ready: Gauge,
    pub notifications: Family<NotificationLabels, Counter>,
    pub rejections: Family<RejectionLabels, Counter>,
    pub endpoint_silent_seconds: Family<EndpointLabel, Gauge>,
    pub connections: Gauge,
    pub admin_connections: Gauge,
    pub store_seconds: Histogram,
    pub append_seconds: Histogram,
    pub append_entries: Histogram,
    pub append_failures: Counter,
    pub panics: Counter,
    pub log_queue: Gauge,
    pub log_entries: Gauge,
    pub log_ahead_seconds: Gauge,
    pub log_settles: Counter,
    pub leads: Gauge,
    pub lead_epoch: Gauge,
    pub spooled_calls: Gauge,
    pub fold_lag_entries: Gauge,
    pub fold_lag_seconds: Gauge,
    pub entries_set_aside: Gauge,
    pub discrepancies_open: Family<SeverityLabel, Gauge>,
    pub owed: Family<OwedLabel, Gauge>,
    pub owed_age_seconds: Family<OwedLabel, Gauge>,
    pub mails: Family<MailLabels, Counter>,
    pub questions: Family<QuestionLabels, Counter>,
    pub relay_calls: Family<RelayLabels, Counter>,
    pub relay_handler_down: Family<HandlerLabels, Gauge>,
    pub verify_age_seconds: Family<Known, Gauge>,
    pub verify_flaws: Family<Known, Gauge>,
    pub disk_bytes: Gauge,
    pub disk_free_bytes: Gauge,
    pub file_bytes: Family<FileLabel, Gauge>,
    pub key_age_seconds: Family<FileLabel, Gauge>,
    pub certificate_expires_at_seconds: Family<Known, Gauge>,
    pub certificate_broken: Family<Known, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        let build_info: Family<VersionLabel, Gauge> = Family::default();
        build_info.get_or_create(&VersionLabel { version: env!("CARGO_PKG_VERSION") }).set(1);
        let mut metrics = Self {
            registry: Registry::with_prefix("cvco"),
            ready: Gauge::default(),
            notifications: Family::default(),
            rejections: Family::default(),
            endpoint_silent_seconds: Family::default(),
            connections: Gauge::default(),
            admin_connections: Gauge::default(),
            store_seconds: Histogram::new(SECONDS),
            append_seconds: Histogram::new(SECONDS),
            append_entries: Histogram::new(ENTRIES),
            append_failures: Counter::default(),
            panics: Counter::default(),
            log_queue: Gauge::default(),
            log_entries: Gauge::default(),
            log_ahead_seconds: Gauge::default(),
            log_settles: Counter::default(),
            leads: Gauge::default(),
            lead_epoch: Gauge::default(),
            spooled_calls: Gauge::default(),
            fold_lag_entries: Gauge::default(),
            fold_lag_seconds: Gauge::default(),
            entries_set_aside: Gauge::default(),
            discrepancies_open: Family::default(),
            owed: Family::default(),
            owed_age_seconds: Family::default(),
            mails: Family::default(),
            questions: Family::default(),
            relay_calls: Family::default(),
            relay_handler_down: Family::default(),
            verify_age_seconds: Family::default(),
            verify_flaws: Family::default(),
            disk_bytes: Gauge::default(),
            disk_free_bytes: Gauge::default(),
            file_bytes: Family::default(),
            key_age_seconds: Family::default(),
            certificate_expires_at_seconds: Family::default(),
            certificate_broken: Family::default(),
        };
        metrics.register("build_info", build_info);
        metrics.register("ready", metrics.ready.clone());
        metrics.register("notifications", metrics.notifications.clone());
        metrics.register("rejections", metrics.rejections.clone());
        metrics.register("endpoint_silent_seconds", metrics.endpoint_silent_seconds.clone());
        metrics.register("connections", metrics.connections.clone());
        metrics.register("admin_connections", metrics.admin_connections.clone());
        metrics.register("store_seconds", metrics.store_seconds.clone());
        metrics.register("append_seconds", metrics.append_seconds.clone());
        metrics.register("append_entries", metrics.append_entries.clone());
        metrics.register("append_failures", metrics.append_failures.clone());
        metrics.register("panics", metrics.panics.clone());
        metrics.register("log_queue", metrics.log_queue.clone());
        metrics.register("log_entries", metrics.log_entries.clone());
        metrics.register("log_ahead_seconds", metrics.log_ahead_seconds.clone());
        metrics.register("log_settles", metrics.log_settles.clone());
        metrics.register("leads", metrics.leads.clone());
        metrics.register("lead_epoch", metrics.lead_epoch.clone());
        metrics.register("spooled_calls", metrics.spooled_calls.clone());
        metrics.register("fold_lag_entries", metrics.fold_lag_entries.clone());
        metrics.register("fold_lag_seconds", metrics.fold_lag_seconds.clone());
        metrics.register("entries_set_aside", metrics.entries_set_aside.clone());
        metrics.register("discrepancies_open", metrics.discrepancies_open.clone());
        metrics.register("owed", metrics.owed.clone());
        metrics.register("owed_age_seconds", metrics.owed_age_seconds.clone());
        metrics.register("mails", metrics.mails.clone());
        metrics.register("questions", metrics.questions.clone());
        metrics.register("relay_calls", metrics.relay_calls.clone());
        metrics.register("relay_handler_down", metrics.relay_handler_down.clone());
        metrics.register("verify_age_seconds", metrics.verify_age_seconds.clone());
        metrics.register("verify_flaws", metrics.verify_flaws.clone());
        metrics.register("disk_bytes", metrics.disk_bytes.clone());
        metrics.register("disk_free_bytes", metrics.disk_free_bytes.clone());
        metrics.register("file_bytes", metrics.file_bytes.clone());
        metrics.register("key_age_seconds", metrics.key_age_seconds.clone());
        metrics.register_certificate();
        metrics.begin_mails();
        metrics
    }
}

impl Metrics {
    fn register(&mut self, name: &str, metric: impl Metric) {
        self.registry.register(name, catalogue::help(name), metric);
    }

    fn register_certificate(&mut self) {
        let expires = self.certificate_expires_at_seconds.clone();
        self.register("certificate_expires_at_seconds", expires);
        self.register("certificate_broken", self.certificate_broken.clone());
    }

    fn begin_mails(&self) {
        for outcome in [MailOutcome::Sent, MailOutcome::Failed] {
            drop(self.mails.get_or_create(&MailLabels { outcome }));
        }
    }

    /// Begins the counts of an endpoint at nought: what has not happened yet can be told from what is not watched.
    pub fn begin_endpoint(&self, endpoint: &str, is_asked: bool) {
        for verdict in VERDICTS {
            drop(
                self.notifications
                    .get_or_create(&NotificationLabels { endpoint: endpoint.to_owned(), verdict }),
            );
        }
        for reason in RejectionReason::OF_ENDPOINTS {
            drop(self.rejections.get_or_create(&RejectionLabels { endpoint: endpoint.to_owned(), reason }));
        }
        if is_asked {
            for outcome in [QuestionOutcome::Answered, QuestionOutcome::Undecided, QuestionOutcome::Failed] {
                drop(
                    self.questions.get_or_create(&QuestionLabels { endpoint: endpoint.to_owned(), outcome }),
                );
            }
        }
    }

    /// Begins the counts of a shop's handler at nought.
    pub fn begin_handler(&self, endpoint: &str, target: &str) {
        for outcome in [RelayCall::Delivered, RelayCall::Refused, RelayCall::Failed, RelayCall::Parked] {
            let (endpoint, target) = (endpoint.to_owned(), target.to_owned());
            drop(self.relay_calls.get_or_create(&RelayLabels { endpoint, target, outcome }));
        }
        self.set_handler_down(endpoint, target, false);
    }

    /// Counts a refused call.
    pub fn count_rejection(&self, endpoint: &str, reason: RejectionReason) {
        self.rejections.get_or_create(&RejectionLabels { endpoint: endpoint.to_owned(), reason }).inc();
    }

    /// Counts a commit of the log.
    pub fn count_commit(&self, commit: Commit) {
        if !commit.is_stored {
            self.append_failures.inc();
            return;
        }
        self.append_seconds.observe(commit.took.as_secs_f64());
        self.append_entries.observe(f64::from(u32::try_from(commit.entries).unwrap_or(u32::MAX)));
    }

    /// Counts a question that was asked.
    pub fn count_question(&self, endpoint: &str, outcome: QuestionOutcome) {
        self.questions.get_or_create(&QuestionLabels { endpoint: endpoint.to_owned(), outcome }).inc();
    }

    /// Counts a call of a shop's handler.
    pub fn count_relay(&self, endpoint: &str, target: &str, outcome: RelayCall) {
        let (endpoint, target) = (endpoint.to_owned(), target.to_owned());
        self.relay_calls.get_or_create(&RelayLabels { endpoint, target, outcome }).inc();
    }

    /// Says whether a handler is left alone because it fails.
    pub fn set_handler_down(&self, endpoint: &str, target: &str, is_down: bool) {
        let (endpoint, target) = (endpoint.to_owned(), target.to_owned());
        self.relay_handler_down.get_or_create(&HandlerLabels { endpoint, target }).set(i64::from(is_down));
    }

    /// Counts an e-mail.
    pub fn count_mail(&self, outcome: MailOutcome) {
        self.mails.get_or_create(&MailLabels { outcome }).inc();
    }

    /// All metrics as OpenMetrics text.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(error) => format!("# {error}\n"),
        }
    }
}
