//! A row of the list: a payment, or an order that waits for one.

use cvco_domain::{
    CallNumber, Cents, Currency, EndpointId, Mode, OrderRef, Psp, RecordState, Severity, ShopId, Timestamp,
};

use super::{PaymentName, Place};

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderRow {
    /// A payment.
    Payment(PaymentRow),
    /// An order without any.
    Awaited(AwaitedOrder),
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// Whose it is.
    pub shop: ShopId,
    /// Who collected it.
    pub psp: Psp,
    /// Where it came in.
    pub endpoint: EndpointId,
    /// The order that it is for.
    pub reference: Option<OrderRef>,
    /// What ties its parts together.
    pub call_number: CallNumber,
    /// Real or a trial.
    pub mode: Mode,
    /// The currency of the amounts.
    pub currency: Currency,
    /// What it should come to.
    pub expected: Option<Cents>,
    /// Paid by vouchers.
    pub voucher: Cents,
    /// Paid by card.
    pub card: Cents,
    /// Paid in all.
    pub paid: Cents,
    /// Given back.
    pub refunded: Cents,
    /// What of that banks took back.
    pub taken_back: Cents,
    /// Where it stands.
    pub state: RecordState,
    /// When it was first heard of.
    pub first_seen_at: Timestamp,
    /// How many discrepancies about it are open.
    pub open: i64,
    /// The gravest of them.
    pub worst: Option<Severity>,
    /// Its place in the order of time.
    pub place: Place,
}

/// An order that its shop registered, and of which no payment is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwaitedOrder {
    /// Whose it is.
    pub shop: ShopId,
    /// Its reference.
    pub reference: OrderRef,
    /// The currency of its total.
    pub currency: Currency,
    /// What it should come to.
    pub expected: Cents,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// How many discrepancies about it are open.
    pub open: i64,
    /// The gravest of them.
    pub worst: Option<Severity>,
    /// Its place in the order of time.
    pub place: Place,
}

impl PaymentRow {
    /// All that went back was taken by banks: that is no refund.
    #[must_use]
    pub fn is_charged_back(&self) -> bool {
        self.taken_back.is_positive() && self.taken_back >= self.refunded
    }

    /// Paid less expected.
    #[must_use]
    pub fn gap(&self) -> Option<Cents> {
        self.expected.map(|expected| self.paid.minus(expected))
    }
}

impl OrderRow {
    pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let (at, order): (Timestamp, i64) = (row.get("at")?, row.get("order_id")?);
        let (shop, currency) = (row.get("shop")?, row.get("currency")?);
        let open = row.get("open")?;
        let rank: Option<u8> = row.get("rank")?;
        let worst = rank.map(|rank| match rank {
            0 => Severity::Urgent,
            1 => Severity::Warning,
            _ => Severity::Info,
        });
        let Some(psp): Option<Psp> = row.get("psp")? else {
            return Ok(Self::Awaited(AwaitedOrder {
                shop,
                reference: row.get("reference")?,
                currency,
                expected: row.get("expected_cents")?,
                registered_at: at,
                open,
                worst,
                place: Place { at, order, payment: None },
            }));
        };
        let call_number: CallNumber = row.get("call_number")?;
        Ok(Self::Payment(PaymentRow {
            shop,
            psp,
            endpoint: row.get("endpoint")?,
            reference: row.get("reference")?,
            call_number: call_number.clone(),
            mode: row.get("mode")?,
            currency,
            expected: row.get("expected_cents")?,
            voucher: row.get("voucher_cents")?,
            card: row.get("card_cents")?,
            paid: row.get("paid_cents")?,
            refunded: row.get("refunded_cents")?,
            taken_back: row.get("taken_back_cents")?,
            state: row.get("state")?,
            first_seen_at: at,
            open,
            worst,
            place: Place { at, order, payment: Some(PaymentName { psp, call_number }) },
        }))
    }

    /// Its place in the order of time.
    #[must_use]
    pub const fn place(&self) -> &Place {
        match self {
            Self::Payment(payment) => &payment.place,
            Self::Awaited(order) => &order.place,
        }
    }

    /// Whose it is.
    #[must_use]
    pub const fn shop(&self) -> &ShopId {
        match self {
            Self::Payment(payment) => &payment.shop,
            Self::Awaited(order) => &order.shop,
        }
    }

    /// The order.
    #[must_use]
    pub const fn reference(&self) -> Option<&OrderRef> {
        match self {
            Self::Payment(payment) => payment.reference.as_ref(),
            Self::Awaited(order) => Some(&order.reference),
        }
    }

    /// When it was first heard of, or registered.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.place().at
    }

    /// The currency of the amounts.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        match self {
            Self::Payment(payment) => payment.currency,
            Self::Awaited(order) => order.currency,
        }
    }

    /// What it should come to.
    #[must_use]
    pub const fn expected(&self) -> Option<Cents> {
        match self {
            Self::Payment(payment) => payment.expected,
            Self::Awaited(order) => Some(order.expected),
        }
    }

    /// Paid by vouchers.
    #[must_use]
    pub const fn voucher(&self) -> Cents {
        match self {
            Self::Payment(payment) => payment.voucher,
            Self::Awaited(_) => Cents::ZERO,
        }
    }

    /// Paid by card.
    #[must_use]
    pub const fn card(&self) -> Cents {
        match self {
            Self::Payment(payment) => payment.card,
            Self::Awaited(_) => Cents::ZERO,
        }
    }

    /// Paid in all.
    #[must_use]
    pub const fn paid(&self) -> Cents {
        match self {
            Self::Payment(payment) => payment.paid,
            Self::Awaited(_) => Cents::ZERO,
        }
    }

    /// Paid less expected.
    #[must_use]
    pub fn gap(&self) -> Option<Cents> {
        self.expected().map(|expected| self.paid().minus(expected))
    }

    /// How many discrepancies about it are open.
    #[must_use]
    pub const fn open(&self) -> i64 {
        match self {
            Self::Payment(payment) => payment.open,
            Self::Awaited(order) => order.open,
        }
    }
}
