//! The platform's words and numbers as enums. Each keeps what its table does not know, so that a word that
//! the platform adds tomorrow is stored and shown, never dropped and never taken for money.

use cvco_domain::{ReportedState, StatusReading};

macro_rules! open_words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal, $meaning:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* #[doc = concat!("`", $text, "`: ", $meaning, ".")] $variant,)*
            /// Outside the table, as received.
            Unknown(String),
        }

        impl $name {
            /// Every word of the table.
            pub const TABLE: &'static [Self] = &[$(Self::$variant,)*];

            /// Looks a word up.
            #[must_use]
            pub fn of(text: &str) -> Self {
                match text { $($text => Self::$variant,)* other => Self::Unknown(other.to_owned()) }
            }

            /// The word as the platform writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self { $(Self::$variant => $text,)* Self::Unknown(text) => text }
            }

            /// What it means, in English; `None` outside the table.
            #[must_use]
            pub const fn meaning(&self) -> Option<&'static str> {
                match self { $(Self::$variant => Some($meaning),)* Self::Unknown(_) => None }
            }
        }
    };
}

open_words! {
    /// `vads_trans_status`, which is also `detailedStatus` of the REST notification.
    TransStatus {
        Authorised = "AUTHORISED", "accepted, to be captured on the expected date";
        AuthorisedToValidate = "AUTHORISED_TO_VALIDATE", "authorised, but lapses unless the merchant validates it";
        Captured = "CAPTURED", "remitted to the bank";
        Accepted = "ACCEPTED", "a verification was accepted; no money moves";
        PreAuthorised = "PRE_AUTHORISED", "pre-authorised; never captured as it is";
        PartiallyAuthorised = "PARTIALLY_AUTHORISED", "accepted for a part of the amount only";
        WaitingAuthorisation = "WAITING_AUTHORISATION", "to be authorised the day before its capture";
        WaitingAuthorisationToValidate = "WAITING_AUTHORISATION_TO_VALIDATE", "to be authorised, and to be validated by the merchant";
        WaitingForPayment = "WAITING_FOR_PAYMENT", "waiting for the funds";
        Pending = "PENDING", "waiting for the acquirer";
        UnderVerification = "UNDER_VERIFICATION", "under review by the acquirer";
        Initial = "INITIAL", "the acquirer has not answered yet";
        Suspended = "SUSPENDED", "the acquirer blocks the capture for now";
        RefundToRetry = "REFUND_TO_RETRY", "the refund failed and is to be tried again";
        CaptureFailed = "CAPTURE_FAILED", "the capture failed; to be raised with the platform's support";
        Refused = "REFUSED", "refused";
        Abandoned = "ABANDONED", "given up by the buyer";
        Cancelled = "CANCELLED", "cancelled";
        Expired = "EXPIRED", "not validated in time";
        NotCreated = "NOT_CREATED", "the transaction was not created";
        Error = "ERROR", "the transaction ended in an error";
    }
}

open_words! {
    /// `vads_auth_result` of a `CVCo` transaction (Sogecommerce's `CVCo` guide 1.5, table of return codes).
    CvcoResult {
        Accepted = "0", "accepted";
        RefusedByVoucher = "1010", "refused by the CVCo acquirer";
        RefusedByComplement = "1011", "refused by the acquirer of the complement";
        AbandonedInVoucher = "1012", "given up by the payer during the CVCo part";
        AbandonedInComplement = "1013", "given up by the payer during the complement";
        Refunded = "1014", "refunded at the merchant's request";
        Expired = "1015", "expired";
        Device = "1016", "the beneficiary's device is blocked or not enrolled";
        Security = "1017", "refused by the security checks";
        NoAction = "1018", "the beneficiary did nothing";
        RefusedByVoucherAgain = "1019", "refused by the CVCo acquirer";
        AbandonedInVoucherAgain = "1020", "given up during the CVCo part";
        UnknownAtAncv = "1100", "a state unknown to ANCV";
        MerchantNotAuthorised = "1213", "the merchant is not authorised";
        OperationNotAllowed = "1214", "the operation is not allowed";
        AmountOperationNotAllowed = "1215", "the operation is not allowed on the amount of the pre-transaction";
        InsufficientBalance = "1216", "the voucher balance is too low";
        BeneficiaryNotFound = "1218", "the beneficiary is not known";
        AnotherInProgress = "1220", "another transaction is in progress";
        Unreferenced = "1300", "an error without a reference";
    }
}

open_words! {
    /// `vads_url_check_src`: why the platform calls.
    Source {
        Payment = "PAY", "the end of a payment";
        BackOfficeReplay = "BO", "a manual replay from the back office";
        Retry = "RETRY", "an automatic replay after a failed call";
        BatchAuthorisation = "BATCH_AUTO", "an authorisation that had been waiting";
        Batch = "BATCH", "a change found when synchronising with the acquirer";
        MerchantOperation = "MERCH_BO", "an operation by the merchant in the back office";
        Recurring = "REC", "a recurring payment";
        DataCollection = "DCF", "a data-collection form";
        PaymentOrder = "PAYMENT_ORDER", "a payment order by e-mail or SMS";
        File = "FILE", "a file exchange";
    }
}

