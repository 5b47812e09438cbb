//! Where payments and their parts stand.

use cvco_domain::{RecordState, ReportedState, TenderState};

use crate::catalogue::Language;

pub(crate) const fn tender_state(language: Language, state: TenderState) -> &'static str {
    match language {
        Language::French => match state {
            TenderState::Pending => "en attente",
            TenderState::Authorised => "accepté",
            TenderState::Captured => "remis en banque",
            TenderState::Refused => "refusé",
            TenderState::Abandoned => "abandonné",
            TenderState::Cancelled => "annulé",
            TenderState::Expired => "expiré",
            TenderState::Refunded => "remboursé",
            TenderState::PartRefunded => "remboursé en partie",
        },
        Language::English => match state {
            TenderState::Pending => "pending",
            TenderState::Authorised => "accepted",
            TenderState::Captured => "captured",
            TenderState::Refused => "refused",
            TenderState::Abandoned => "abandoned",
            TenderState::Cancelled => "cancelled",
            TenderState::Expired => "expired",
            TenderState::Refunded => "refunded",
            TenderState::PartRefunded => "partly refunded",
        },
    }
}

/// Where a part stands: what a bank took back is no refund.
pub(crate) const fn tender_stands(
    language: Language,
    state: TenderState,
    is_charged_back: bool,
) -> &'static str {
    match (language, state) {
        (Language::French, TenderState::Refunded) if is_charged_back => "impayé, repris par la banque",
        (Language::English, TenderState::Refunded) if is_charged_back => "charged back by the bank",
        (Language::French, TenderState::PartRefunded) if is_charged_back => "impayé en partie",
        (Language::English, TenderState::PartRefunded) if is_charged_back => "partly charged back",
        (_, state) => tender_state(language, state),
    }
}

/// A part of which the merchant gave back some and the card's bank took some.
pub(crate) fn refunded_and_taken_back(language: Language, refunded: &str, taken_back: &str) -> String {
    match language {
        Language::French => format!("remboursé {refunded}, repris par la banque {taken_back}"),
        Language::English => format!("refunded {refunded}, taken back by the bank {taken_back}"),
    }
}

/// What a status of the PSP was taken for.
pub(crate) const fn reported_state(language: Language, state: ReportedState) -> &'static str {
    tender_state(
        language,
        match state {
            ReportedState::Pending => TenderState::Pending,
            ReportedState::Abandoned => TenderState::Abandoned,
            ReportedState::Refused => TenderState::Refused,
            ReportedState::Authorised => TenderState::Authorised,
            ReportedState::Captured => TenderState::Captured,
            ReportedState::Expired => TenderState::Expired,
            ReportedState::Cancelled => TenderState::Cancelled,
        },
    )
}

pub(crate) const fn record_state(language: Language, state: RecordState) -> &'static str {
    match language {
        Language::French => match state {
            RecordState::Pending => "en attente",
            RecordState::Balanced => "équilibré",
            RecordState::PartPaid => "payé en partie",
            RecordState::Unbalanced => "en écart",
            RecordState::Unverified => "non vérifiable",
            RecordState::Failed => "sans paiement accepté",
            RecordState::Refunded => "remboursé",
            RecordState::PartRefunded => "remboursé en partie",
        },
        Language::English => match state {
            RecordState::Pending => "pending",
            RecordState::Balanced => "balanced",
            RecordState::PartPaid => "partly paid",
            RecordState::Unbalanced => "unbalanced",
            RecordState::Unverified => "unverified",
            RecordState::Failed => "nothing accepted",
            RecordState::Refunded => "refunded",
            RecordState::PartRefunded => "partly refunded",
        },
    }
}

/// Where a payment stands: what a bank took back is no refund.
pub(crate) const fn record_stands(
    language: Language,
    state: RecordState,
    is_charged_back: bool,
) -> &'static str {
    match (language, state) {
        (Language::French, RecordState::Refunded) if is_charged_back => "impayé",
        (Language::French, RecordState::PartRefunded) if is_charged_back => "impayé en partie",
        (Language::English, RecordState::Refunded) if is_charged_back => "charged back",
        (Language::English, RecordState::PartRefunded) if is_charged_back => "partly charged back",
        (_, state) => record_state(language, state),
    }
}
