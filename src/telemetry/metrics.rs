//! Metrics, in one struct, made in `app` and handed down.

use cvco_domain::Refusal;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// All metric families.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Notifications stored.
    pub notifications: Family<NotificationLabels, Counter>,
    /// Calls refused.
    pub rejections: Family<RejectionLabels, Counter>,
    /// Seconds from the arrival of a notification to its commit.
    pub store_seconds: Histogram,
    /// Connections to the public listener.
    pub connections: Gauge,
    /// Connections to the admin listener.
    pub admin_connections: Gauge,
    /// Requests that wait for the log's appender.
    pub log_queue: Gauge,
    /// Questions to the PSPs' APIs by outcome.
    pub questions: Family<QuestionLabels, Counter>,
    /// E-mails by outcome.
    pub mails: Family<MailLabels, Counter>,
    /// E-mails that wait to be sent.
    pub mails_waiting: Gauge,
}

/// Labels of a stored notification.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct NotificationLabels {
    /// The endpoint.
    pub endpoint: String,
    /// `genuine`, `ignored`, `hint`, `unread`, or `repeated` for bytes that were stored before.
    pub verdict: &'static str,
}

/// Labels of a refused call. The endpoint is empty where the call names none that exists.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RejectionLabels {
    /// The endpoint.
    pub endpoint: String,
    /// Why.
    pub reason: RejectionReason,
}

/// Why a call was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(missing_docs, reason = "the words say it")]
pub enum RejectionReason {
    Path,
    Token,
    Address,
    TooLarge,
    Incomplete,
    Signature,
    Account,
    Malformed,
    Method,
    Http,
    Flood,
    Loop,
    NotStored,
}

impl From<Refusal> for RejectionReason {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Signature => Self::Signature,
            Refusal::Account => Self::Account,
            Refusal::Form => Self::Malformed,
            Refusal::Method => Self::Method,
            Refusal::Size => Self::TooLarge,
            Refusal::Incomplete => Self::Incomplete,
            Refusal::Address => Self::Address,
            Refusal::Http => Self::Http,
            Refusal::Flood => Self::Flood,
            Refusal::Loop => Self::Loop,
        }
    }
}

/// Labels of a question that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct QuestionLabels {
    /// The endpoint.
    pub endpoint: String,
    /// What became of it.
    pub outcome: QuestionOutcome,
}

/// What became of a question that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(missing_docs, reason = "the words say it")]
pub enum QuestionOutcome {
    Answered,
    Undecided,
    Failed,
}

/// Labels of an e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct MailLabels {
    /// What became of it.
    pub outcome: MailOutcome,
}

/// What became of an e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(missing_docs, reason = "the words say it")]
pub enum MailOutcome {
    Sent,
    Failed,
}

impl Default for Metrics {
    fn default() -> Self {
        let buckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];
        let mut metrics = Self {
            registry: Registry::with_prefix("cvco"),
            notifications: Family::default(),
            rejections: Family::default(),
            store_seconds: Histogram::new(buckets),
            connections: Gauge::default(),
            admin_connections: Gauge::default(),
            log_queue: Gauge::default(),
            questions: Family::default(),
            mails: Family::default(),
            mails_waiting: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("notifications", "Notifications stored", metrics.notifications.clone());
        registry.register("rejections", "Calls refused", metrics.rejections.clone());
        registry.register_with_unit(
            "store",
            "From the arrival of a notification to its commit",
            Unit::Seconds,
            metrics.store_seconds.clone(),
        );
        registry.register("connections", "Connections to the public listener", metrics.connections.clone());
        registry.register(
            "admin_connections",
            "Connections to the admin listener",
            metrics.admin_connections.clone(),
        );
        registry.register(
            "log_queue",
            "Requests that wait for the log's appender",
            metrics.log_queue.clone(),
        );
        registry.register("questions", "Questions to the PSPs' APIs by outcome", metrics.questions.clone());
        registry.register("mails", "E-mails by outcome", metrics.mails.clone());
        registry.register("mails_waiting", "E-mails that wait to be sent", metrics.mails_waiting.clone());
        metrics
    }
}

impl Metrics {
    /// Counts a refused call.
    pub fn count_rejection(&self, endpoint: &str, reason: RejectionReason) {
        self.rejections.get_or_create(&RejectionLabels { endpoint: endpoint.to_owned(), reason }).inc();
    }

    /// Counts a question that was asked.
    pub fn count_question(&self, endpoint: &str, outcome: QuestionOutcome) {
        self.questions.get_or_create(&QuestionLabels { endpoint: endpoint.to_owned(), outcome }).inc();
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
