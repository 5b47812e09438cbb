//! What the gap between two figures is called: each gap has a name of its own, so that a mail that shows two of them
//! leaves no doubt which is which.

use cvco_domain::{Cents, Kind};

/// What a gap is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapName {
    /// Money that is missing.
    Short,
    /// Money that is too much.
    Over,
    /// What is still to be given back.
    ToRefund,
    /// What is still to be collected.
    ToCollect,
    /// What is still to be remitted to the bank.
    ToCapture,
    /// What was given back and should not have been.
    AgainstTerms,
    /// Two stories about one amount.
    Difference,
}

impl GapName {
    /// The name of what payments lack or have too much.
    #[must_use]
    pub fn of_payments(gap: Cents) -> Self {
        if gap.is_positive() { Self::Over } else { Self::Short }
    }

    /// Whether the figures of a kind are what was expected of payments, and what they came to.
    pub(crate) const fn is_of_payments(kind: Kind) -> bool {
        matches!(
            kind,
            Kind::AmountShort
                | Kind::AmountOver
                | Kind::ComplementMissing
                | Kind::ComplementOrphan
                | Kind::VoucherOrphan
                | Kind::DuplicateTender
                | Kind::DoublePayment
                | Kind::OrderUnknown
                | Kind::TotalUnknown
                | Kind::Unconfirmed
        )
    }

    /// The name of what was found minus what was expected.
    #[must_use]
    pub fn of(kind: Kind, gap: Cents) -> Self {
        if kind == Kind::TotalChanged {
            return if gap.is_positive() { Self::ToRefund } else { Self::ToCollect };
        }
        let too_little = !gap.is_positive();
        if Self::is_of_payments(kind) {
            Self::of_payments(gap)
        } else if too_little && matches!(kind, Kind::RefundPartial | Kind::RefundOrder) {
            Self::ToRefund
        } else if too_little && kind == Kind::CaptureOverdue {
            Self::ToCapture
        } else if !too_little && matches!(kind, Kind::RefundNotAllowed | Kind::RefundLate) {
            Self::AgainstTerms
        } else {
            Self::Difference
        }
    }
}
