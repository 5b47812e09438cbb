//! What the program tells about itself: log lines and metrics. Never a payload or a secret.

mod logging;
mod metrics;

pub use logging::{LogFormat, init};
pub use metrics::{
    MailOutcome, Metrics, NotificationLabels, QuestionLabels, QuestionOutcome, RejectionLabels,
    RejectionReason,
};
