//! What each PSP lets a merchant give back: data, each row with its source. The rules that hold refunds against it
//! are in `reconcile`.

use std::time::Duration;

use super::{Brand, Instrument, Psp};

/// How much of a part can be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refundable {
    /// Nothing.
    Never,
    /// The whole part, at once.
    Whole,
    /// Any share of it, several times too.
    AnyShare,
}

/// What a PSP lets a merchant give back of one instrument's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundTerms {
    /// The provider.
    pub psp: Psp,
    /// Voucher or card.
    pub instrument: Instrument,
    /// The one brand that the row is about, where the PSP's terms differ by brand; such a row stands first.
    pub brand: Option<&'static str>,
    /// How much of it.
    pub share: Refundable,
    /// Not before the day (in Paris) after the payment.
    pub from_next_day: bool,
    /// For how long after the payment.
    pub within: Option<Duration>,
    /// Only once the card part of the same payment was given back wholly.
    pub after_card: bool,
    /// Each part of a payment is refunded by an act of its own: one that was given back whole, beside one that was
    /// not, looks unfinished.
    pub part_by_part: bool,
    /// Where it is written.
    pub source: &'static str,
}

impl RefundTerms {
    /// Any share, at any time: what holds unless a row says less.
    const fn free(psp: Psp, instrument: Instrument, source: &'static str) -> Self {
        Self {
            psp,
            instrument,
            brand: None,
            share: Refundable::AnyShare,
            from_next_day: false,
            within: None,
            after_card: false,
            part_by_part: false,
            source,
        }
    }

    const fn never(psp: Psp, instrument: Instrument, source: &'static str) -> Self {
        Self { share: Refundable::Never, ..Self::free(psp, instrument, source) }
    }

    /// A meal voucher at Up2pay. The manual contradicts itself: 4.2 excludes refunds of Conecs and CV-Connect alike; 4.3.1
    /// allows those of Conecs from the day after, in several parts, and 4.3.2 shows the request for one (APETIZ). The
    /// chapter on refunds counts.
    const fn conecs(brand: &'static str) -> Self {
        Self {
            brand: Some(brand),
            from_next_day: true,
            ..Self::free(
                Psp::Up2pay,
                Instrument::Voucher,
                "Up2pay manual on CONECS, 4.3.1 and 4.3.2: from the day after, several partial refunds (4.2 says otherwise)",
            )
        }
    }

    /// The terms of one part; `None` where nothing is known of them.
    #[must_use]
    pub fn of(psp: Psp, instrument: Instrument, brand: &Brand) -> Option<&'static Self> {
        REFUND_TERMS.iter().find(|row| {
            (row.psp, row.instrument) == (psp, instrument)
                && row.brand.is_none_or(|only| only == brand.as_str())
        })
    }
}

/// Every row, by PSP.
pub const REFUND_TERMS: [RefundTerms; 14] = [
    RefundTerms::conecs("APETIZ"),
    RefundTerms::conecs("SODEXO"),
    RefundTerms::conecs("UPCHEQUDEJ"),
    RefundTerms::never(
        Psp::Up2pay,
        Instrument::Voucher,
        "Up2pay manual on CV-CONNECT, chapter 4: capture only, neither cancellation nor refund",
    ),
    RefundTerms {
        from_next_day: true,
        ..RefundTerms::free(
            Psp::Up2pay,
            Instrument::Card,
            "Up2pay manual on CV-CONNECT, 4.3: from the day after, several partial refunds",
        )
    },
    RefundTerms {
        share: Refundable::Whole,
        part_by_part: true,
        ..RefundTerms::free(
            Psp::Sogecommerce,
            Instrument::Voucher,
            "Sogecommerce CVCo guide 1.5, 12.3: no partial refund; each part of a cascade in the back office",
        )
    },
    RefundTerms {
        part_by_part: true,
        ..RefundTerms::free(
            Psp::Sogecommerce,
            Instrument::Card,
            "Sogecommerce: an ordinary card transaction, refunded by itself in the back office",
        )
    },
    RefundTerms {
        brand: Some("CVCO-5403"),
        ..RefundTerms::never(
            Psp::Worldline,
            Instrument::Voucher,
            "Worldline's page on product 5403: the card part alone",
        )
    },
    RefundTerms {
        within: Some(Duration::from_hours(4)),
        after_card: true,
        ..RefundTerms::free(
            Psp::Worldline,
            Instrument::Voucher,
            "Worldline's page on CV Connect, refund processing: the card part first, vouchers within 4 hours",
        )
    },
    RefundTerms::free(
        Psp::Worldline,
        Instrument::Card,
        "Worldline's page on CV Connect, refund processing: partial and multiple",
    ),
    RefundTerms::never(
        Psp::Monext,
        Instrument::Voucher,
        "Monext's page on ANCV Connect: doRefund refunds the complementary payment",
    ),
    RefundTerms::free(Psp::Monext, Instrument::Card, "Monext's page on doRefund: partial and multiple"),
    RefundTerms {
        share: Refundable::Whole,
        ..RefundTerms::free(
            Psp::Ancv,
            Instrument::Voucher,
            "ANCV's acquisition API: a cancellation of the whole transaction",
        )
    },
    RefundTerms::free(Psp::Ancv, Instrument::Card, "ANCV takes no cards: as the card's own provider has it"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(psp: Psp, instrument: Instrument, brand: &str) -> &'static RefundTerms {
        RefundTerms::of(psp, instrument, &Brand::new(brand).expect("a brand")).expect("a row")
    }

    #[test]
    fn every_part_at_every_psp_has_its_terms() {
        for psp in Psp::ALL {
            for instrument in [Instrument::Voucher, Instrument::Card] {
                assert_eq!((of(psp, instrument, "ANY").psp, of(psp, instrument, "ANY").brand), (psp, None));
            }
        }
    }

    #[test]
    fn a_brand_with_terms_of_its_own_has_those() {
        assert_eq!(of(Psp::Worldline, Instrument::Voucher, "CVCO-5403").share, Refundable::Never);
        for conecs in ["APETIZ", "SODEXO", "UPCHEQUDEJ"] {
            let terms = of(Psp::Up2pay, Instrument::Voucher, conecs);
            assert_eq!((terms.share, terms.from_next_day), (Refundable::AnyShare, true), "{conecs}");
        }
        assert_eq!(of(Psp::Up2pay, Instrument::Voucher, "CVCONNECT").share, Refundable::Never);
        assert_eq!(of(Psp::Worldline, Instrument::Voucher, "CVCO").share, Refundable::AnyShare);
    }
}
