//! The stories that are played, and what each must end in.

use std::fmt;
use std::str::FromStr;

use cvco_domain::{Kind, Psp, RecordState, UnknownWord};

/// What an order must have come to once all messages of its story were read and the graces are over. It holds
/// for an order that the shop registered, or did not, as the story has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Where the order stands; `None` if no message of the story counts.
    pub state: Option<RecordState>,
    /// The discrepancies of the order, in the order of the catalogue.
    pub findings: &'static [Kind],
}

macro_rules! scenarios {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $weight:literal, $story:literal;)*) => {
        /// One story of one order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scenario { $(#[doc = concat!("In short: ", $story, ".")] $(#[$doc])* $name,)* }

        impl Scenario {
            /// Every story, the ordinary ones first.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name on the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The story in one line, in English.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $story,)* }
            }

            /// How often it comes up in a mix, beside the weights of the others.
            #[must_use]
            pub const fn weight(self) -> u32 {
                match self { $(Self::$name => $weight,)* }
            }
        }
    };
}

scenarios! {
    /// Up2pay: two calls, in either order. Sogecommerce: one message that lists both parts.
    Split = "split", 400, "a voucher and a card that come to the total";
    /// Lyra's cascade goes on with another card where the first has too little.
    TwoCards = "two-cards", 20, "a voucher and two cards that come to the total";
    /// No card part at all.
    VoucherOnly = "voucher-only", 150, "a voucher that covers the whole order";
    /// The shop's other payments arrive at the same URL.
    CardOnly = "card-only", 100, "a card alone, without any voucher";
    /// The first message comes before ANCV has decided.
    PendingThenAccepted = "pending-then-accepted", 20, "undecided at first, accepted later";
    /// The payment page offers another try after a refusal.
    RefusedThenAccepted = "refused-then-accepted", 60, "the card is refused once, then accepted";
    /// The shop ships nothing.
    Refused = "refused", 60, "the voucher is refused and nothing is paid";
    /// Sogecommerce: possible until the capture, for the whole voucher only.
    Cancelled = "cancelled", 15, "the merchant cancels an accepted voucher in the back office";
    /// Sogecommerce: each part of a cascade is refunded on its own, a voucher as a whole only. Elsewhere the card goes
    /// back first, or alone; Up2pay tells of it only when asked.
    Refund = "refund", 20, "the merchant refunds one part in the back office";
    /// Sogecommerce: one refund for each part. Worldline: the card's share first.
    WholeRefund = "whole-refund", 10, "the merchant refunds the whole payment";
    /// Sogecommerce: a part of the voucher. Worldline: vouchers, hours after the time for it. Monext: vouchers at all.
    RefundAgainstRules = "refund-against-rules", 5, "the merchant refunds what the PSP does not refund";
    /// At Sogecommerce a replay has other bytes than the first call.
    Duplicate = "duplicate", 40, "every message arrives three times";
    /// Only Sogecommerce's own total tells what to expect.
    Unregistered = "unregistered", 30, "a split payment of an order that the shop never registered";
    /// Up2pay announces each part on its own, so a part that never came leaves no trace.
    MissingComplement = "missing-complement", 20, "the voucher is accepted, its card part never comes";
    /// The voucher's money stays promised.
    RefusedComplement = "refused-complement", 20, "the voucher is accepted, its card part is refused";
    /// Up2pay: the voucher stays accepted. Sogecommerce: the whole payment is abandoned.
    AbandonedComplement = "abandoned-complement", 20, "the buyer leaves before paying the card part";
    /// Money for half an order, and the half that a merchant could give back.
    OrphanComplement = "orphan-complement", 10, "the card part is accepted, its voucher is not";
    /// Up2pay: less than the registered order. Sogecommerce: less than the message's own total as well.
    WrongAmount = "wrong-amount", 10, "the accepted parts come to less than the total";
    /// A buyer with two tabs.
    DoublePayment = "double-payment", 10, "the order is paid twice, under two call numbers";
    /// Both messages are genuine, so one of them is wrong.
    ConflictingAmount = "conflicting-amount", 5, "a transaction is told again with another amount";
    /// Only the API of a PSP whose messages leave the split open says what is voucher and what is card.
    UnstatedSplit = "unstated-split", 10, "the messages leave the split open, the PSP's API tells it";
    /// A message is genuine, and the PSP's own books say otherwise.
    ApiDiffers = "api-differs", 5, "the PSP's API states another amount or outcome than its message";
    /// A genuine message about another order, in which somebody changed the reference.
    Forged = "forged", 10, "a message was changed on its way: its signature does not fit";
}