impl TransStatus {
    /// What the status means for the money, and whether a person should look at it. A cancellation by the
    /// buyer before anything was accepted is `CANCELLED` as well: the platform does not tell them apart.
    /// Outside the table nothing is ever taken for paid.
    #[must_use]
    pub const fn reported(&self) -> (ReportedState, StatusReading) {
        use ReportedState as S;
        use StatusReading::{Attention, Known, Planned, Unknown};
        match self {
            Self::Authorised => (S::Authorised, Known),
            Self::PartiallyAuthorised => (S::Authorised, Attention),
            Self::Captured => (S::Captured, Known),
            Self::Accepted
            | Self::PreAuthorised
            | Self::AuthorisedToValidate
            | Self::WaitingForPayment
            | Self::Pending
            | Self::UnderVerification
            | Self::Initial => (S::Pending, Known),
            Self::WaitingAuthorisation | Self::WaitingAuthorisationToValidate => (S::Pending, Planned),
            Self::Suspended | Self::RefundToRetry => (S::Pending, Attention),
            Self::CaptureFailed => (S::Cancelled, Attention),
            Self::Refused | Self::NotCreated | Self::Error => (S::Refused, Known),
            Self::Abandoned => (S::Abandoned, Known),
            Self::Cancelled => (S::Cancelled, Known),
            Self::Expired => (S::Expired, Known),
            Self::Unknown(_) => (S::Pending, Unknown),
        }
    }
}

impl CvcoResult {
    /// Whether it was the complement that failed, not the voucher.
    #[must_use]
    pub(super) const fn is_of_complement(&self) -> bool {
        matches!(self, Self::RefusedByComplement | Self::AbandonedInComplement)
    }
}

impl Source {
    /// Whether `vads_amount` of a message about one transaction is the order's total. After an operation in
    /// the back office or a synchronisation the message may be about one part of a cascade.
    #[must_use]
    pub(super) const fn states_order_total(&self) -> bool {
        !matches!(self, Self::MerchantOperation | Self::Batch)
    }

    /// Whether the merchant did something to the transaction in the back office.
    #[must_use]
    pub(super) const fn is_of_merchant(&self) -> bool {
        matches!(self, Self::MerchantOperation)
    }

    /// Whether the call comes straight from the payment page. All others lack `vads_page_action`,
    /// `vads_payment_config` and `vads_action_mode`.
    #[cfg(any(test, feature = "sender"))]
    #[must_use]
    pub(super) const fn is_first_hand(&self) -> bool {
        matches!(self, Self::Payment)
    }
}

/// What a status code of this adapter's events (`REFUSED/1216`) means, in English, for the story of a record.
#[must_use]
pub fn meaning(code: &str) -> Option<String> {
    let (status, result) =
        code.split_once('/').map_or((code, None), |(status, result)| (status, Some(result)));
    let status = TransStatus::of(status).meaning()?;
    let result = result.map(|result| match CvcoResult::of(result).meaning() {
        Some(meaning) => format!(": {meaning}"),
        None => format!(", the acquirer answers {result}"),
    });
    Some(format!("{status}{}", result.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_table_is_found_again() {
        for status in TransStatus::TABLE {
            assert_eq!(&TransStatus::of(status.as_str()), status);
            assert_ne!(status.reported().1, StatusReading::Unknown);
        }
        for result in CvcoResult::TABLE {
            assert_eq!(&CvcoResult::of(result.as_str()), result);
        }
        for source in Source::TABLE {
            assert_eq!(&Source::of(source.as_str()), source);
        }
    }

    #[test]
    fn an_unknown_status_is_kept_and_never_paid() {
        let status = TransStatus::of("TELEPORTED");
        assert_eq!(status.as_str(), "TELEPORTED");
        assert_eq!(status.reported(), (ReportedState::Pending, StatusReading::Unknown));
    }

    #[test]
    fn only_three_statuses_are_money() {
        let money: Vec<_> = TransStatus::TABLE
            .iter()
            .filter(|s| matches!(s.reported().0, ReportedState::Authorised | ReportedState::Captured))
            .map(TransStatus::as_str)
            .collect();
        assert_eq!(money, ["AUTHORISED", "CAPTURED", "PARTIALLY_AUTHORISED"]);
    }

    #[test]
    fn a_status_code_explains_itself() {
        assert_eq!(meaning("REFUSED/1216").as_deref(), Some("refused: the voucher balance is too low"));
        assert_eq!(meaning("REFUSED/51").as_deref(), Some("refused, the acquirer answers 51"));
        assert_eq!(meaning("CAPTURED").as_deref(), Some("remitted to the bank"));
        assert_eq!(meaning("TELEPORTED"), None);
    }
}
