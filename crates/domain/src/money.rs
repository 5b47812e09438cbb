//! Money: integer cents and a currency, never a float.

use std::fmt;
use std::iter::Sum;

use serde::{Deserialize, Serialize};

/// An amount in minor units (euro cents). Negative only as a difference, such as a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(i64);

/// Why a text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Something other than 1 to 12 decimal digits.
    #[error("an amount is 1 to 12 digits, in cents")]
    NotDigits,
}

impl super::Worded for AmountError {
    fn in_french(&self) -> String {
        "un montant compte de 1 à 12 chiffres, en centimes".to_owned()
    }
}

impl Cents {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// An amount of so many cents.
    #[must_use]
    pub const fn new(cents: i64) -> Self {
        Self(cents)
    }

    /// The number of cents.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Reads an amount as the PSPs write it: unsigned digits in cents, leading zeros allowed.
    ///
    /// # Errors
    /// Anything but 1 to 12 digits (Sogecommerce: `n..12`; Up2pay: at most 10).
    pub fn parse(digits: &str) -> Result<Self, AmountError> {
        if digits.is_empty() || digits.len() > 12 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(AmountError::NotDigits);
        }
        digits.parse().map(Self).map_err(|_| AmountError::NotDigits)
    }

    /// True above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// `self - other`. Amounts have at most 12 digits, so this cannot reach the bounds of an `i64`.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `self + other`. Amounts have at most 12 digits, so this cannot reach the bounds of an `i64`.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The amount without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
}

impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::plus)
    }
}

/// Two decimals and a point, as in `-12.34`; the language of a mail or a table decides about the comma.
impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

/// A currency: `EUR`, or the three characters that the PSP used for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The euro, the only currency in which vouchers exist.
    pub const EUR: Self = Self(*b"EUR");

    /// Reads an ISO 4217 code, alphabetic (`EUR`) or numeric (`978`, which is the euro too). A number that no currency has
    /// stays a number.
    ///
    /// # Errors
    /// Anything but three ASCII letters or three digits.
    pub fn parse(code: &str) -> Result<Self, super::IdError> {
        let wrong = || super::IdError::new("currency", super::IdRule::Currency);
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| wrong())?;
        if bytes.iter().all(u8::is_ascii_alphabetic) {
            return Ok(Self(bytes.map(|b| b.to_ascii_uppercase())));
        }
        if !bytes.iter().all(u8::is_ascii_digit) {
            return Err(wrong());
        }
        if code == "978" {
            return Ok(Self::EUR);
        }
        let letters = NUMBERS.split(' ').find_map(|known| known.strip_prefix(code));
        Ok(Self(letters.and_then(|letters| letters.as_bytes().try_into().ok()).unwrap_or(bytes)))
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Currency {
    type Error = super::IdError;
    fn try_from(code: String) -> Result<Self, Self::Error> {
        Self::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

/// ISO 4217, list one: the number of each currency, with its letters.
const NUMBERS: &str = "008ALL 012DZD 032ARS 036AUD 044BSD 048BHD 050BDT 051AMD 052BBD 060BMD 064BTN 068BOB 072BWP 084BZD \
    090SBD 096BND 104MMK 108BIF 116KHR 124CAD 132CVE 136KYD 144LKR 152CLP 156CNY 170COP 174KMF 188CRC \
    191HRK 192CUP 203CZK 208DKK 214DOP 222SVC 230ETB 232ERN 238FKP 242FJD 262DJF 270GMD 292GIP 320GTQ \
    324GNF 328GYD 332HTG 340HNL 344HKD 348HUF 352ISK 356INR 360IDR 364IRR 368IQD 376ILS 388JMD 392JPY \
    398KZT 400JOD 404KES 408KPW 410KRW 414KWD 417KGS 418LAK 422LBP 426LSL 430LRD 434LYD 446MOP 454MWK \
    458MYR 462MVR 480MUR 484MXN 496MNT 498MDL 504MAD 512OMR 516NAD 524NPR 532ANG 533AWG 548VUV 554NZD \
    558NIO 566NGN 578NOK 586PKR 590PAB 598PGK 600PYG 604PEN 608PHP 634QAR 643RUB 646RWF 654SHP 682SAR \
    690SCR 694SLL 702SGD 704VND 706SOS 710ZAR 728SSP 748SZL 752SEK 756CHF 760SYP 764THB 776TOP 780TTD \
    784AED 788TND 800UGX 807MKD 818EGP 826GBP 834TZS 840USD 858UYU 860UZS 882WST 886YER 901TWD 925SLE \
    926VED 927UYW 928VES 929MRU 930STN 931CUC 932ZWL 933BYN 934TMT 936GHS 938SDG 940UYI 941RSD 943MZN \
    944AZN 946RON 947CHE 948CHW 949TRY 950XAF 951XCD 952XOF 953XPF 955XBA 956XBB 957XBC 958XBD 959XAU \
    960XDR 961XAG 962XPT 964XPD 965XUA 967ZMW 968SRD 969MGA 970COU 971AFN 972TJS 973AOA 975BGN 976CDF \
    977BAM 979MXV 980UAH 981GEL 984BOV 985PLN 986BRL 990CLF 994XSU 997USN";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_digits_only() {
        assert_eq!(Cents::parse("0000005000"), Ok(Cents::new(5000)));
        assert_eq!(Cents::parse("999999999999"), Ok(Cents::new(999_999_999_999)));
        for wrong in ["", "-1", "+1", "1.0", "1,0", " 1", "1e3", "1234567890123", "١"] {
            assert_eq!(Cents::parse(wrong), Err(AmountError::NotDigits), "{wrong:?}");
        }
    }

    #[test]
    fn an_amount_shows_two_decimals() {
        assert_eq!(Cents::new(1205).to_string(), "12.05");
        assert_eq!(Cents::new(-5).to_string(), "-0.05");
    }

    #[test]
    fn the_euro_has_two_names() {
        assert_eq!(Currency::parse("978"), Ok(Currency::EUR));
        assert_eq!(Currency::parse("eur"), Ok(Currency::EUR));
        assert_eq!(Currency::parse("840").map(String::from), Ok("USD".to_owned()));
        assert_eq!(Currency::parse("756").map(String::from), Ok("CHF".to_owned()));
        assert_eq!(Currency::parse("000").map(String::from), Ok("000".to_owned()));
        assert!(Currency::parse("E1R").is_err());
        assert!(Currency::parse("€").is_err());
    }
}
