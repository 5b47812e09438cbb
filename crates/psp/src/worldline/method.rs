//! How it was paid: Worldline's payment methods, and the products within them.

use cvco_domain::{Brand, Instrument};

/// `paymentMethod`: which of the method-specific outputs describes the payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Method {
    /// `card`.
    Card,
    /// `redirect`: paid on somebody else's page, such as CV Connect's.
    Redirect,
    /// `mobile`: a wallet.
    Mobile,
    /// Another one.
    Other(String),
}

/// `paymentProductId`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Product(pub(super) u32);

/// Who pays, and the name under which it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) instrument: Instrument,
    pub(super) brand: Brand,
}

impl Method {
    pub(super) fn of(text: &str) -> Self {
        match text {
            "card" => Self::Card,
            "redirect" => Self::Redirect,
            "mobile" => Self::Mobile,
            other => Self::Other(other.to_owned()),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Card => "card",
            Self::Redirect => "redirect",
            Self::Mobile => "mobile",
            Self::Other(text) => text,
        }
    }
}

impl Product {
    /// Vouchers by issuers other than a bank: CV Connect at ANCV itself (5412) and through Thunes (5403),
    /// meal vouchers (5402), Illicado gift cards (3112). The rest is cards, wallets and transfers.
    fn instrument(self) -> Instrument {
        match self.0 {
            5412 | 5403 | 5402 | 3112 => Instrument::Voucher,
            _ => Instrument::Card,
        }
    }

    /// Worldline's list of payment products; one without a name here goes by its number.
    fn name(self) -> String {
        let name = match self.0 {
            1 => "VISA",
            2 => "AMEX",
            3 => "MASTERCARD",
            117 => "MAESTRO",
            130 => "CB",
            302 => "APPLEPAY",
            320 => "GOOGLEPAY",
            5403 => "CVCO-5403",
            5412 => "CVCO",
            number => return number.to_string(),
        };
        name.to_owned()
    }
}

impl Kind {
    /// The product decides; where a message does not name it, as about refunds, the method does. A redirect
    /// is then taken for the voucher, which is how Worldline's own plugins tell the two parts of a split
    /// payment apart.
    pub(super) fn of(product: Option<Product>, method: &Method) -> Option<Self> {
        let (instrument, name) = match (product, method) {
            (Some(product), _) => (product.instrument(), product.name()),
            (None, Method::Redirect) => (Instrument::Voucher, "CVCO".to_owned()),
            (None, method) => (Instrument::Card, method.as_str().to_ascii_uppercase()),
        };
        Some(Self { instrument, brand: Brand::new(name).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_tells_vouchers_from_cards() {
        for (product, method, instrument, brand) in [
            (Some(5412), "redirect", Instrument::Voucher, "CVCO"),
            (Some(5403), "redirect", Instrument::Voucher, "CVCO-5403"),
            (Some(5402), "redirect", Instrument::Voucher, "5402"),
            (Some(3112), "redirect", Instrument::Voucher, "3112"),
            (Some(840), "redirect", Instrument::Card, "840"),
            (Some(130), "card", Instrument::Card, "CB"),
            (Some(1), "card", Instrument::Card, "VISA"),
            (Some(302), "mobile", Instrument::Card, "APPLEPAY"),
            (None, "card", Instrument::Card, "CARD"),
            (None, "redirect", Instrument::Voucher, "CVCO"),
        ] {
            let kind = Kind::of(product.map(Product), &Method::of(method)).expect("a name");
            assert_eq!((kind.instrument, kind.brand.as_str()), (instrument, brand), "{product:?} {method}");
        }
    }
}