impl Scenario {
    /// What the story must end in; `None` if this PSP cannot tell it.
    #[must_use]
    pub const fn ending(self, psp: Psp) -> Option<Ending> {
        use Psp::{Ancv, Monext, Sogecommerce, Up2pay, Worldline};
        use RecordState::{Balanced, Failed, PartRefunded, Refunded, Unbalanced, Unverified};
        let (state, findings): (RecordState, &[Kind]) = match (self, psp) {
            (
                Self::Split
                | Self::VoucherOnly
                | Self::PendingThenAccepted
                | Self::RefusedThenAccepted
                | Self::Duplicate,
                Up2pay | Sogecommerce | Worldline | Monext,
            )
            | (Self::TwoCards, Sogecommerce | Monext)
            | (Self::CardOnly | Self::Unregistered, Sogecommerce | Worldline | Monext)
            | (Self::UnstatedSplit, Worldline) => (Balanced, &[]),
            (Self::Refused, Up2pay | Sogecommerce | Worldline | Monext)
            | (Self::Cancelled, Sogecommerce | Worldline | Monext)
            | (Self::AbandonedComplement, Sogecommerce) => (Failed, &[]),
            (Self::Refund, Worldline | Monext) => (PartRefunded, &[]),
            // Each part is refunded by itself: the other one may have been forgotten.
            (Self::Refund, Sogecommerce) => (PartRefunded, &[Kind::RefundPartial]),
            // The platform says that it gave money back, but not how much.
            (Self::Refund, Up2pay) => (Balanced, &[Kind::UnknownStatus]),
            (Self::WholeRefund, Sogecommerce | Worldline) => (Refunded, &[]),
            (Self::RefundAgainstRules, Sogecommerce) => (PartRefunded, &[Kind::RefundNotAllowed]),
            (Self::RefundAgainstRules, Monext) => (Refunded, &[Kind::RefundNotAllowed]),
            (Self::RefundAgainstRules, Worldline) => (Refunded, &[Kind::RefundLate]),
            (Self::Unregistered, Up2pay) => (Unverified, &[Kind::TotalUnknown]),
            (Self::MissingComplement, Up2pay | Worldline | Monext) => {
                (Unbalanced, &[Kind::ComplementMissing])
            }
            (Self::RefusedComplement, Up2pay | Sogecommerce | Worldline)
            | (Self::AbandonedComplement, Up2pay | Worldline) => (Unbalanced, &[Kind::VoucherOrphan]),
            (Self::OrphanComplement, Up2pay | Sogecommerce | Worldline) => {
                (Unbalanced, &[Kind::ComplementOrphan])
            }
            (Self::WrongAmount, Up2pay | Worldline) => (Unbalanced, &[Kind::AmountShort]),
            (Self::WrongAmount, Sogecommerce | Monext) => (Unbalanced, &[Kind::SequenceDisagrees]),
            (Self::DoublePayment, Up2pay | Sogecommerce | Worldline | Monext) => {
                (Unbalanced, &[Kind::DoublePayment])
            }
            (Self::ConflictingAmount, Up2pay | Sogecommerce | Worldline) => {
                (Balanced, &[Kind::ConflictingNotification])
            }
            (Self::ApiDiffers, Up2pay | Sogecommerce | Worldline) => {
                (Unbalanced, &[Kind::ConfirmationDiffers])
            }
            (Self::Forged, Up2pay | Sogecommerce | Worldline | Monext) => {
                return Some(Ending { state: None, findings: &[] });
            }
            (_, Ancv)
            | (Self::TwoCards, Up2pay | Worldline)
            | (Self::CardOnly | Self::Cancelled | Self::WholeRefund | Self::RefundAgainstRules, Up2pay)
            | (Self::MissingComplement, Sogecommerce)
            | (Self::UnstatedSplit, Up2pay | Sogecommerce | Monext)
            | (
                Self::RefusedComplement
                | Self::AbandonedComplement
                | Self::OrphanComplement
                | Self::ConflictingAmount
                | Self::WholeRefund
                | Self::ApiDiffers,
                Monext,
            ) => return None,
        };
        Some(Ending { state: Some(state), findings })
    }

    /// The discrepancies that the story must end in; none either if this PSP cannot tell it.
    #[must_use]
    pub const fn promises(self, psp: Psp) -> &'static [Kind] {
        match self.ending(psp) {
            Some(Ending { findings, .. }) => findings,
            None => &[],
        }
    }

    /// Whether only the PSP's API makes the story what it is.
    #[must_use]
    pub const fn needs_api(self, psp: Psp) -> bool {
        matches!(
            (self, psp),
            (_, Psp::Monext) | (Self::UnstatedSplit | Self::ApiDiffers, _) | (Self::Refund, Psp::Up2pay)
        )
    }

    /// Whether the shop registers the order of this story.
    #[must_use]
    pub const fn is_registered(self) -> bool {
        !matches!(self, Self::Unregistered)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scenario {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .iter()
            .copied()
            .find(|scenario| scenario.as_str() == text)
            .ok_or_else(|| UnknownWord::new(text, "the stories that `simulate --list` names"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_story_is_found_by_its_name_and_told_by_some_psp() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.as_str().parse(), Ok(*scenario));
            assert!(Psp::ALL.iter().any(|psp| scenario.ending(*psp).is_some()), "{scenario}");
            assert!(scenario.weight() > 0, "{scenario} would never come up");
        }
        assert!("nonsense".parse::<Scenario>().is_err());
    }
}
