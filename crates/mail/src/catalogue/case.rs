//! What happened, as far as the words depend on it.

use cvco_domain::{Detail, Difference, Kind, OddStatus, ReportedState, StatusOf, StoryOf};

/// A kind of discrepancy, or one of the things that a kind can be about, where each wants other advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// The kind, whatever happened.
    Of(Kind),
    /// A surplus that is the voucher of an attempt which was given up.
    LeftOverVoucher,
    /// Too little was paid, because less was captured than was authorised.
    PartCaptured,
    /// A payment that was accepted, and whose authorisation lapsed before it was captured.
    Lapsed,
    /// A payment whose parts nobody states, and nobody is asked about any more.
    SharesUnknown,
    /// One payment that was notified under the references of two orders.
    OneMessageTwoOrders,
    /// A payment that one notification accepts and another refuses.
    AcceptedAndRefused,
    /// A refund of which two amounts were told.
    RefundOfTwoAmounts,
    /// A chargeback of which two amounts were told.
    ChargebackOfTwoAmounts,
    /// An odd status of a payment that stays accepted: what failed came later, such as a capture.
    AcceptedWithStatus,
    /// A refund that the PSP did not make.
    RefundRefused,
    /// A refund whose fate the PSP's status leaves open.
    RefundWithStatus,
}

impl Case {
    /// Every case of a kind, the general one first.
    pub fn all_of(kind: Kind) -> impl Iterator<Item = Self> {
        let special: &[Self] = if kind == Kind::UnknownStatus {
            &[Self::AcceptedWithStatus, Self::RefundRefused, Self::RefundWithStatus]
        } else if kind == Kind::AmountOver {
            &[Self::LeftOverVoucher]
        } else if kind == Kind::AmountShort {
            &[Self::PartCaptured]
        } else if kind == Kind::Unconfirmed {
            &[Self::SharesUnknown]
        } else if kind == Kind::CaptureOverdue {
            &[Self::Lapsed]
        } else if kind == Kind::ConflictingNotification {
            &[
                Self::OneMessageTwoOrders,
                Self::AcceptedAndRefused,
                Self::RefundOfTwoAmounts,
                Self::ChargebackOfTwoAmounts,
            ]
        } else {
            &[]
        };
        std::iter::once(Self::Of(kind)).chain(special.iter().copied())
    }

    /// The case that the particulars tell.
    #[must_use]
    pub fn of(kind: Kind, detail: &Detail) -> Self {
        if matches!(detail, Detail::LeftOver(_)) {
            return Self::LeftOverVoucher;
        }
        match (kind, detail) {
            (_, Detail::PartCaptured { .. }) => return Self::PartCaptured,
            (_, Detail::Lapsed(_)) => return Self::Lapsed,
            (Kind::Unconfirmed, Detail::Parts(_)) => return Self::SharesUnknown,
            (Kind::ConflictingNotification, Detail::Order(_)) => return Self::OneMessageTwoOrders,
            (Kind::ConflictingNotification, Detail::Dispute { of: StoryOf::Refund, .. }) => {
                return Self::RefundOfTwoAmounts;
            }
            (Kind::ConflictingNotification, Detail::Dispute { of: StoryOf::Chargeback, .. }) => {
                return Self::ChargebackOfTwoAmounts;
            }
            (Kind::ConflictingNotification, Detail::Dispute { differences, .. })
                if differences.iter().any(|it| matches!(it, Difference::Outcome { .. })) =>
            {
                return Self::AcceptedAndRefused;
            }
            (_, _) => {}
        }
        let Detail::Status { of, statuses, .. } = detail else { return Self::Of(kind) };
        let all =
            |wanted: fn(ReportedState) -> bool| statuses.iter().all(|OddStatus { state, .. }| wanted(*state));
        match of {
            StatusOf::Refund if all(is_failed) => Self::RefundRefused,
            StatusOf::Refund => Self::RefundWithStatus,
            StatusOf::Payment if all(is_accepted) => Self::AcceptedWithStatus,
            StatusOf::Payment => Self::Of(kind),
        }
    }
}

const fn is_failed(state: ReportedState) -> bool {
    match state {
        ReportedState::Refused
        | ReportedState::Abandoned
        | ReportedState::Cancelled
        | ReportedState::Expired => true,
        ReportedState::Pending | ReportedState::Authorised | ReportedState::Captured => false,
    }
}

const fn is_accepted(state: ReportedState) -> bool {
    matches!(state, ReportedState::Authorised | ReportedState::Captured)
}
