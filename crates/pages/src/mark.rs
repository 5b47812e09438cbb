//! States as a shape, a colour and a word: never a colour alone.

use std::fmt;

use cvco_domain::{RecordState, Severity, TenderState};

/// A small drawing beside a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// All is well: a tick in a square.
    Good,
    /// At once: a diamond.
    Urgent,
    /// To be looked at: a triangle.
    Warning,
    /// To be known: a disc.
    Info,
    /// Not decided yet: a ring.
    Waiting,
    /// A part is there: half a disc.
    Part,
    /// Came to nothing: a cross.
    Nothing,
    /// Went back: an arrow.
    Back,
}

impl Mark {
    pub(crate) const fn of_severity(severity: Severity) -> Self {
        match severity {
            Severity::Urgent => Self::Urgent,
            Severity::Warning => Self::Warning,
            Severity::Info => Self::Info,
        }
    }

    pub(crate) const fn of_record(state: RecordState) -> Self {
        match state {
            RecordState::Balanced => Self::Good,
            RecordState::Pending => Self::Waiting,
            RecordState::PartPaid => Self::Part,
            RecordState::Unbalanced => Self::Urgent,
            RecordState::Unverified => Self::Warning,
            RecordState::Failed => Self::Nothing,
            RecordState::Refunded | RecordState::PartRefunded => Self::Back,
        }
    }

    pub(crate) const fn of_tender(state: TenderState) -> Self {
        match state {
            TenderState::Captured | TenderState::Authorised => Self::Good,
            TenderState::Pending => Self::Waiting,
            TenderState::Refused | TenderState::Abandoned | TenderState::Cancelled | TenderState::Expired => {
                Self::Nothing
            }
            TenderState::Refunded | TenderState::PartRefunded => Self::Back,
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Urgent => "urgent",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Waiting => "waiting",
            Self::Part => "part",
            Self::Nothing => "nothing",
            Self::Back => "back",
        }
    }

    const fn drawing(self) -> &'static str {
        match self {
            Self::Good => "<path d=\"M1 1h12v12H1z\"/><path class=\"cut\" d=\"m3.5 7 2.5 2.6 4.6-5\"/>",
            Self::Urgent => "<path d=\"m7 0 7 7-7 7-7-7z\"/>",
            Self::Warning => "<path d=\"m7 1 7 12.5H0z\"/>",
            Self::Info => "<circle cx=\"7\" cy=\"7\" r=\"5.5\"/>",
            Self::Waiting => "<circle class=\"line\" cx=\"7\" cy=\"7\" r=\"5\"/>",
            Self::Part => {
                "<circle class=\"line\" cx=\"7\" cy=\"7\" r=\"5\"/><path d=\"M7 2a5 5 0 0 0 0 10z\"/>"
            }
            Self::Nothing => "<path class=\"line\" d=\"m3 3 8 8m0-8-8 8\"/>",
            Self::Back => "<path class=\"line\" d=\"M12.5 11V7H2m4-4L2 7l4 4\"/>",
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, drawing) = (self.class(), self.drawing());
        write!(f, "<svg class=\"mark {class}\" viewBox=\"0 0 14 14\" aria-hidden=\"true\">{drawing}</svg>")
    }
}

/// Made of constants alone.
impl askama::filters::HtmlSafe for Mark {}
