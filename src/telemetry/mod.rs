//! What the program tells about itself: log lines and metrics. Never a payload or a secret.

pub mod catalogue;
mod labels;
mod logging;
mod metrics;
mod verified;

pub use labels::{
    EndpointLabel, FileLabel, HandlerLabels, Known, MailLabels, MailOutcome, NotificationLabels, OwedLabel,
    QuestionLabels, QuestionOutcome, RejectionLabels, RejectionReason, RelayCall, RelayLabels, SeverityLabel,
};
pub use logging::{LogFormat, init};
pub use metrics::Metrics;
pub use verified::Verified;
